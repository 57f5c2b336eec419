// SPDX-License-Identifier: GPL-2.0-only
import { concatenate } from '../bytes.ts';
import { crc32 } from '../linux/crc32.ts';
import type { GuestFiles, ProbeResult } from './capture.ts';
import { parseDirectory, type ReadPhysical, readStream } from './record-stream.ts';

/** One file of the guest as it arrived. */
interface GuestFile {
  bytes: Uint8Array;
  /**
   * 0, or the guest's errno for opening or reading it; 2 (ENOENT) where the kernel has no such
   * file.
   */
  errno: number;
  /**
   * Whether the file was longer than what arrived: too long, no room, or the guest died while
   * sending it.
   */
  cut: boolean;
}

/** Everything that init committed to its memory. */
export interface GuestReport {
  /**
   * By path, or 'dmesg'. A file that does not exist in the guest is listed with its errno, since
   * init tried to read it.
   */
  files: Map<string, GuestFile>;
  probes: ProbeResult[];
  /** What failed in init itself, in its own words (hostile text, like everything here). */
  problems: { where: string; what: string }[];
  /** Sentences about records that are not plausible. Empty for a healthy guest. */
  damage: string[];
  /** The harness's nonce, echoed by the guest; undefined without a directory. */
  nonce?: bigint;
}

const recordMagic = 0x52445450;
const headerBytes = 24;
const recordTypes = { piece: 1, fileEnd: 2, probe: 3, problem: 4 };
/** Reporting each damaged record of a ruined stream would itself be a flood. */
const maxDamage = 20;

interface RawRecord {
  sequence: number;
  type: number;
  name: string;
  payload: Uint8Array;
}

/**
 * Decodes what guest/init wrote into guest RAM (guest/init/protocol.h). Never throws for anything a
 * guest did: a damaged record is left out and described in `damage`.
 *
 * @param directory the directory page, whose physical address init sent
 * @param read reads guest RAM by physical address
 */
export function decodeRecords(directory: Uint8Array, read: ReadPhysical): GuestReport {
  const report: GuestReport = { files: new Map(), probes: [], problems: [], damage: [] };
  const parsed = parseDirectory(directory);
  if (typeof parsed === 'string') return { ...report, damage: [parsed] };
  report.nonce = parsed.nonce;
  const stream = readStream(parsed, read);
  const open = new Map<string, Uint8Array[]>();
  const incomplete = new Set<string>();
  let expected = 0;
  for (const record of splitRecords(stream.bytes, report.damage)) {
    if (record.sequence !== expected) {
      addDamage(report, `Record ${expected} of the guest is followed by ${record.sequence}.`);
      // The missing part belongs to a file that is open now, or to the one that comes next.
      for (const name of [...open.keys(), record.name]) incomplete.add(name);
    }
    expected = record.sequence + 1;
    applyRecord(report, open, record);
  }
  for (const name of incomplete) {
    const file = report.files.get(name);
    if (file) file.cut = true;
  }
  for (const [name, pieces] of open)
    report.files.set(name, { bytes: concatenate(pieces), errno: 0, cut: true });
  if (stream.damage) addDamage(report, stream.damage);
  if (parsed.lost > 0) addDamage(report, `The guest had no memory for ${parsed.lost} records.`);
  return report;
}

/**
 * The files from the guest, as text: all except config.gz, which is compressed. Bytes that are not
 * UTF-8 become U+FFFD.
 */
export function guestTexts(report: GuestReport): GuestFiles {
  const decoder = new TextDecoder();
  const texts: GuestFiles = {};
  for (const [name, file] of report.files) {
    if (file.errno === 0 && !name.endsWith('.gz')) texts[name] = decoder.decode(file.bytes);
  }
  return texts;
}

function addDamage(report: Pick<GuestReport, 'damage'>, sentence: string): void {
  if (report.damage.length < maxDamage) report.damage.push(sentence);
}

function* splitRecords(stream: Uint8Array, damage: string[]): Generator<RawRecord> {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const decoder = new TextDecoder();
  let at = 0;
  while (at + headerBytes <= stream.length) {
    const nameBytes = view.getUint16(at + 10, true);
    const payloadBytes = view.getUint32(at + 12, true);
    const end = at + headerBytes + nameBytes + payloadBytes;
    if (view.getUint32(at, true) !== recordMagic || end > stream.length) {
      addDamage(
        { damage },
        `The guest's records cannot be read on from byte ${at} of ${stream.length}.`,
      );
      return;
    }
    if (checksum(stream.subarray(at, end)) === view.getUint32(at + 16, true)) {
      const name = decoder.decode(stream.subarray(at + headerBytes, at + headerBytes + nameBytes));
      const payload = stream.subarray(at + headerBytes + nameBytes, end);
      yield {
        sequence: view.getUint32(at + 4, true),
        type: view.getUint16(at + 8, true),
        name,
        payload,
      };
    } else {
      addDamage({ damage }, `The guest's record at byte ${at} has a wrong checksum.`);
    }
    at = (end + 7) & ~7;
  }
}

/** The checksum covers the header with its own field set to 0. */
function checksum(record: Uint8Array): number {
  return crc32(record.subarray(0, 16), new Uint8Array(4), record.subarray(20));
}

function applyRecord(
  report: GuestReport,
  open: Map<string, Uint8Array[]>,
  { type, name, payload }: RawRecord,
): void {
  if (type === recordTypes.piece) {
    const pieces = open.get(name);
    if (pieces) pieces.push(payload);
    else open.set(name, [payload]);
  } else if (type === recordTypes.fileEnd && payload.length === 8) {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const bytes = concatenate(open.get(name) ?? []);
    open.delete(name);
    report.files.set(name, {
      bytes,
      errno: view.getUint32(0, true),
      cut: view.getUint32(4, true) !== 0,
    });
  } else if (type === recordTypes.probe) {
    report.probes.push(parseProbe(name, new TextDecoder().decode(payload)));
  } else if (type === recordTypes.problem) {
    report.problems.push({ where: name, what: new TextDecoder().decode(payload) });
  } else {
    addDamage(report, `The guest sent a record of unknown type ${type}.`);
  }
}

function parseProbe(probe: string, text: string): ProbeResult {
  const values = (key: string) =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1]);
  const [data] = values('data');
  return {
    probe,
    call: values('call')[0] ?? '',
    errno: Number(values('errno')[0]),
    pages: values('page').map(Number),
    ...(data !== undefined && { data }),
  };
}
