// SPDX-License-Identifier: GPL-2.0-only
import { descriptorLayouts, nextTable } from '../../src/vmsa/descriptor-layout.ts';
import type { Stage1Regime } from '../../src/vmsa/regime.ts';
import type { Level } from '../../src/vmsa/types.ts';
import type { RamReader } from '../../src/vmsa/walk.ts';
import { given } from '../given.ts';

interface Entry {
  level: Level;
  va: bigint;
  value: bigint;
}

/** Every entry of the member `descriptors` of an archive. */
function entriesOf(regime: Stage1Regime, lines: readonly string[]): Entry[] {
  const layouts = descriptorLayouts(regime);
  return lines.flatMap((line) => {
    const [level, ...rest] = line.split(' ');
    const [va = 0n, count = 0n, descriptor = 0n, stride = 0n] = rest.map((hex) =>
      BigInt(`0x${hex}`),
    );
    const size = 1n << BigInt(given(layouts.get(Number(level) as Level)).shift);
    return Array.from({ length: Number(count) }, (_, i) => ({
      level: Number(level) as Level,
      va: va + BigInt(i) * size,
      value: BigInt.asUintN(64, descriptor + BigInt(i) * stride),
    }));
  });
}

/**
 * The tables of an archive as if they lay in RAM, entry by entry, each at the address that the table
 * above it names.
 */
export function speltOutTables(regime: Stage1Regime, descriptors: string): RamReader {
  const [root, ...lines] = descriptors.trimEnd().split('\n');
  const layouts = descriptorLayouts(regime);
  const perTable = regime.granule / 8;
  const tables = new Map<number, Uint32Array>();
  /** Tables by their level and the address that they begin to translate. */
  const placed = new Map<string, Uint32Array>();
  const place = (level: number, va: bigint, pa: number, entries: number) => {
    const words = new Uint32Array(entries * 2);
    tables.set(pa, words);
    placed.set(`${level} ${va}`, words);
  };
  const [, pa, count] = given(root).split(' ');
  place(regime.startLevel, regime.base, Number(`0x${pa}`), Number(count));
  for (const { level, va, value } of entriesOf(regime, lines)) {
    const layout = given(layouts.get(level));
    const entries = level === regime.startLevel ? regime.rootEntries : perTable;
    const bytes = BigInt(entries) << BigInt(layout.shift);
    const start = va - ((va - regime.base) % bytes);
    const words = given(placed.get(`${level} ${start}`));
    const index = Number((va - start) >> BigInt(layout.shift));
    const [lo, hi] = [Number(value & 0xffffffffn), Number(value >> 32n)];
    words[index * 2] = lo;
    words[index * 2 + 1] = hi;
    if (level < 3 && (lo & 3) === 3) place(level + 1, va, nextTable(layout, lo, hi), perTable);
  }
  return {
    size: tables.size * regime.granule,
    table: (at, bytes) => {
      const words = tables.get(at);
      return words?.byteLength === bytes ? words : undefined;
    },
  };
}
