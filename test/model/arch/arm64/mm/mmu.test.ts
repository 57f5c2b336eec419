// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { KernelTraits } from '../../../../../src/linux/kernel-traits.ts';
import {
  arch_kfence_init_pool,
  map_mem,
  map_mem_decisions,
  mark_linear_text_alias_ro,
  mark_rodata_ro,
  parse_kfence_early_init,
} from '../../../../../src/model/arch/arm64/mm/mmu.ts';
import { PredictedBug } from '../../../../../src/model/bug.ts';
import { recordDerivation } from '../../../../../src/model/derivation.ts';
import { leafRuns } from '../../../../../src/model/leaf-runs.ts';
import { LinearMap } from '../../../../../src/model/linear-map.ts';
import { predict, stateInOperation } from '../../../../../src/model/predict.ts';
import type { Decisions } from '../../../../../src/model/types.ts';
import { questionOfGolden, sharedGolden } from '../../../golden.ts';

const MIB = 2 ** 20;

interface Changed {
  traits?: Partial<KernelTraits>;
  decisions?: Partial<Decisions>;
}

/** A kernel whose linear map is still empty, and what it says. */
function beforeMapMem(golden: string, changed: Changed = {}) {
  const question = questionOfGolden(sharedGolden(`${golden}.json.gz`));
  const booted = stateInOperation(question, predict(question).decisions);
  const { map } = booted;
  const { steps, why } = recordDerivation();
  const state = {
    ...booted,
    traits: { ...booted.traits, ...changed.traits },
    decisions: { ...booted.decisions, ...changed.decisions },
    map: new LinearMap(map.geometry, 48, map.start, map.physBase),
    why,
  };
  const said = (name: string): string[] =>
    steps.filter(({ where }) => where === name).map(({ outcome }) => outcome);
  return { state, said };
}

const incapable = '7.3.4+deb13-arm64@cortex-a76+kaslr';
const capable = '7.3.4+deb13-arm64@neoverse-v3-r0p2';
const to617 = '6.12.107+deb13-arm64@cortex-a76';

/** What map_mem_decisions() says of one function or variable. */
function decided(golden: string, name: string, traits: Partial<KernelTraits> = {}): string[] {
  const { state, said } = beforeMapMem(golden, { traits });
  map_mem_decisions(state);
  return said(name);
}

t.test('the derivation says what decides on large leaves', async (t) => {
  t.same(decided(incapable, 'cpu_supports_bbml3()'), [
    // Cortex-A76 r4p1.
    'boot CPU false (MIDR_EL1 0x414fd0b1 is not on the list)',
  ]);
  t.same(decided(capable, 'cpu_supports_bbml3()'), ['boot CPU true (Neoverse-V3)']);
  for (const [golden, force, requires] of [
    [incapable, 'true', 'false'],
    [capable, 'false', 'true'],
  ] as const) {
    t.same(decided(golden, 'force_pte_mapping()'), [`${force} in map_mem()`]);
    t.same(decided(golden, 'can_set_direct_map()'), ['true in map_mem()']);
    t.same(decided(golden, 'linear_map_requires_bbml3'), [requires]);
  }
  const nameless = { requiresSymbol: undefined };
  t.same(decided(capable, 'the requires flag', nameless), ['true'], 'whatever its name');
});

t.test('a CPU whose MIDR_EL1 nobody read is on no list', async (t) => {
  const { state, said } = beforeMapMem(incapable);
  map_mem_decisions({ ...state, idRegisters: [{}] });
  t.same(said('cpu_supports_bbml3()'), ['boot CPU false (MIDR_EL1 0x0 is not on the list)']);
});

t.test('up to 6.17 no CPU is asked: can_set_direct_map() decides alone', async (t) => {
  t.same(decided(to617, 'cpu_supports_bbml2_noabort()'), []);
  t.same(decided(to617, 'force_pte_mapping()'), []);
  t.same(decided(to617, 'can_set_direct_map()'), ['true in map_mem()', 'true in map_mem()']);
  t.same(decided(to617, 'the requires flag'), [], 'there is none');
});

t.test('the derivation says which leaves map_mem() makes', async (t) => {
  for (const [golden, leaves] of [
    [incapable, 'pages only'],
    [capable, 'blocks and contiguous mappings'],
  ] as const) {
    const { state, said } = beforeMapMem(golden);
    map_mem(state);
    t.equal(said('map_mem()')[0], `maps memory with ${leaves}`);
  }
});

t.test(
  'up to 7.1 the alias of the kernel gets tables of its own: early_pgtable_alloc()',
  async (t) => {
    const { state } = beforeMapMem('6.18.15+deb13-arm64@neoverse-v3-r0p2');
    const { sections, memblock } = state;
    const { aliasStart, initBegin } = sections;
    // The memory of this machine is what the kernel lies in, and no more.
    const memory = [{ start: aliasStart, end: initBegin }];
    map_mem({ ...state, memblock: { ...memblock, memory } });
    const size = leafRuns(state.map, []).reduce((sum, leaf) => sum + leaf.size, 0);
    t.equal(size, initBegin - aliasStart);
  },
);

t.test('a KFENCE pool in blocks becomes pages: one that was taken early is in pages', async (t) => {
  const late = { kfenceEarlyInit: false, forcePteMapping: false };
  const pagesOf = (golden: string, decisions: Partial<Decisions>) => {
    const { state, said } = beforeMapMem(golden, { decisions: { ...late, ...decisions } });
    map_mem({ ...state, decisions: { ...state.decisions, ...late } });
    const start = state.map.physBase + 512 * MIB;
    arch_kfence_init_pool(state, { start, end: start + 2 * MIB });
    const isPage = leafRuns(state.map, []).some((leaf) => leaf.pa === start && leaf.level === 3);
    return { isPage, said: said('arch_kfence_init_pool()').length };
  };
  t.same(pagesOf(capable, {}), { isPage: true, said: 1 });
  const untouched = { isPage: false, said: 0 };
  t.same(pagesOf(capable, { kfenceEarlyInit: true }), untouched);
  t.same(pagesOf(capable, { forcePteMapping: true }), untouched);
  t.same(pagesOf(to617, {}), untouched, 'up to 6.17 it does nothing');
});

t.test('update_mapping_prot() makes no tables: what it protects is mapped', async (t) => {
  const { state } = beforeMapMem(capable);
  t.throws(
    () => mark_linear_text_alias_ro(state),
    new PredictedBug('BUG_ON(!pgtable_alloc) in alloc_init_p4d()'),
  );
});

t.test('kfence.sample_interval= is for kernels with CONFIG_KFENCE', async (t) => {
  for (const [kfence, early, said] of [
    [true, true, ['kfence.sample_interval=100: true']],
    [false, false, []],
  ] as const) {
    const { state, said: saidBy } = beforeMapMem(to617, { decisions: { kfenceEarlyInit: false } });
    const config = { ...state.traits.config, kfence };
    const parameters = ['kfence.sample_interval=100'];
    parse_kfence_early_init({ ...state, traits: { ...state.traits, config }, parameters });
    t.equal(state.decisions.kfenceEarlyInit, early);
    t.same(saidBy('parse_kfence_early_init()'), said);
  }
});

t.test('mark_readonly() calls mark_rodata_ro() with CONFIG_STRICT_KERNEL_RWX', async (t) => {
  for (const [strictKernelRwx, rodataEnabled, calls] of [
    [true, true, 1],
    [true, false, 0],
    [false, true, 0],
  ] as const) {
    const { state, said } = beforeMapMem(incapable, { decisions: { rodataEnabled } });
    const config = { ...state.traits.config, strictKernelRwx };
    mark_rodata_ro({ ...state, traits: { ...state.traits, config } });
    t.equal(said('mark_linear_data_alias_valid(false)').length, calls);
  }
});
