// SPDX-License-Identifier: GPL-2.0-only
/** One call of a function of the kernel, on tables of 39 bits as a recording has them. */
import { RecordedMap } from '../../src/diff/refinement/recorded-map.ts';
import type { RecordedTable } from '../../src/evidence/recording-reader.ts';
import { geometryOf } from '../../src/linux/geometry.ts';
import { _PAGE_OFFSET, vmemmapStart } from '../../src/linux/kernel-layout.ts';
import {
  PTE_AF,
  PTE_PXN,
  PTE_TYPE_PAGE,
  PTE_UXN,
  PTE_WRITE,
  TABLE_TYPE,
} from '../../src/linux/pgprot.ts';
import { structPageBytes } from '../../src/linux/struct-page.ts';
import { type SplitTime, whenFinal } from '../../src/model/arch/arm64/mm/mmu-split.ts';
import { TABLE } from '../../src/model/linear-map.ts';
import type { OperationState, Registers } from '../../src/model/operation.ts';
import { operations } from '../../src/model/operations.ts';
import { predict, stateInOperation } from '../../src/model/predict.ts';
import type { Decisions } from '../../src/model/types.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import { given } from '../given.ts';
import { questionOfGolden, readGolden } from './golden.ts';

export const PAGE = 0x1000n;
/** include/uapi/asm-generic/errno-base.h. */
export const [EBUSY, EINVAL] = [16, 22];
/** Where the linear map begins, and what its first page maps. */
export const LINEAR = 2n ** 64n - 2n ** 39n;
export const RAM = 0x4000_0000n;
/** An area of vmalloc(): a guard page, these three, a guard page. */
export const AREA = LINEAR + 2n ** 38n + PAGE;
/** arch/arm64/include/asm/fixmap.h: behind slot 1. */
export const FIXADDR_TOP = 2n ** 64n - 2n ** 23n;
const areaFrames = [5n, 3n, 9n];
export const pageKernel = PTE_TYPE_PAGE | PTE_AF | PTE_PXN | PTE_UXN | PTE_WRITE;
export const pageKernelExec = pageKernel & ~PTE_PXN;

/** A table of the recording by its entries. */
export function table(id: number, level: number, entries: Record<number, bigint>): RecordedTable {
  const words = new Uint32Array(1024);
  const view = new DataView(words.buffer);
  for (const [index, entry] of Object.entries(entries))
    view.setBigUint64(8 * Number(index), entry, true);
  return { id, pa: id * Number(PAGE), level, upper: true, words };
}

export const below = (id: number): bigint => (BigInt(id) * PAGE) | TABLE_TYPE;

/** Three levels of tables with 16 pages of the linear map, the area, and slot 2 of the fixmap. */
export function recordedTables(): RecordedTable[] {
  const linear = Array.from({ length: 16 }, (_, page) => (RAM + BigInt(page) * PAGE) | pageKernel);
  const area = areaFrames.map((frame) => (RAM + frame * PAGE) | pageKernelExec);
  return [
    table(1, 1, { 0: below(2), 256: below(3), 511: below(6) }),
    table(2, 2, { 0: below(4) }),
    table(3, 2, { 0: below(5) }),
    table(4, 3, { ...linear }),
    table(5, 3, { 1: given(area[0]), 2: given(area[1]), 3: given(area[2]) }),
    table(6, 2, { 507: below(7) }),
    table(7, 3, { 510: (RAM + 7n * PAGE) | pageKernel }),
  ];
}

const regime = stage1Regime(
  {
    TTBR0_EL1: 0n,
    TTBR1_EL1: PAGE,
    // T1SZ for 39 bits, pages of 4K, output addresses of 48 bits.
    TCR_EL1: (25n << 16n) | (2n << 30n) | (5n << 32n),
    MAIR_EL1: 0xffn,
    SCTLR_EL1: 1n,
  },
  'ttbr1',
);

/** One page of the linear map, of the area, or of the fixmap, by its number there. */
function placeOf(va: bigint): string {
  if (va > FIXADDR_TOP - 512n * PAGE) return `fixmap ${(FIXADDR_TOP - va) / PAGE}`;
  return va < AREA - PAGE ? `linear ${(va - LINEAR) / PAGE}` : `area ${(va - AREA) / PAGE}`;
}

/** A kernel that has booted, and its name. */
export function booted(golden: string) {
  const question = questionOfGolden(readGolden(`${golden}.json.gz`));
  return { golden, state: stateInOperation(question, predict(question).decisions) };
}

export interface Booted extends ReturnType<typeof booted> {
  bti?: boolean;
  /** Absent: recordedTables(). */
  tables?: () => RecordedTable[];
  /** Absent: it has booted. */
  time?: SplitTime;
}

/** What one call does to these tables, and what it returns. */
export function run(kernel: Booted, name: string, args: readonly bigint[]) {
  const tables = (kernel.tables ?? recordedTables)();
  const source = {
    ...{ geometry: geometryOf(4096), regime, physBase: Number(RAM), aliasBit: 0 },
    tableAt: (pa: number) => tables.find((each) => each.pa === pa),
  };
  const map = new RecordedMap(source, given(tables[0]));
  const state: OperationState = {
    ...kernel.state,
    ...{ map, time: kernel.time ?? whenFinal, cpu: 0 },
    bti: kernel.bti ?? false,
  };
  return { map, ...map.predict(given(operations[name]), state, args as Registers) };
}

/** The same: a line a step, and what it returns. */
export function call(kernel: Booted, name: string, ...args: bigint[]) {
  const { steps, answer } = run(kernel, name, args);
  const lines = steps.map((step) => {
    if (!step.flush) {
      const offset = step.table.offset + step.index * step.table.entrySize;
      const kind = step.code === TABLE ? 'entry' : 'page';
      return `${step.link ? 'table' : kind} ${placeOf(LINEAR + BigInt(offset))}`;
    }
    const { start, end } = step.flush;
    return `flush ${placeOf(LINEAR + BigInt(start))} to ${placeOf(LINEAR + BigInt(end))}`;
  });
  return { lines, answer };
}

/** The attributes of each leaf that it stores; undefined for an entry that it clears. */
export function stored(kernel: Booted, name: string, ...args: bigint[]): (bigint | undefined)[] {
  const { steps, map } = run(kernel, name, args);
  const codes = steps.flatMap((step) => (step.flush || step.link ? [] : [step.code]));
  return codes.map((code) => (map.isLeaf(code) ? map.attributes(code) : undefined));
}

/** The struct page of a page of the linear map. */
export function structPage({ state: { traits } }: Booted, page: bigint): bigint {
  const { config, geometry } = traits;
  const first = (LINEAR - _PAGE_OFFSET(config.vaBits)) / PAGE;
  return vmemmapStart(config.vaBits, geometry) + (first + page) * BigInt(structPageBytes);
}

/** The same kernel, which has decided something else. */
export const deciding = (kernel: Booted, decisions: Partial<Decisions>): Booted => ({
  ...kernel,
  state: { ...kernel.state, decisions: { ...kernel.state.decisions, ...decisions } },
});

export const until617 = booted('6.12.107+deb13-arm64@cortex-a76');
export const newest = booted('7.3.4+deb13-arm64@cortex-a76+kaslr');
