// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keepFacts, recallFacts } from '../../../harness/laboratory/facts-cache.ts';
import { cachePath } from '../../../host/cache.ts';
import type { BootFacts } from '../../../src/evidence/boot-facts.ts';
import { builtInScenarios } from '../../../src/scenario/built-in.ts';
import { given } from '../../given.ts';

process.env.PTDIFF_CACHE = t.testdir();
const key = { kernelSha256: 'a', emulatorSha256: 'b', scenario: given(builtInScenarios[0]) };

const facts: BootFacts = {
  idRegisters: [{ MIDR_EL1: 0x410fd842n, ID_AA64MMFR0_EL1: 0n }],
  image: { pa: 0x40200000, slide: 0x1a2000000000n },
  memstartAddr: 0x40000000n,
  kfencePool: 0x7f000000,
  crashKernel: 0x60000000,
  readOnlyVmalloc: { init: [{ start: 0x41000000, end: 0x41001000 }] },
  freePages: { free_initmem: [] },
  freeAtKpti: [],
  splitRequests: [
    { start: 0xffff000000000000n, end: 0xffff000000001000n, before: 'init', early: true },
  ],
  protectRequests: [{ frames: [{ start: 0, end: 4096 }], before: 'init' }],
  sharing: [
    {
      start: 0xffff000000000000n,
      pages: 1,
      direction: 'decrypt',
      capabilitiesFinal: true,
      onlineCpus: 2,
      pageAllocator: false,
      caller: 'swiotlb_init_remap',
      before: 'free_initmem',
    },
  ],
  ipaBits: 48,
  probePages: [0x42000000],
};

t.test('facts of a boot come back as they were; without optional ones, too', async (t) => {
  t.equal(await recallFacts(key), undefined);
  await keepFacts(key, facts);
  t.strictSame(await recallFacts(key), facts);
  const least: BootFacts = {
    idRegisters: [],
    image: facts.image,
    readOnlyVmalloc: {},
    splitRequests: [],
    sharing: [],
    probePages: [],
  };
  await keepFacts(key, least);
  t.strictSame(await recallFacts(key), least);
});

t.test('damaged facts, and those of another shape, are none', async (t) => {
  const name = given(readdirSync(cachePath('facts'))[0]);
  const path = join(cachePath('facts'), name);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(`"pa": ${facts.image.pa}`, '"pa": 1'));
  t.equal(await recallFacts(key), undefined, 'a digit that changed');
  writeFileSync(path, text.slice(0, -20));
  t.equal(await recallFacts(key), undefined, 'cut short');
  writeFileSync(path, '{"image": {"pa": 1, "slide": "0x0"}}');
  t.equal(await recallFacts(key), undefined, 'without what the model reads');
});
