// SPDX-License-Identifier: GPL-2.0-only
import type { Level } from '../vmsa/types.ts';
import {
  MT_DEVICE_nGnRE,
  MT_DEVICE_nGnRnE,
  MT_NORMAL,
  MT_NORMAL_NC,
  MT_NORMAL_TAGGED,
  PMD_TABLE_BIT,
  PTE_AF,
  PTE_ATTRINDX,
  PTE_ATTRINDX_MASK,
  PTE_CONT,
  PTE_GP,
  PTE_NG,
  PTE_PXN,
  PTE_RDONLY,
  PTE_SHARED,
  PTE_USER,
  PTE_UXN,
  PTE_VALID,
} from './pgprot.ts';

/** Level names of the dump, from the top. */
export const ptdumpLevels = ['PGD', 'P4D', 'PUD', 'PMD', 'PTE'] as const;
export type PtdumpLevel = (typeof ptdumpLevels)[number];

/**
 * What one line of the dump says about its entries: descriptor bits as they are, whatever they
 * permit.
 */
export interface PtdumpAttributes {
  valid: boolean;
  user: boolean;
  readOnly: boolean;
  pxn: boolean;
  shared: boolean;
  accessed: boolean;
  notGlobal: boolean;
  contiguous: boolean;
  block: boolean;
  uxn: boolean;
  guarded: boolean;
  /** The kernel's name of the memory type; absent for an index that it does not use. */
  memory?: string;
}

/** A line of the dump. Without attributes it is a hole. */
export interface PtdumpRun {
  start: bigint;
  /** Exclusive; 2^64 at the end of the address space. */
  end: bigint;
  level: PtdumpLevel;
  attributes?: PtdumpAttributes;
}

/** The kernel's debugfs file kernel_page_tables. */
export interface Ptdump {
  runs: PtdumpRun[];
  /** Region markers, each with the number of runs before it: a marker itself has no address. */
  markers: { name: string; before: number }[];
  /**
   * Line numbers, from 1, of lines that are neither: a dump that is cut short or interleaved with
   * something else. At most 100.
   */
  unreadable: number[];
}

const flags =
  /^ ([ F]) (USR| {3}) (ro|RW) (NX|x ) (SHD| {3}) (AF| {2}) (NG| {2}) (CON| {3}) (BLK| {3}) (UXN| {3}) (GP| {2})(?: ((?:DEVICE|MEM)\/[\w-]{1,20}))?$/;
const range = /^0x([0-9a-f]{16})-0x([0-9a-f]{16}) {3} *\d+[KMGTPE] (PGD|P4D|PUD|PMD|PTE)(.*)$/;
const marker = /^---\[ (.{1,60}) \]---$/;

/**
 * Reads the dump of arch/arm64/mm/ptdump.c (note_page() and dump_prot()): columns of fixed width,
 * the same in every release from 6.12 to 7.3. The text comes from a guest: lines that do not fit
 * are counted, and nothing is thrown.
 */
export function parsePtdump(text: string): Ptdump {
  const dump: Ptdump = { runs: [], markers: [], unreadable: [] };
  let number = 0;
  for (const line of lines(text)) {
    number++;
    if (line === '' || readLine(dump, line)) continue;
    if (dump.unreadable.length < 100) dump.unreadable.push(number);
  }
  return dump;
}

/** Yields lines one by one: a dump of single pages has millions, too many to keep twice. */
function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    // No line of the format is longer; the rest of a hostile line is ignored.
    const line = text.slice(start, Math.min(end, start + 400));
    // A console adds the carriage return; spaces belong to the columns.
    yield line.endsWith('\r') ? line.slice(0, -1) : line;
    start = end + 1;
  }
}

function readLine(dump: Ptdump, line: string): boolean {
  const name = marker.exec(line)?.[1];
  if (name !== undefined) {
    dump.markers.push({ name, before: dump.runs.length });
    return true;
  }
  const place = range.exec(line);
  if (place === null) return false;
  // The kernel's end address wraps to 0 at the end of the address space.
  const [start, end] = [BigInt(`0x${place[1]}`), BigInt(`0x${place[2]}`) || 2n ** 64n];
  const run: PtdumpRun = { start, end, level: place[3] as PtdumpLevel };
  const text = place[4] ?? '';
  if (text !== '') {
    const columns = flags.exec(text);
    if (columns === null) return false;
    run.attributes = readFlags(columns);
  }
  dump.runs.push(run);
  return true;
}

function readFlags(columns: RegExpExecArray): PtdumpAttributes {
  const [
    ,
    valid,
    user,
    access,
    pxn,
    shared,
    accessed,
    notGlobal,
    contiguous,
    block,
    uxn,
    guarded,
    memory,
  ] = columns;
  const set = (column = '') => column.trim() !== '';
  return {
    valid: valid === ' ',
    user: set(user),
    readOnly: access === 'ro',
    pxn: pxn === 'NX',
    shared: set(shared),
    accessed: set(accessed),
    notGlobal: set(notGlobal),
    contiguous: set(contiguous),
    block: set(block),
    uxn: set(uxn),
    guarded: set(guarded),
    ...(memory !== undefined && { memory }),
  };
}

/** A type that the kernel does not use: MAIR_EL1 has none at this index. */
const MT_UNUSED = 7;

const memoryNames = new Map([
  [PTE_ATTRINDX(MT_DEVICE_nGnRnE), 'DEVICE/nGnRnE'],
  [PTE_ATTRINDX(MT_DEVICE_nGnRE), 'DEVICE/nGnRE'],
  [PTE_ATTRINDX(MT_NORMAL_NC), 'MEM/NORMAL-NC'],
  [PTE_ATTRINDX(MT_NORMAL), 'MEM/NORMAL'],
  [PTE_ATTRINDX(MT_NORMAL_TAGGED), 'MEM/NORMAL-TAGGED'],
]);

/**
 * What the kernel's dump would say about a descriptor (pte_bits[] in arch/arm64/mm/ptdump.c). For
 * an entry that is not valid the `block` column differs between releases (6.12 looks at bit 1
 * alone), so compare it for valid entries only.
 */
export function ptdumpAttributes(descriptor: bigint): PtdumpAttributes {
  const set = (bits: bigint) => (descriptor & bits) === bits;
  const memory = memoryNames.get(descriptor & PTE_ATTRINDX_MASK);
  return {
    valid: set(PTE_VALID),
    user: set(PTE_USER),
    readOnly: set(PTE_RDONLY),
    pxn: set(PTE_PXN),
    shared: set(PTE_SHARED),
    accessed: set(PTE_AF),
    notGlobal: set(PTE_NG),
    contiguous: set(PTE_CONT),
    block: set(PTE_VALID) && !set(PMD_TABLE_BIT),
    uxn: set(PTE_UXN),
    guarded: set(PTE_GP),
    ...(memory !== undefined && { memory }),
  };
}

/**
 * A descriptor of which the kernel's dump says this, without its address: the inverse of
 * ptdumpAttributes(). What the dump does not show (PTE_WRITE, software bits) is 0.
 */
export function descriptorOf(attributes: PtdumpAttributes, level: Level): bigint {
  const { valid, user, readOnly, pxn, shared, accessed } = attributes;
  const { notGlobal, contiguous, uxn, guarded, memory } = attributes;
  const bits: [boolean, bigint][] = [
    [valid, PTE_VALID],
    [level === 3, PMD_TABLE_BIT],
    [user, PTE_USER],
    [readOnly, PTE_RDONLY],
    [pxn, PTE_PXN],
    [shared, PTE_SHARED],
    [accessed, PTE_AF],
    [notGlobal, PTE_NG],
    [contiguous, PTE_CONT],
    [uxn, PTE_UXN],
    [guarded, PTE_GP],
  ];
  const [index = PTE_ATTRINDX(MT_UNUSED)] =
    [...memoryNames].find(([, name]) => name === memory) ?? [];
  return bits.reduce((sum, [set, bit]) => (set ? sum | bit : sum), index);
}
