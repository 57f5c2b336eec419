// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type CpioEntry, writeCpio } from '../../guest/cpio.ts';

const entries: CpioEntry[] = [
  { kind: 'directory', path: 'dev', mode: 0o755 },
  { kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
  { kind: 'file', path: 'init', mode: 0o755, content: Uint8Array.of(1, 2, 3, 4, 5) },
  { kind: 'file', path: 'empty', mode: 0o644, content: new Uint8Array(0) },
  { kind: 'symbolic-link', path: 'sh', mode: 0o777, target: 'init' },
];

/**
 * The members of a newc archive as the kernel reads them (init/initramfs.c): 13 hexadecimal fields
 * behind the magic.
 */
function members(archive: Uint8Array) {
  const bytes = Buffer.from(archive);
  const found: {
    name: string;
    mode: number;
    major: number;
    minor: number;
    inode: number;
    content: number[];
  }[] = [];
  for (let at = 0; at < bytes.length; ) {
    t.equal(bytes.toString('latin1', at, at + 6), '070701', `magic at ${at}`);
    const field = (index: number) =>
      Number.parseInt(bytes.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameEnd = at + 110 + field(11);
    const contentAt = (nameEnd + 3) & ~3;
    t.equal(bytes[nameEnd - 1], 0, 'names end with NUL');
    found.push({
      name: bytes.toString('utf8', at + 110, nameEnd - 1),
      mode: field(1),
      major: field(9),
      minor: field(10),
      inode: field(0),
      content: [...bytes.subarray(contentAt, contentAt + field(6))],
    });
    at = (contentAt + field(6) + 3) & ~3;
  }
  return found;
}

t.test(
  'every entry is there, with its type and content, and the trailer ends the archive',
  async (t) => {
    t.strictSame(
      members(writeCpio(entries)).map(({ inode, ...rest }) => rest),
      [
        { name: 'dev', mode: 0o040755, major: 0, minor: 0, content: [] },
        { name: 'dev/console', mode: 0o020600, major: 5, minor: 1, content: [] },
        { name: 'init', mode: 0o100755, major: 0, minor: 0, content: [1, 2, 3, 4, 5] },
        { name: 'empty', mode: 0o100644, major: 0, minor: 0, content: [] },
        { name: 'sh', mode: 0o120777, major: 0, minor: 0, content: [...Buffer.from('init')] },
        { name: 'TRAILER!!!', mode: 0, major: 0, minor: 0, content: [] },
      ],
    );
  },
);

t.test('inode numbers differ, else the kernel would take files for hard links', async (t) => {
  const inodes = members(writeCpio(entries)).map(({ inode }) => inode);
  t.equal(new Set(inodes).size, inodes.length);
});

t.test('the same entries give the same bytes', async (t) => {
  t.strictSame(writeCpio(entries), writeCpio(structuredClone(entries)));
});
