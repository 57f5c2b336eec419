// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { BootFacts } from '../../src/evidence/boot-facts.ts';
import type { CheckpointName } from '../../src/evidence/capture.ts';
import { PTE_NG, PTE_PRESENT_INVALID, PTE_VALID } from '../../src/linux/pgprot.ts';
import { areasOf } from '../../src/model/areas.ts';
import { predict, stateInOperation } from '../../src/model/predict.ts';
import type { Question } from '../../src/model/question.ts';
import { given } from '../given.ts';
import { questionOfGolden, sharedGolden } from './golden.ts';

const question = (name: string) => questionOfGolden(sharedGolden(`${name}.json.gz`));

t.test('what comes later is cut out of what was there: no byte is in two areas', (t) => {
  const asked = question('7.3.4+deb13-arm64@neoverse-v3-r0p2+kfence100+kpti');
  const { granule } = asked.traits.geometry;
  const state = stateInOperation(asked, predict(asked).decisions);
  const pa = given(asked.facts.kfencePool) + 1024 * granule;
  const pages = (first: number, count: number) => {
    return { start: pa + first * granule, end: pa + (first + count) * granule };
  };
  const facts: BootFacts = {
    ...asked.facts,
    readOnlyVmalloc: {
      // map_mem() has just run: nobody has changed an alias.
      paging_init: [pages(0, 2)],
      free_initmem: [pages(0, 4)],
      init: [pages(0, 6), pages(8, 2)],
    },
    // At the start of one, in the middle, at its end, and behind it.
    probePages: [0, 2, 5, 6].map((page) => pages(page, 1).start),
  };
  const here = (checkpoint: CheckpointName) =>
    areasOf(state, facts, checkpoint)
      .filter(({ start }) => start >= state.map.offsetOfPa(pa))
      .map(({ start, end, why }) => {
        const first = (start - state.map.offsetOfPa(pa)) / granule;
        return [first, first + (end - start) / granule, why];
      });
  const alias = 'alias of read-only vmalloc';
  const secret = 'memfd_secret page';
  t.same(here('paging_init'), []);
  t.same(here('free_initmem'), [[0, 4, alias]]);
  t.same(here('init'), [
    [0, 1, secret],
    [1, 2, alias],
    [2, 3, secret],
    [3, 5, alias],
    [5, 6, secret],
    [6, 7, secret],
    [8, 10, alias],
  ]);
  state.decisions.rodataFull = false;
  t.same(
    here('free_initmem'),
    [],
    'change_memory_common() of mm/pageattr.c leaves aliases alone without rodata=full',
  );
  t.end();
});

t.test('the memory of a crash kernel bears its name once it is reserved, where it is', (t) => {
  const asked = question('7.3.4+deb13-arm64@max+crashkernel');
  const { checkpoints } = predict(asked);
  const named = (checkpoint: CheckpointName) =>
    given(checkpoints[checkpoint])
      .leaves.filter(({ why }) => why === 'crash kernel memory')
      .map(({ pa, size }) => [pa, size]);
  t.same(named('paging_init'), []);
  t.same(named('smp_cpus_done'), [[asked.facts.crashKernel, 64 * 2 ** 20]]);
  t.same(named('init'), named('smp_cpus_done'));
  t.end();
});

t.test("the kernel's data has the last page of its bss to the end", (t) => {
  const asked = question('7.3.4+deb13-arm64@neoverse-v3-r0p2');
  const { granule } = asked.traits.geometry;
  const endOf = (bssStop: number) => {
    const symbolOffset = (name: string) =>
      name === '__bss_stop' ? bssStop : asked.symbolOffset(name);
    const state = stateInOperation({ ...asked, symbolOffset }, predict(asked).decisions);
    const areas = areasOf(state, asked.facts, 'init');
    const { end } = given(areas.find(({ why }) => why === 'kernel data and bss alias'));
    return end - state.map.offsetOfPa(asked.facts.image.pa);
  };
  const page = Math.floor(asked.symbolOffset('__bss_stop') / granule) * granule;
  t.equal(endOf(page), page);
  for (const bytes of [8, granule - 8]) t.equal(endOf(page + bytes), page + granule);
  t.end();
});

t.test('the pool of KFENCE is two guard pages, then an object and a guard page in turn', (t) => {
  // kfence_init_pool() of mm/kfence/core.c.
  const asked = question('7.3.4+deb13-arm64@neoverse-v3-r0p2+kfence100+kpti');
  const state = stateInOperation(asked, predict(asked).decisions);
  const pool = given(state.kfencePool);
  const { granule } = asked.traits.geometry;
  const names = areasOf(state, asked.facts, 'init')
    .filter(({ why }) => why.startsWith('KFENCE'))
    .map(({ start, why }) => [(start - state.map.offsetOfPa(pool.start)) / granule, why]);
  t.equal(names.length, 2 * (asked.traits.config.kfenceNumObjects + 1));
  t.same(names.slice(0, 6), [
    [0, 'KFENCE guard page'],
    [1, 'KFENCE guard page'],
    [2, 'KFENCE object page'],
    [3, 'KFENCE guard page'],
    [4, 'KFENCE object page'],
    [5, 'KFENCE guard page'],
  ]);
  for (const maybeNg of [0n, PTE_NG]) {
    const kernel = { ...state, prot: { ...state.prot, maybeNg } };
    const areas = areasOf(kernel, asked.facts, 'init');
    const object = given(areas.find(({ why }) => why === 'KFENCE object page'));
    // One that is free has this in use: PTE_MAYBE_NG comes with PTE_VALID.
    t.same(object.alternatives?.(PTE_PRESENT_INVALID), [PTE_VALID | maybeNg]);
  }
  t.end();
});

t.test('free pages bear that name where they have no other, and areas ascend', (t) => {
  const asked = question('7.3.4+deb13-arm64@neoverse-v3-r0p2+kfence100+kpti');
  const booted = stateInOperation(asked, predict(asked).decisions);
  const pool = given(booted.kfencePool);
  const page = asked.traits.geometry.granule;
  // The crash kernel's memory is below the pool, which is named first.
  const crashKernel = { start: pool.start - 8 * page, end: pool.start - 4 * page };
  const freePages = [{ start: crashKernel.start - page, end: pool.end + page }];
  const areas = areasOf({ ...booted, crashKernel, freePages }, asked.facts, 'init');
  const at = (pa: number) => booted.map.offsetOfPa(pa);
  t.same(
    areas.filter(({ why }) => why === 'free pages'),
    [
      { start: at(crashKernel.start - page), end: at(crashKernel.start), why: 'free pages' },
      { start: at(crashKernel.end), end: at(pool.start), why: 'free pages' },
      { start: at(pool.end), end: at(pool.end + page), why: 'free pages' },
    ],
  );
  t.ok(areas.every(({ start }, index) => index === 0 || given(areas[index - 1]).end <= start));
  t.end();
});

/** What the object pages of KFENCE may be instead, at the checkpoints that a kernel has. */
function otherPages(name: string, ...parameters: string[]) {
  const asked = question(name);
  return otherPagesOf({ ...asked, parameters: [...asked.parameters, ...parameters] });
}

function otherPagesOf(asked: Question) {
  const { checkpoints } = predict(asked);
  return (checkpoint: CheckpointName) => {
    const pages = given(checkpoints[checkpoint]).leaves.filter(
      ({ why }) => why === 'KFENCE object page',
    );
    t.ok(pages.length > 0);
    const { attributes, alternatives } = given(pages[0]);
    return { attributes, alternatives, isGlobal: (attributes & PTE_NG) === 0n };
  };
}

t.test('an object page of KFENCE is valid or not, and nothing else', (t) => {
  const before = otherPages('6.18.15+deb13-arm64@neoverse-v3-r0p2+off+kfence100', 'kpti=on');
  for (const checkpoint of ['paging_init', 'before_split', 'after_split'] as const) {
    const { attributes, alternatives, isGlobal } = before(checkpoint);
    t.ok(isGlobal, 'KPTI is decided, and has rewritten nothing yet');
    t.same(alternatives, [attributes & ~PTE_VALID], checkpoint);
  }
  const without = otherPages('7.2.13+deb14-arm64@max+kfence100')('init');
  t.same(without.alternatives, [(without.attributes & ~PTE_VALID) | PTE_PRESENT_INVALID]);
  t.end();
});

t.test(
  'a page that was free when KPTI rewrote the tables stays global, before 15bfba1ad77f',
  (t) => {
    const old = otherPages('6.12.107+deb13-arm64@neoverse-v3-r0p2+kfence100+kpti')('init');
    t.notOk(old.isGlobal);
    const freed = old.attributes & ~PTE_VALID;
    t.same(old.alternatives, [freed, freed & ~PTE_NG, old.attributes & ~PTE_NG]);
    const later = otherPages('7.3.4+deb13-arm64@neoverse-v3-r0p2+kfence100+kpti')('init');
    t.notOk(later.isGlobal);
    t.same(later.alternatives, [(later.attributes & ~PTE_VALID) | PTE_PRESENT_INVALID]);
    t.end();
  },
);

t.test('where KASLR has made every mapping non-global, KPTI rewrites nothing', (t) => {
  const asked = question('6.12.107+deb13-arm64@neoverse-v3-r0p2+kfence100+kpti');
  const { traits } = asked;
  // Without CONFIG_ARM64_E0PD, KASLR asks for KPTI before the first mapping is made.
  const config = { ...traits.config, e0pd: false };
  const early = otherPagesOf({ ...asked, kaslr: true, traits: { ...traits, config } })('init');
  t.notOk(early.isGlobal);
  t.same(early.alternatives, [early.attributes & ~PTE_VALID]);
  t.end();
});
