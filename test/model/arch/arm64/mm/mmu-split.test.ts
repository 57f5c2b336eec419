// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { PTE_CONT, PTE_TYPE_PAGE } from '../../../../../src/linux/pgprot.ts';
import type { PhysicalRange } from '../../../../../src/linux/physical-range.ts';
import { __create_pgd_mapping } from '../../../../../src/model/arch/arm64/mm/mmu-create.ts';
import {
  linear_map_split_to_ptes,
  split_kernel_leaf_mapping,
  split_kernel_leaf_mapping_locked,
} from '../../../../../src/model/arch/arm64/mm/mmu-split.ts';
import { leafRuns } from '../../../../../src/model/leaf-runs.ts';
import { LinearMap } from '../../../../../src/model/linear-map.ts';
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
function withBlock(offset: number, kfencePool?: PhysicalRange) {
  const question = questionOfGolden(readGolden('7.3.4-4k39@neoverse-v3-r0p2+8g.json.gz'));
  const { traits } = question;
  const physBase = 4 * GIB;
  const map = new NotedMap(traits.geometry, 39, start, physBase);
  const pa = physBase + offset;
  __create_pgd_mapping(map, traits, pa, pa + GIB, PTE_TYPE_PAGE, 0, true);
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
  t.same(ask(withBlock(0), -4096), nothing, "what lies before it is a user's");
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
  split_kernel_leaf_mapping_locked(map, traits, GIB + PMD_SIZE);
  t.same([isCont(0), isCont(1), isCont(2)], [true, false, true]);
  split_kernel_leaf_mapping_locked(map, traits, GIB + 2 * PMD_SIZE);
  t.same([isCont(0), isCont(1), isCont(2)], [false, false, false]);
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
