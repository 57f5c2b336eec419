// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { given } from '../given.ts';

/** Flips the lowest bit of a file's byte, in place: size and name stay. */
export function flipBit(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  byte[0] = given(byte[0]) ^ 1;
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
}
