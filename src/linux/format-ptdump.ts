// SPDX-License-Identifier: GPL-2.0-only
import { bit, field } from '../vmsa/bits.ts';
import { memoryType } from '../vmsa/memory-type.ts';
import { type Access, permissions } from '../vmsa/permissions.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { LeafRun, Level, Malformed, WalkResult } from '../vmsa/types.ts';
import type { KernelRegion } from './kernel-regions.ts';
import { linearMapSizes } from './leaf-kind.ts';

/** Linux's names for the levels. */
const levelNames: Record<Level, string> = { '-1': 'PGD', 0: 'P4D', 1: 'PUD', 2: 'PMD', 3: 'PTE' };

/**
 * Prints a walk like the kernel's ptdump, line by line without newlines. It adds what ptdump leaves
 * out: physical addresses, contiguous groups by name, effective permissions per exception level,
 * malformed entries and a summary. Regions are in ascending order; regions with no mapping are left
 * out.
 *
 * Permissions read `rwx`, with `d` for a page that hardware makes writable at the first write and
 * `g` for a guarded control stack.
 */
export function* formatPtdump(
  regime: Stage1Regime,
  result: WalkResult,
  regions: KernelRegion[] = [],
): Generator<string> {
  if (regime.notWalked !== undefined) yield `Not walked: ${regime.notWalked}`;
  const ahead = [...regions];
  let end: bigint | undefined;
  for (const item of merge(result)) {
    let entered: KernelRegion | undefined;
    while (ahead[0] && ahead[0].start <= item.va) entered = ahead.shift();
    if (entered) yield `---[ ${entered.name} ]---`;
    else if (end !== undefined && item.va > end) yield holeLine(end, item.va);
    yield 'reason' in item ? malformedLine(item) : leafLine(regime, item);
    const itemEnd = 'reason' in item ? item.va : item.va + BigInt(item.size);
    if (end === undefined || itemEnd > end) end = itemEnd;
  }
  yield* summary(regime, result);
}

/**
 * Leaves and malformed entries in ascending address; a malformed entry comes before the leaf at the
 * same address.
 */
function* merge(result: WalkResult): Generator<LeafRun | Malformed> {
  let next = 0;
  for (const run of result.leaves) {
    for (
      let fault = result.malformed[next];
      fault && fault.va <= run.va;
      fault = result.malformed[++next]
    )
      yield fault;
    yield run;
  }
  yield* result.malformed.slice(next);
}

function leafLine(regime: Stage1Regime, run: LeafRun): string {
  const pa = `pa 0x${run.pa.toString(16).padStart(12, '0')}`;
  return `${placeText(run)} ${levelText(run)} ${pa} ${attributesText(regime, run)}`;
}

/** Address and size of a run of leaves, as the kernel prints them. */
export function placeText({ va, size }: Pick<LeafRun, 'va' | 'size'>): string {
  return `${rangeText(va, va + BigInt(size))}   ${sizeText(BigInt(size)).padStart(10)}`;
}

/** Linux's name for the kind of a leaf, at least eight columns wide. */
export function levelText({ contiguous, level }: Pick<LeafRun, 'contiguous' | 'level'>): string {
  return `${contiguous ? 'CONT ' : ''}${levelNames[level]}`.padEnd(8);
}

/** Permissions of EL1 and EL0, flags and memory type of a leaf. */
export function attributesText(regime: Stage1Regime, run: LeafRun): string {
  const { el1, el0 } = permissions(regime, run);
  const access = run.valid ? `${accessText(el1)} ${accessText(el0)}` : 'INVALID';
  return [access, flagsText(regime, run.attributes), memoryType(regime, run.attributes).name].join(
    ' ',
  );
}

/**
 * Access rights as 'rwx' letters: 'd' where hardware makes the page writable at the first write, 'g'
 * for a guarded control stack.
 */
export function accessText(access: Access): string {
  const write = access.write
    ? 'w'
    : access.writeAfterDirty
      ? 'd'
      : access.guardedControlStack
        ? 'g'
        : '-';
  return `${access.read ? 'r' : '-'}${write}${access.execute ? 'x' : '-'}`;
}

const shareabilities = ['NSH', 'SH?', 'OSH', 'ISH'];

/**
 * Bits that permissions and memory type do not show: shareability, access flag, nG, guarded page.
 */
function flagsText(regime: Stage1Regime, attributes: bigint): string {
  // With LPA2 the field is part of the address, and TCR_EL1.SH1 applies to every leaf.
  const shareability = regime.lpa2 ? '   ' : shareabilities[field(attributes, 8, 2)];
  const flag = (position: number, name: string) =>
    bit(attributes, position) ? name : ' '.repeat(name.length);
  return `${shareability} ${flag(10, 'AF')} ${flag(11, 'NG')} ${flag(50, 'GP')}`;
}

function malformedLine(entry: Malformed): string {
  const at = entry.at === undefined ? '' : ` at pa 0x${entry.at.toString(16)}`;
  const what = `level ${entry.level}${at}, 0x${entry.descriptor.toString(16).padStart(16, '0')}`;
  return `!! ${addressText(entry.va)} ${what}: ${entry.reason}`;
}

function holeLine(start: bigint, end: bigint): string {
  return `${rangeText(start, end)}   ${sizeText(end - start).padStart(10)} hole`;
}

function* summary(regime: Stage1Regime, result: WalkResult): Generator<string> {
  const kinds = Object.entries(linearMapSizes(result.leaves)).filter(([, bytes]) => bytes > 0);
  const mapped = kinds.map(([kind, bytes]) => `${kind} ${sizeText(BigInt(bytes))}`).join(', ');
  const counts = `${result.leaves.length} runs, ${result.tables.length} tables, ${result.malformed.length} malformed`;
  yield `${regime.granule / 1024}K granule, ${regime.inputBits}-bit addresses: ${counts}; ${mapped || 'nothing mapped'}`;
}

function rangeText(start: bigint, end: bigint): string {
  return `${addressText(start)}-${addressText(end)}`;
}

/** Sixteen digits; 2^64 wraps to 0, as in the kernel's own dump. */
function addressText(va: bigint): string {
  return `0x${BigInt.asUintN(64, va).toString(16).padStart(16, '0')}`;
}

/** The largest unit that divides the size, as the kernel prints it. */
function sizeText(bytes: bigint): string {
  const units = 'KMGTPE';
  let unit = 0;
  let size = bytes >> 10n;
  while (size % 1024n === 0n && size > 0n && unit < units.length - 1) {
    size >>= 10n;
    unit++;
  }
  return `${size}${units[unit]}`;
}
