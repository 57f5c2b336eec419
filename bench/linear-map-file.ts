// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** A RAM file with the page tables of a linear map; addresses and sizes in bytes. */
export interface LinearMapFile {
  path: string;
  base: number;
  /** Physical address of the first table. */
  root: number;
  /** Number of leaves of the map, and of the runs that they form. */
  leaves: number;
  runs: number;
}

const GIB = 2 ** 30;
const PAGE = 4096;
const BASE = 0x4000_0000;
const TABLE = 3n;
/**
 * PAGE_KERNEL and PAGE_KERNEL_RO of an arm64 Linux without permission indirection: Normal memory,
 * UXN, PXN, shareable, AF.
 */
const WRITABLE = 0x0068_0000_0000_0f03n;
const READ_ONLY = 0x0060_0000_0000_0f83n;
/** Size of the kernel image, whose alias is read-only. */
const IMAGE = 32 * 2 ** 20;

/**
 * Writes a sparse RAM file with the 4K, 48-bit tables of a page-mapped linear map of `gibibytes`
 * GiB, laid out as by Linux: table pages are allocated from the top of memory downwards, in the
 * order of the mapping. Everything else stays a hole.
 */
export function writeLinearMap(path: string, gibibytes: number): LinearMapFile {
  const size = gibibytes * GIB;
  const file = openSync(path, 'w');
  try {
    ftruncateSync(file, size);
    let top = BASE + size;
    const allocate = () => {
      top -= PAGE;
      return top;
    };
    const write = (pa: number, words: BigUint64Array) => writeSync(file, words, 0, PAGE, pa - BASE);
    const root = allocate();
    const rootTable = new BigUint64Array(512);
    const upper = new BigUint64Array(512);
    const upperPa = allocate();
    rootTable[0] = BigInt(upperPa) | TABLE;
    for (let gib = 0; gib < gibibytes; gib++) {
      const middle = new BigUint64Array(512);
      const middlePa = allocate();
      upper[gib] = BigInt(middlePa) | TABLE;
      for (let index = 0; index < 512; index++) {
        const pa = allocate();
        middle[index] = BigInt(pa) | TABLE;
        write(pa, pageTable(BASE + gib * GIB + index * 512 * PAGE));
      }
      write(middlePa, middle);
    }
    write(upperPa, upper);
    write(root, rootTable);
    return { path, base: BASE, root, leaves: size / PAGE, runs: 2 };
  } finally {
    closeSync(file);
  }
}

function pageTable(first: number): BigUint64Array {
  const attributes = first < BASE + IMAGE ? READ_ONLY : WRITABLE;
  return BigUint64Array.from(
    { length: 512 },
    (_, index) => BigInt(first + index * PAGE) | attributes,
  );
}
