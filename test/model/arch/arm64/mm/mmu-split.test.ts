// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { KernelTraits } from '../../../../../src/linux/kernel-traits.ts';
import {
  PTE_CONT,
  PTE_NG,
  PTE_PRESENT_INVALID,
  PTE_PXN,
  PTE_TYPE_PAGE,
  PTE_VALID,
  TABLE_PXN,
} from '../../../../../src/linux/pgprot.ts';
import type { PhysicalRange } from '../../../../../src/linux/physical-range.ts';
import { __create_pgd_mapping } from '../../../../../src/model/arch/arm64/mm/mmu-create.ts';
import {
  linear_map_split_to_ptes,
  range_split_to_ptes,
  split_kernel_leaf_mapping,
  split_kernel_leaf_mapping_locked,
  split_leaf_mapping_possible,
  whenFinal,
} from '../../../../../src/model/arch/arm64/mm/mmu-split.ts';
import { leafRuns } from '../../../../../src/model/leaf-runs.ts';
import { LinearMap, NONE } from '../../../../../src/model/linear-map.ts';
import { predict, stateInOperation } from '../../../../../src/model/predict.ts';
import { given } from '../../../../given.ts';
import { differences, questionOfGolden, readGolden } from '../../../golden.ts';

const name = '7.1.13+deb13-arm64@monitor+neoverse-v3-r0p2+then-max';

t.test(
  'a model that is wrong about who repaints is found out right behind the repaint',
  async (t) => {
    const golden = readGolden(`${name}.json.gz`);
    t.same(differences(golden), [], 'the recorded boot repainted, as its CPUs ask for');
    const { facts } = golden.question;
    golden.question.facts = {
      ...facts,
      idRegisters: facts.idRegisters.map(() => given(facts.idRegisters[0])),
    };
    const found = differences(golden).filter((line) => !line.includes('register'));
    t.notOk(
      found.some((line) => line.includes('before_split')),
      'until then all CPUs seemed alike',
    );
    t.ok(found.some((line) => line.startsWith('after_split: leaf')));
    t.ok(found.includes('mismatch/tables/unexpected@after_split'));
  },
);

t.test(
  'the tables around linear_map_maybe_split_to_ptes() are predicted for every kernel that has it',
  async (t) => {
    const { checkpoints } = predict(
      questionOfGolden(readGolden('7.3.4+deb13-arm64@neoverse-v3-r0p2+8g.json.gz')),
    );
    t.same(Object.keys(checkpoints), [
      'paging_init',
      'before_split',
      'after_split',
      'smp_cpus_done',
      'free_initmem',
      'init',
    ]);
    t.same(
      checkpoints.after_split?.leaves,
      checkpoints.before_split?.leaves,
      'CPUs that are alike keep their blocks',
    );
    const old = predict(
      questionOfGolden(readGolden('6.12.107+deb13-arm64@cortex-a76+kaslr.json.gz')),
    );
    t.same(Object.keys(old.checkpoints), ['paging_init', 'smp_cpus_done', 'free_initmem', 'init']);
  },
);

const GIB = 2 ** 30;
const kernelHalf = 2 ** 39;
const start = 2n ** 64n - BigInt(kernelHalf);

/** A map of 39 bits that notes what is flushed. */
class NotedMap extends LinearMap {
  readonly flushed: [start: number, end: number][] = [];

  override flush(start: number, end: number): void {
    this.flushed.push([start, end]);
  }
}

/** Of a kernel that may split, with one block of a GiB at this offset. */
function withBlock(offset: number, kfencePool?: PhysicalRange, prot = PTE_TYPE_PAGE) {
  const question = questionOfGolden(readGolden('7.3.4-4k39@neoverse-v3-r0p2+8g.json.gz'));
  const { traits } = question;
  const physBase = 4 * GIB;
  const map = new NotedMap(traits.geometry, 39, start, physBase);
  const pa = physBase + offset;
  __create_pgd_mapping(map, traits, pa, pa + GIB, prot, 0, true);
  const { decisions } = predict(question);
  return {
    ...stateInOperation(question, decisions),
    map,
    pa,
    ...(kfencePool && { kfencePool }),
  };
}

/** What the model answers for a page at this offset, and whether it splits. */
function ask(state: ReturnType<typeof withBlock>, offset: number) {
  const before = leafRuns(state.map, []).length;
  const va = start + BigInt(offset);
  const answer = split_kernel_leaf_mapping(state, va, va + 4096n);
  return { answer, splits: leafRuns(state.map, []).length > before };
}

const splits = { answer: 0, splits: true };
const nothing = { answer: 0, splits: false };

t.test("a page can be split off anywhere in the kernel's half of the addresses", async (t) => {
  const last = kernelHalf - 4096;
  t.same(ask(withBlock(kernelHalf - GIB), last), splits, 'the last one, too');
  t.same(ask(withBlock(0), 4096), splits);
});

t.test('a whole block is not split, nor what is not mapped', async (t) => {
  const state = withBlock(GIB);
  const va = start + BigInt(GIB);
  t.equal(split_kernel_leaf_mapping(state, va, va + BigInt(GIB)), 0);
  t.equal(leafRuns(state.map, [])[0]?.level, 1);
  const pa = state.map.physBase + 3 * GIB;
  __create_pgd_mapping(state.map, state.traits, pa, pa + 2 ** 21, PTE_TYPE_PAGE, 0, true);
  t.same(ask(state, 3 * GIB + 2 ** 22 + 4096), nothing, 'beside a block that is mapped');
});

t.test('a page of the KFENCE pool is never split off: is_kfence_address()', async (t) => {
  const { pa } = withBlock(GIB);
  // Odd pages, which are no boundary yet.
  const pool = { start: pa + 0x30_1000, end: pa + 0x33_3000 };
  const inside = (offset: number) => ask(withBlock(GIB, pool), GIB + offset);
  t.same(inside(0x30_1000), nothing, 'its first page');
  t.same(inside(0x33_2000), nothing, 'its last page');
  t.same(inside(0x30_0000), splits, 'the page before it');
  t.same(inside(0x33_3000), splits, 'the page behind it');
});

t.test('whether a group is split, the entry at the place tells: pmd_cont()', async (t) => {
  const { map, traits } = withBlock(GIB);
  const { CONT_PMD_SIZE, PMD_SIZE } = traits.geometry;
  split_kernel_leaf_mapping_locked(map, traits, GIB + CONT_PMD_SIZE);
  const pmd = given(map.root.tables.get(1));
  const isCont = (index: number) => (map.attributes(map.entry(pmd, index)) & PTE_CONT) !== 0n;
  // A group that is inconsistent, as realm-contiguous-group leaves them.
  pmd.set(1, map.leaf(map.attributes(map.entry(pmd, 1)) & ~PTE_CONT));
  pmd.set(3, NONE);
  split_kernel_leaf_mapping_locked(map, traits, GIB + PMD_SIZE);
  t.same([isCont(0), isCont(1), isCont(2)], [true, false, true]);
  split_kernel_leaf_mapping_locked(map, traits, GIB + 2 * PMD_SIZE);
  t.same([isCont(0), isCont(1), isCont(2)], [false, false, false]);
  t.equal(map.entry(pmd, 3), NONE, 'pmd_mknoncont() of nothing is nothing');
});

t.test('an object of KFENCE may be freed while other CPUs start: nothing is refused', async (t) => {
  const { pa, decisions } = withBlock(GIB);
  const pool = { start: pa, end: pa + 2 ** 21 };
  // setup_system_capabilities() has not run yet.
  const state = { ...withBlock(GIB, pool), decisions: { ...decisions, systemBbml: false } };
  const starting = { capabilitiesFinal: false, onlineCpus: 2 };
  const answer = (offset: number) => {
    const va = start + BigInt(GIB + offset);
    return split_kernel_leaf_mapping(state, va, va + 4096n, starting);
  };
  t.equal(answer(0x1000), 0);
  t.equal(answer(0x30_1000), -16, 'other memory: -EBUSY');
});

t.test('a repaint flushes the whole linear map', async (t) => {
  const state = withBlock(0);
  linear_map_split_to_ptes(state);
  t.same(state.map.flushed, [[0, kernelHalf / 2]]);
});

const [PAGE, MIB] = [4096, 2 ** 20];

/** Sizes of the leaves from the block's beginning on, as 'level x number', contiguous ones with *. */
function leavesOf({ map }: ReturnType<typeof withBlock>): string[] {
  return leafRuns(map, []).map(({ level, contiguous, size }) => {
    const each = level === 3 ? PAGE : level === 2 ? 2 * MIB : GIB;
    return `${level}${contiguous ? '*' : ''} x ${size / each}`;
  });
}

t.test(
  'of a page, the end that is less aligned is split: the other is a boundary, too',
  async (t) => {
    for (const page of [1, 2, 3, 4, 15, 16, 17, 23, 24, 31, 32, 511, 512, 513, 767, 768]) {
      const state = withBlock(0);
      const va = start + BigInt(page * PAGE);
      split_kernel_leaf_mapping(state, va, va + 4096n);
      const own = leafRuns(state.map, []).find(({ va: from, size }) => {
        return from <= va && va < from + BigInt(size);
      });
      t.match(own, { level: 3, contiguous: false }, `page ${page}`);
    }
  },
);

t.test('both ends of a range become boundaries of leaves, as small as they must be', async (t) => {
  const state = withBlock(0);
  // From a page of the first group of blocks on, to a block of the second.
  split_kernel_leaf_mapping(state, start + 0x3000n, start + BigInt(40 * MIB));
  t.same(leavesOf(state), ['3 x 16', '3* x 496', '2 x 31', '2* x 480']);
});

t.test('a range that becomes pages leaves blocks around it, none of them contiguous', async (t) => {
  const state = withBlock(0);
  range_split_to_ptes(state.map, state.traits, 2 * MIB, 4 * MIB);
  t.same(leavesOf(state), ['2 x 1', '3 x 512', '2 x 510']);
});

t.test('the table of a block that is executable is not privileged execute-never', async (t) => {
  for (const [prot, wanted] of [
    [PTE_TYPE_PAGE, 0n],
    [PTE_TYPE_PAGE | PTE_PXN, TABLE_PXN],
  ] as const) {
    const state = withBlock(0, undefined, prot);
    split_kernel_leaf_mapping(state, start, start + 4096n);
    const pmds = given(state.map.root.tables.get(0));
    const ptes = given(pmds.tables.get(0));
    t.same([pmds.descriptor & TABLE_PXN, ptes.descriptor & TABLE_PXN], [wanted, wanted]);
    t.equal(state.map.attributes(state.map.entry(pmds, 1)), prot & ~2n, 'a block has bit 1 clear');
    t.equal(state.map.attributes(state.map.entry(ptes, 100)), prot | PTE_CONT, 'a page has it set');
  }
});

t.test('split_to_ptes_pte_entry() asks pte_cont() alone: of invalid pages, too', async (t) => {
  const { map, traits } = withBlock(0);
  split_kernel_leaf_mapping_locked(map, traits, 2 * MIB - 16 * PAGE - PAGE);
  const ptes = given(given(map.root.tables.get(0)).tables.get(0));
  const invalid = (PTE_TYPE_PAGE & ~PTE_VALID) | PTE_CONT;
  for (let index = 0; index < 16; index++) ptes.set(index, map.leaf(invalid));
  range_split_to_ptes(map, traits, 0, PAGE);
  const attributes = Array.from({ length: 16 }, (_, index) =>
    map.attributes(map.entry(ptes, index)),
  );
  t.ok(attributes.every((each) => each === (invalid & ~PTE_CONT)));
});

t.test('6.18 asks whether the system has the capability, not the boot CPU alone', async (t) => {
  const golden = '6.18.15+deb13-arm64@neoverse-v3-r0p2+off+kfence100';
  const { traits } = readGolden(`${golden}.json.gz`).question;
  const asked = (systemBbml: boolean) => {
    const state = withBlock(0);
    const decisions = { ...state.decisions, systemBbml, bootCpuBbml: true };
    return ask(
      { ...state, traits: { ...state.traits, splitAsksRequires: false }, decisions },
      PAGE,
    );
  };
  t.notOk(traits.splitAsksRequires, 'it has no linear_map_requires_bbml2 to ask there');
  t.same(asked(true), splits);
  t.same(asked(false), nothing, 'a repaint has made pages of what the boot CPU could split');
});

t.test('what is invalid stays invalid when it is split, since 15bfba1ad77f', async (t) => {
  const block = PTE_TYPE_PAGE & ~PTE_VALID;
  const ways = {
    range_split_to_ptes: [0n, range_split_to_ptes],
    split_kernel_leaf_mapping_locked: [
      PTE_CONT,
      (map: LinearMap, traits: KernelTraits) => split_kernel_leaf_mapping_locked(map, traits, PAGE),
    ],
  } as const;
  for (const [name, [group, split]] of Object.entries(ways))
    for (const [presentInvalid, before, after] of [
      // pte_mkinvalid().
      [true, block | PTE_PRESENT_INVALID, block | PTE_PRESENT_INVALID],
      // Before, split_pmd() makes valid pages of all that pmd_present() takes for present.
      [false, block | PTE_NG, PTE_TYPE_PAGE | PTE_NG],
      [false, block, undefined],
    ] as const) {
      const state = withBlock(0, undefined, before | PTE_VALID);
      const { map } = state;
      map.root.set(0, map.leaf(before & ~2n));
      split(map, { ...state.traits, presentInvalid }, 0, PAGE);
      const pmds = map.root.tables.get(0);
      const pages = pmds?.tables.get(0);
      const last = pages && map.attributes(map.entry(pages, 511));
      t.equal(last, after === undefined ? undefined : after | group, `${name}, ${presentInvalid}`);
    }
});

t.test('split_kernel_leaf_mapping(): when it has nothing to do, and when it refuses', async (t) => {
  const final = whenFinal;
  const early = { capabilitiesFinal: false, onlineCpus: 1 };
  const nobodyAsks = { rodataFull: false, kfenceEarlyInit: true, realm: false };
  for (const [splitAsksRequires, decisions, time, wanted] of [
    // 6.18: system_supports_bbml2_noabort() && !force_pte_mapping().
    [false, {}, final, 'split'],
    [false, nobodyAsks, final, 'split'],
    [false, { ...nobodyAsks, systemBbml: false }, final, 'nothing'],
    [false, { debugPagealloc: true }, final, 'nothing'],
    // Since f12b435de2f2 the boot CPU may split while it is alone, if it can allocate tables.
    [true, {}, final, 'split'],
    [true, { systemBbml: false }, final, 'nothing'],
    [true, { systemBbml: false }, { ...early, pageAllocator: true }, 'split'],
    [true, { systemBbml: false }, { ...early, pageAllocator: false }, 'busy'],
    [true, { systemBbml: false }, { ...early, onlineCpus: 2 }, 'busy'],
    [true, { systemBbml: false, linearMapRequiresBbml: false }, early, 'nothing'],
  ] as const) {
    const state = withBlock(0);
    const kernel = {
      ...state,
      traits: { ...state.traits, splitAsksRequires },
      decisions: { ...state.decisions, ...decisions },
    };
    const asked = JSON.stringify({ splitAsksRequires, decisions, time });
    t.equal(split_leaf_mapping_possible(kernel, time), wanted, asked);
  }
});
