// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { RecordedMap } from '../../src/diff/refinement/recorded-map.ts';
import type { RecordedTable } from '../../src/evidence/recording-reader.ts';
import { geometryOf } from '../../src/linux/geometry.ts';
import { vmemmapStart } from '../../src/linux/kernel-layout.ts';
import {
  PMD_TABLE_BIT,
  PTE_AF,
  PTE_CONT,
  PTE_GP,
  PTE_PXN,
  PTE_RDONLY,
  PTE_TYPE_PAGE,
  PTE_UXN,
  PTE_WRITE,
  TABLE_TYPE,
} from '../../src/linux/pgprot.ts';
import { structPageBytes } from '../../src/linux/struct-page.ts';
import { PredictedBug } from '../../src/model/bug.ts';
import { TABLE } from '../../src/model/linear-map.ts';
import type { OperationState } from '../../src/model/operation.ts';
import { operations } from '../../src/model/operations.ts';
import { predict, stateInOperation } from '../../src/model/predict.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import { given } from '../given.ts';
import { questionOfGolden, readGolden } from './golden.ts';

const PAGE = 0x1000n;
const EINVAL = 22;
/** Where the linear map begins, and what its first page maps. */
const LINEAR = 2n ** 64n - 2n ** 39n;
const RAM = 0x4000_0000n;
/** An area of vmalloc(): a guard page, these three, a guard page. */
const AREA = LINEAR + 2n ** 38n + PAGE;
/** arch/arm64/include/asm/fixmap.h: behind slot 1. */
const FIXADDR_TOP = 2n ** 64n - 2n ** 23n;
const areaFrames = [5n, 3n, 9n];
const pageKernel = PTE_TYPE_PAGE | PTE_AF | PTE_PXN | PTE_UXN | PTE_WRITE;
const pageKernelExec = pageKernel & ~PTE_PXN;

/** A table of the recording by its entries. */
function table(id: number, level: number, entries: Record<number, bigint>): RecordedTable {
  const words = new Uint32Array(1024);
  const view = new DataView(words.buffer);
  for (const [index, entry] of Object.entries(entries))
    view.setBigUint64(8 * Number(index), entry, true);
  return { id, pa: id * Number(PAGE), level, upper: true, words };
}

const below = (id: number): bigint => (BigInt(id) * PAGE) | TABLE_TYPE;

/** Three levels of tables with 16 pages of the linear map, the area, and slot 2 of the fixmap. */
function recordedTables(): RecordedTable[] {
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
function booted(golden: string) {
  const question = questionOfGolden(readGolden(`${golden}.json.gz`));
  return { golden, state: stateInOperation(question, predict(question).decisions) };
}

type Booted = ReturnType<typeof booted> & { bti?: boolean };

/** What one call does to these tables, and what it returns. */
function run(kernel: Booted, name: string, args: readonly bigint[]) {
  const tables = recordedTables();
  const source = {
    ...{ geometry: geometryOf(4096), regime, physBase: Number(RAM), aliasBit: 0 },
    tableAt: (pa: number) => tables.find((each) => each.pa === pa),
  };
  const map = new RecordedMap(source, given(tables[0]));
  const state: OperationState = {
    ...kernel.state,
    ...{ map, time: { capabilitiesFinal: true, onlineCpus: 1 }, cpu: 0 },
    bti: kernel.bti ?? false,
  };
  return { map, ...map.predict(given(operations[name]), state, args) };
}

/** The same: a line a step, and what it returns. */
function call(kernel: Booted, name: string, ...args: bigint[]) {
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
function stored(kernel: Booted, name: string, ...args: bigint[]): (bigint | undefined)[] {
  const { steps, map } = run(kernel, name, args);
  const codes = steps.flatMap((step) => (step.flush || step.link ? [] : [step.code]));
  return codes.map((code) => (map.isLeaf(code) ? map.attributes(code) : undefined));
}

const until617 = booted('6.12.107+deb13-arm64@cortex-a76');
const wholeArea = booted('6.18.15+deb13-arm64@cortex-a76+kaslr');
const newest = booted('7.3.4+deb13-arm64@cortex-a76+kaslr');

t.test(
  'set_memory_ro() on one page of an area: since 6.19 only its own alias follows',
  async (t) => {
    const own = ['page area 1', 'flush area 1 to area 2'];
    const aliasOf = (frame: number) => [
      `page linear ${frame}`,
      `flush linear ${frame} to linear ${frame + 1}`,
    ];
    t.same(call(newest, 'set_memory_ro', AREA + PAGE, 1n), {
      lines: [...aliasOf(3), ...own],
      answer: 0,
    });
    t.same(
      call(wholeArea, 'set_memory_ro', AREA + PAGE, 1n),
      { lines: [...aliasOf(5), ...aliasOf(3), ...aliasOf(9), ...own], answer: 0 },
      'before, those of all of its pages do',
    );
  },
);

t.test('a TLB must forget what it may hold: all but what was invalid', async (t) => {
  for (const kernel of [wholeArea, newest])
    t.same(
      call(kernel, 'set_memory_nx', AREA, 2n).lines,
      ['page area 0', 'page area 1', 'flush area 0 to area 2'],
      `${kernel.golden}: a page that was executable`,
    );
  t.same(call(newest, 'set_memory_valid', AREA, 1n, 0n).lines, [
    'page area 0',
    'flush area 0 to area 1',
  ]);
  t.same(
    call(newest, 'set_memory_valid', AREA, 1n, 1n).lines,
    ['page area 0'],
    'what becomes valid is in no TLB',
  );
});

t.test('update_mapping_prot() flushes what it changed', async (t) => {
  const readOnly = (pageKernel & ~PTE_WRITE) | PTE_RDONLY;
  const args = [RAM + 2n * PAGE, LINEAR + 2n * PAGE, 2n * PAGE, readOnly];
  for (const kernel of [until617, newest])
    t.same(
      call(kernel, 'update_mapping_prot', ...args),
      {
        lines: ['page linear 2', 'page linear 3', 'flush linear 2 to linear 4'],
        answer: undefined,
      },
      kernel.golden,
    );
});

t.test('__create_pgd_mapping(): what it allocates, refuses and returns', async (t) => {
  const create = (kernel: Booted, phys: bigint, virt: bigint, alloc: bigint) =>
    call(kernel, '__create_pgd_mapping', LINEAR, phys, virt, PAGE, pageKernel, alloc, 0n);
  const [mapped, allocator] = [LINEAR + 20n * PAGE, 0xffff_8000_8000_0000n];
  const phys = RAM + 20n * PAGE;
  t.same(create(newest, phys, mapped, 0n), { lines: ['page linear 20'], answer: 0 });
  t.same(
    create(until617, phys, mapped, 0n),
    { lines: ['page linear 20'], answer: undefined },
    'up to 6.17 it returns nothing',
  );
  t.same(
    create(newest, phys + 1n, mapped, 0n),
    { lines: [], answer: -EINVAL },
    'addresses with other offsets in their pages cannot be mapped to each other',
  );
  t.same(create(until617, phys + 1n, mapped, 0n), { lines: [], answer: undefined });
  const beyond = LINEAR + 512n * PAGE;
  t.same(create(newest, phys, beyond, allocator), {
    lines: ['table linear 512', 'page linear 512'],
    answer: 0,
  });
  t.throws(
    () => create(newest, phys, beyond, 0n),
    new PredictedBug('BUG_ON(!pgtable_alloc) in alloc_init_cont_pte()'),
    'without an allocator a missing table is a bug',
  );
});

t.test(
  'create_mapping_noalloc() makes contiguous leaves since 7.2: NO_CONT_MAPPINGS before',
  async (t) => {
    // The rest of the table that the linear map's first pages are in.
    const args = [RAM + 16n * PAGE, LINEAR + 16n * PAGE, 16n * PAGE, pageKernel];
    const pages = (attributes: bigint) => Array.from({ length: 16 }, () => attributes);
    t.same(stored(newest, 'create_mapping_noalloc', ...args), pages(pageKernel | PTE_CONT));
    t.same(stored(until617, 'create_mapping_noalloc', ...args), pages(pageKernel));
    t.same(
      stored(newest, 'create_mapping_noalloc', RAM, LINEAR + 512n * PAGE, 512n * PAGE, pageKernel),
      [pageKernel & ~PMD_TABLE_BIT],
      'a block needs no table',
    );
    t.throws(
      () => call(newest, 'create_mapping_noalloc', RAM, LINEAR + 512n * PAGE, PAGE, pageKernel),
      new PredictedBug('BUG_ON(!pgtable_alloc) in alloc_init_cont_pte()'),
      'its tables must be there',
    );
  },
);

t.test('__set_fixmap(): a slot gets a page at once, and loses it with a flush', async (t) => {
  const device = 0x0900_0000n;
  t.same(call(newest, '__set_fixmap', 1n, device, pageKernel).lines, ['page fixmap 1']);
  t.same(stored(newest, '__set_fixmap', 1n, device, pageKernel), [pageKernel]);
  const { physBase } = run(newest, '__set_fixmap', [1n, device + 0x234n, pageKernel]);
  t.equal(
    BigInt(physBase) + (FIXADDR_TOP - PAGE - LINEAR),
    device,
    "the page's address, whatever the offset in it",
  );
  for (const clear of [[2n, 0n, 0n], [2n]]) {
    t.same(call(newest, '__set_fixmap', ...clear).lines, [
      'page fixmap 2',
      'flush fixmap 2 to fixmap 1',
    ]);
    t.same(stored(newest, '__set_fixmap', ...clear), [undefined]);
  }
});

t.test('PTE_MAYBE_GP: code is guarded where the kernel uses BTI, and nowhere else', async (t) => {
  const guarded = { ...newest, bti: true };
  t.same(stored(newest, 'set_memory_x', LINEAR, 1n), [pageKernelExec]);
  t.same(stored(guarded, 'set_memory_x', LINEAR, 1n), [pageKernelExec | PTE_GP]);
  t.same(stored(newest, 'set_memory_nx', AREA, 1n), [pageKernel]);
});

t.test('the direct map stays as it is where can_set_direct_map() says no', async (t) => {
  const { state, golden } = booted('7.3.4-4k39@neoverse-v3-r0p2+8g');
  const { config, geometry } = state.traits;
  const page = vmemmapStart(config.vaBits, geometry) + 3n * BigInt(structPageBytes);
  t.same(call({ state, golden }, 'set_direct_map_invalid_noflush', page), {
    lines: ['page linear 3'],
    answer: 0,
  });
  const decisions = { ...state.decisions, rodataFull: false, kfenceEarlyInit: true };
  const unable = { state: { ...state, decisions }, golden };
  t.same(call(unable, 'set_direct_map_invalid_noflush', page), { lines: [], answer: 0 });
});

t.test(
  '__kpti_install_ng_mappings() rewrites each entry, those that lead to tables, too',
  async (t) => {
    const { lines } = call(newest, '__kpti_install_ng_mappings', 0n);
    const pages = Array.from({ length: 16 }, (_, page) => `page linear ${page}`);
    t.same(
      lines.slice(0, 23),
      [
        ...['entry linear 0', 'entry linear 0', ...pages],
        ...['entry area -1', 'entry area -1', 'page area 0', 'page area 1', 'page area 2'],
      ],
      'an entry, then what is below',
    );
    t.equal(lines.length, 26, 'and the page of the fixmap with its two tables');
  },
);
