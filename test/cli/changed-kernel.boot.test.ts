// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { dir } from 'tmp-promise';
import { prepareLaboratory } from '../../harness/laboratory/laboratory.ts';
import { type LoadedKernel, loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { scenariosNamed } from '../../harness/laboratory/plan.ts';
import { runCase } from '../../harness/laboratory/run-case.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { checkpointsOf } from '../../src/evidence/capture.ts';
import { SymbolTable } from '../../src/linux/symbol-table.ts';
import { traitsOf } from '../../src/linux/traits.ts';
import { given } from '../given.ts';
import { recoded, withWritableAlias } from '../harness/recoded-kernel.ts';

// Kernels under development look different: a stock kernel with other code in a function, or other
// names in its symbol table.

t.setTimeout(30 * 60_000);

const stock = await loadKernel('debian:7.3');

async function run(t: Test, kernel: LoadedKernel, scenario: string): Promise<CaseResult> {
  const found = given((await scenariosNamed(scenario))[0]);
  const laboratory = await prepareLaboratory([found], undefined);
  const { path: directory, cleanup } = await dir({
    prefix: 'ptdiff-changed-',
    unsafeCleanup: true,
  });
  t.teardown(cleanup);
  const each = { name: 'changed', kernel, scenario: found, directory };
  return runCase(laboratory, each, new AbortController().signal);
}

/**
 * The stock kernel by the words of another symbol table: what is renamed has a name that nobody
 * asks for, and so looks like what is inlined.
 */
function renamed(...gone: string[]): LoadedKernel {
  const listed = stock.symbols.list();
  const symbols = new SymbolTable({
    names: listed.map(({ name }) => (gone.includes(name) ? `new_${name}` : name)),
    types: Uint8Array.from(listed, ({ type }) => type.charCodeAt(0)),
    offsets: Float64Array.from(listed, ({ address }) => Number(address - stock.symbols.textBase)),
    textBase: stock.symbols.textBase,
  });
  return {
    ...stock,
    symbols,
    ...traitsOf(stock.image.release, readFileSync(stock.image.imagePath), symbols),
  };
}

t.test(
  'an alias of text that stays writable is found, though the code that would say how PAGE_KERNEL looks is gone',
  async (t) => {
    const kernel = withWritableAlias(t.testdir(), stock);
    const { verdict, findings, notes = [] } = await run(t, kernel, 'max');
    t.equal(verdict, 'fail');
    const ids = findings.map(({ id }) => id);
    t.ok(ids.includes('invariant/kernel-text-read-only/linear-alias-writable@init'), ids.join(' '));
    const during = 'invariant/kernel-text-read-only/linear-alias-writable/during@smp_cpus_done';
    t.ok(ids.includes(during), ids.join(' '));
    t.equal(findings.length, 7, 'and nothing else');
    const dirty = notes.find((note) => note.includes('PTE_DIRTY')) ?? '';
    t.match(
      dirty,
      /^Assumed that PAGE_KERNEL carries PTE_DIRTY, the rule of its release, since mark_linear_text_alias_ro\(\)/,
    );
    t.match(
      dirty,
      /that PAGE_KERNEL does not carry PTE_DIRTY does not fit \(\d+ findings, not 7\)\.$/,
    );
  },
);

t.test(
  'a rule of the release that is wrong for this kernel gives way to the answer that fits',
  async (t) => {
    const kernel = renamed('mark_linear_text_alias_ro');
    // As if the rule were another: 7.3 carries PTE_DIRTY.
    const { traits, assumptions } = kernel;
    const swapped = assumptions.map((each) =>
      each.trait === 'kernelDirty'
        ? { ...each, chosen: given(each.alternatives[0]), alternatives: [each.chosen] }
        : each,
    );
    const wrong = { ...kernel, traits: { ...traits, kernelDirty: false }, assumptions: swapped };
    const { verdict, notes = [] } = await run(t, wrong, 'max');
    t.equal(verdict, 'pass');
    const dirty = notes.find((note) => note.includes('PTE_DIRTY')) ?? '';
    t.match(dirty, /^Assumed that PAGE_KERNEL carries PTE_DIRTY, since/);
    t.match(
      dirty,
      /PAGE_KERNEL does not carry PTE_DIRTY, the rule of its release, does not fit \(\d+ findings, not 0\)\.$/,
    );
  },
);

t.test(
  'set_direct_map_invalid_noflush() with other code: the rule of the release fits',
  async (t) => {
    // mov x2, #0x800 (MOVZ) becomes orr x2, xzr, #0x800, which means the same.
    const kernel = recoded(t.testdir(), stock, 'set_direct_map_invalid_noflush', (code) => {
      t.not(code.indexOf(0xd2810002), -1);
      code[code.indexOf(0xd2810002)] = 0xb27503e2;
    });
    const { verdict, notes = [] } = await run(t, kernel, 'max');
    t.equal(verdict, 'pass');
    t.match(notes, [
      /^Assumed that what becomes invalid keeps PTE_PRESENT_INVALID, the rule of its release, since set_direct/,
    ]);
  },
);

t.test(
  'a repaint whose function has another name is not captured, and is judged by what comes after',
  async (t) => {
    const result = await run(
      t,
      renamed('linear_map_maybe_split_to_ptes'),
      'monitor+neoverse-v3-r0p2+then-max',
    );
    t.ok(['pass', 'known'].includes(result.verdict), `${result.verdict}: ${result.reason}`);
    t.same(Object.keys(result.linearMap), ['paging_init', 'smp_cpus_done', 'free_initmem', 'init']);
    t.ok(
      result.notes?.some((note) =>
        /^Not known of this kernel: its tables before .*no linear_map_maybe_split/.test(note),
      ),
    );
  },
);

t.test('without any of the functions to stop at, the boot is seen where init runs', async (t) => {
  const gone = [
    '__primary_switch',
    '__primary_switched',
    'paging_init',
    'bootmem_init',
    'linear_map_maybe_split_to_ptes',
    'smp_cpus_done',
    'setup_system_features',
    'free_initmem',
    '__arm64_sys_reboot',
  ];
  const { verdict, linearMap, notes = [], reason } = await run(t, renamed(...gone), 'max');
  t.equal(verdict, 'pass', reason ?? 'passes');
  t.same(Object.keys(linearMap), ['init']);
  t.ok(notes.some((note) => note.includes('its symbol table has no paging_init()')));
  t.ok(notes.some((note) => note.includes('its symbol table has no free_initmem()')));
});

t.test(
  'where splits cannot be recorded, only what does not depend on them is predicted',
  async (t) => {
    const {
      verdict,
      linearMap,
      notes = [],
      reason,
      findings,
    } = await run(t, renamed('split_kernel_leaf_mapping'), 'neoverse-v3-r0p2');
    t.same(
      findings.map(({ id }) => id),
      [],
    );
    t.equal(verdict, 'pass', reason ?? 'passes');
    t.same(Object.keys(linearMap), checkpointsOf(true), 'walked all the same');
    t.ok(notes.some((note) => note.includes('its linear map behind paging_init()')));
  },
);

t.test(
  'a kernel that the model cannot predict is walked, and the rules for every kernel are checked',
  async (t) => {
    const kernel = withWritableAlias(t.testdir(), stock);
    const { symbols } = renamed('swapper_pg_dir');
    const {
      verdict,
      findings,
      linearMap,
      notes = [],
    } = await run(t, { ...kernel, symbols }, 'max');
    t.equal(verdict, 'fail');
    t.same(Object.keys(linearMap), checkpointsOf(true));
    t.same(
      findings.map(({ id }) => id),
      ['@smp_cpus_done', '@free_initmem', '@init', '/during@smp_cpus_done'].map(
        (at) => `invariant/kernel-text-read-only/linear-alias-writable${at}`,
      ),
    );
    t.ok(
      notes.some((note) =>
        /^Not known of this kernel: what its linear map must be: .*swapper_pg_dir/.test(note),
      ),
    );
  },
);
