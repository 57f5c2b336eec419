// SPDX-License-Identifier: GPL-2.0-only
import type { Stage1Regime } from '../../src/vmsa/regime.ts';
import type { Level } from '../../src/vmsa/types.ts';
import type { RamReader } from '../../src/vmsa/walk.ts';
import type { DescriptorRun } from '../../src/vmsa/walk-runs.ts';

/** An entry with a value that is not 0, and its place from the base of the half. */
interface Found {
  offset: number;
  value: bigint;
}

/**
 * The entries of every table that can be reached, as the runs of an archive of `collect`: greedy, so
 * that any two neighbours are a run of two whatever their values are.
 */
export function runsOf(regime: Stage1Regime, ram: RamReader): DescriptorRun[] {
  const pageShift = Math.log2(regime.granule);
  const shiftOf = (level: number) => pageShift + (pageShift - 3) * (3 - level);
  const found = new Map<number, Found[]>();
  const visit = (pa: number, level: number, entries: number, offset: number, path: number[]) => {
    const table = { pa, level: level as Level, entries, offset, inherited: 0 };
    const words = ram.table(pa, entries * 8, table)?.slice();
    if (words === undefined) return;
    const list = found.get(level) ?? [];
    found.set(level, list);
    for (let index = 0; index < entries; index++) {
      const low = words[2 * index] ?? 0;
      const high = words[2 * index + 1] ?? 0;
      if (low === 0 && high === 0) continue;
      const value = (BigInt(high) << 32n) | BigInt(low);
      const at = offset + index * 2 ** shiftOf(level);
      list.push({ offset: at, value });
      const next = nextTable(regime, value);
      if (level === 3 || (value & 3n) !== 3n || [...path, pa].includes(next)) continue;
      visit(next, level + 1, regime.granule / 8, at, [...path, pa]);
    }
  };
  visit(regime.rootPa, regime.startLevel, regime.rootEntries, 0, []);
  return [...found]
    .sort(([a], [b]) => a - b)
    .flatMap(([level, list]) => fold(regime, level as Level, 2 ** shiftOf(level), list));
}

function nextTable({ granule, lpa2, outputBits }: Stage1Regime, value: bigint): number {
  const top = lpa2 ? 50n : 48n;
  const low = value & (2n ** top - 1n) & ~BigInt(granule - 1);
  if (lpa2) return Number(low | (((value >> 8n) & 3n) << 50n));
  return Number(
    granule === 65536 && outputBits === 52 ? low | (((value >> 12n) & 15n) << 48n) : low,
  );
}

function fold(
  { base }: Stage1Regime,
  level: Level,
  size: number,
  list: readonly Found[],
): DescriptorRun[] {
  const runs: DescriptorRun[] = [];
  const sorted = [...list].sort((a, b) => a.offset - b.offset);
  for (const { offset, value } of sorted) {
    const last = runs.at(-1);
    const va = base + BigInt(offset);
    if (last && va === last.va + BigInt(last.count * size)) {
      const before = last.descriptor + last.stride * BigInt(last.count - 1);
      const stride = BigInt.asUintN(64, value - before);
      if (last.count === 1) last.stride = stride;
      if (last.stride === stride) {
        last.count++;
        continue;
      }
    }
    runs.push({ level, va, count: 1, descriptor: value, stride: 0n });
  }
  return runs;
}
