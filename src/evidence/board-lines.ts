// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';

/** Text from an archive that can be printed: short, and without a control character. */
export function printable(text: string, most = 60): string {
  const safe = text.replaceAll(/[^ -~]/g, '?');
  return safe.length <= most ? safe : `${safe.slice(0, most)}…`;
}

/** What is wrong with an archive, as an error for the user. */
export function damagedBoard(what: string): PtdiffError {
  return new PtdiffError('usage', `The archive is damaged: ${what}; collect it again.`);
}

/** What is wrong with an archive, with the name of its file. */
export function inArchive(path: string, error: PtdiffError): PtdiffError {
  return new PtdiffError('usage', `${path}: ${error.message}`, { cause: error });
}

/** The fields of one line, and what to say where one is not as it must be. */
export class BoardLine {
  readonly fields: readonly string[];
  readonly #member: string;
  readonly #number: number;

  constructor(member: string, number: number, text: string) {
    this.fields = text.split(' ');
    this.#member = member;
    this.#number = number;
  }

  /** @throws PtdiffError(usage) */
  fail(why: string): never {
    const text = printable(this.fields.join(' '));
    throw damagedBoard(`line ${this.#number} of ${this.#member}, '${text}', ${why}`);
  }

  /** A field as it is. */
  text(index: number): string {
    return this.fields[index] ?? this.fail('lacks a field');
  }

  /** A field of 1 to 16 hexadecimal digits. */
  hex(index: number): bigint {
    const field = this.text(index);
    if (!/^[0-9a-f]{1,16}$/.test(field))
      this.fail(`has no hexadecimal number as field ${index + 1}`);
    return BigInt(`0x${field}`);
  }

  /** The same where a number is exact: addresses and sizes of physical memory. */
  physical(index: number): number {
    const value = this.hex(index);
    return value < 2n ** 52n ? Number(value) : this.fail('has a physical address beyond 52 bits');
  }

  /** A decimal number from `least` to `most`. */
  decimal(index: number, least: number, most: number): number {
    const field = this.text(index);
    const value = Number(field);
    if (!/^-?\d{1,15}$/.test(field) || value < least || value > most)
      this.fail(`has no number from ${least} to ${most} as field ${index + 1}`);
    return value;
  }

  /** One of some words. */
  word<Word extends string>(index: number, words: readonly Word[]): Word {
    const field = this.text(index);
    return words.find((word) => word === field) ?? this.fail(`must have ${words.join(' or ')}`);
  }

  /** @throws PtdiffError(usage) where there are more fields, or fewer */
  count(fields: number): void {
    if (this.fields.length !== fields) this.fail(`has ${this.fields.length} fields, not ${fields}`);
  }
}

/**
 * The lines of a member that is one fact per line.
 * @param most lines
 * @throws PtdiffError(usage) where it is no such text
 */
export function* boardLines(member: string, bytes: Uint8Array, most: number): Generator<BoardLine> {
  if (bytes.length === 0) return;
  let number = 0;
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(10, start);
    number++;
    if (end < 0) throw damagedBoard(`line ${number} of ${member} has no end`);
    if (number > most) throw damagedBoard(`${member} has more than ${most} lines`);
    // Longer ones are read by nothing, and a line of a CPU has the longest.
    if (end - start > 8192) throw damagedBoard(`line ${number} of ${member} is too long`);
    const text = String.fromCharCode(...bytes.subarray(start, end));
    if (!/^[ -~]*$/.test(text)) throw damagedBoard(`line ${number} of ${member} is not ASCII`);
    yield new BoardLine(member, number, text);
    start = end + 1;
  }
}
