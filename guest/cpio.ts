// SPDX-License-Identifier: GPL-2.0-only
import { concatenate } from '../src/bytes.ts';

/** An entry of an archive. A directory must come before its contents. */
export type CpioEntry =
  | { kind: 'directory'; path: string; mode: number }
  | { kind: 'file'; path: string; mode: number; content: Uint8Array }
  | { kind: 'symbolic-link'; path: string; mode: number; target: string }
  | { kind: 'character-device'; path: string; mode: number; major: number; minor: number };

const fileType = {
  directory: 0o040000,
  file: 0o100000,
  'symbolic-link': 0o120000,
  'character-device': 0o020000,
};
const nothing = new Uint8Array(0);

/**
 * Writes an archive in the "newc" format, which the kernel unpacks as its initramfs
 * (Documentation/driver-api/early-userspace/ buffer-format.rst). The same entries give the same
 * bytes: owners and times are 0, inode numbers count up.
 *
 * @param entries paths are relative, without a leading slash
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts = entries.flatMap((entry, index) => member(entry, index + 1));
  parts.push(...member({ kind: 'file', path: 'TRAILER!!!', mode: 0, content: nothing }, 0));
  return concatenate(parts);
}

/** Header and name together are padded to 4 bytes, and so is the content. */
function member(entry: CpioEntry, inode: number): Uint8Array[] {
  const content = contentOf(entry);
  const name = new TextEncoder().encode(`${entry.path}\0`);
  const [major, minor] = entry.kind === 'character-device' ? [entry.major, entry.minor] : [0, 0];
  const isTrailer = inode === 0;
  const fields = [
    inode,
    isTrailer ? 0 : fileType[entry.kind] | entry.mode,
    0, // uid
    0, // gid
    entry.kind === 'directory' ? 2 : 1, // links
    0, // mtime
    content.length,
    0, // major and minor of the device that contains the file
    0,
    major,
    minor,
    name.length,
    0, // checksum: newc has none
  ];
  const header = new TextEncoder().encode(
    `070701${fields.map((each) => each.toString(16).padStart(8, '0')).join('')}`,
  );
  return [header, name, padding(header.length + name.length), content, padding(content.length)];
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'symbolic-link') return new TextEncoder().encode(entry.target);
  return entry.kind === 'file' ? entry.content : nothing;
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
