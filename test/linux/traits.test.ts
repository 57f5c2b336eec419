// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { everyBrokenDbm } from '../../src/linux/broken-dbm.ts';
import { cpucapType } from '../../src/linux/cpu-capabilities.ts';
import type { KernelConfig } from '../../src/linux/kernel-config.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { knownGenerations } from '../../src/linux/traits.ts';
import { given } from '../given.ts';
import { describeKernel, kernelOfSlice, readSlice, renamed, sliceNames } from './slices.ts';

/** Options of Debian's 7.3. */
const debianConfig: KernelConfig = {
  granule: 4096,
  vaBits: 52,
  paBits: 52,
  lpa2: true,
  kfence: true,
  kfenceEarlyInit: false,
  kfenceNumObjects: 255,
  rodataFull: true,
  strictKernelRwx: true,
  debugPagealloc: false,
  debugPageallocDefault: false,
  crashReserve: true,
  hotplugCpu: true,
  randomizeBase: true,
  unmapKernelAtEl0: true,
  e0pd: true,
  hwAfdbm: true,
  haft: true,
  mte: true,
  fujitsuErratum010001: true,
  secretmem: true,
};

type Expected = Omit<KernelTraits, 'release' | 'geometry' | 'config' | 'cpuCapabilities'>;

const debian73: Expected = {
  generation: '7.3: BBML3, data alias invalid',
  newerThanKnown: false,
  rodataFullSpelling: 'on',
  bbml: 'bbml3',
  requiresSymbol: 'linear_map_requires_bbml3',
  splitAsksRequires: true,
  knowsRealms: true,
  rsiBeforePagingInit: false,
  aliasStart: '_text',
  mapsKernelFirst: true,
  keepsTables: true,
  keepsSingleLeaves: true,
  contiguousMayChange: true,
  protectsContiguously: true,
  mapsWholePagesOnly: true,
  dataAlias: 'invalid',
  kernelDirty: true,
  presentInvalid: true,
  tableAccessFlag: true,
  randomLinearMap: false,
  aliasOfWholeArea: false,
  brokenDbm: everyBrokenDbm,
  builtInDrivers: ['virtio-console'],
};
const debian72: Expected = {
  ...debian73,
  generation: '7.2: kernel alias mapped first, data alias read-only',
  bbml: 'bbml2',
  requiresSymbol: 'linear_map_requires_bbml2',
  mapsWholePagesOnly: false,
  dataAlias: 'readOnly',
};
const debian71: Expected = {
  ...debian72,
  generation: '7.1: split asks the requires flag',
  mapsKernelFirst: false,
  keepsTables: false,
  keepsSingleLeaves: false,
  contiguousMayChange: false,
  protectsContiguously: false,
  dataAlias: 'writable',
};
const debian70: Expected = {
  ...debian71,
  generation: '6.18-7.0: large mappings with BBML2_NOABORT',
};
const debian619: Expected = { ...debian70, splitAsksRequires: false };
const debian618: Expected = {
  ...debian619,
  kernelDirty: false,
  presentInvalid: false,
  aliasOfWholeArea: true,
};
const debian617: Expected = {
  ...debian618,
  generation: '6.13-6.17: blocks unless the direct map is set, realms known',
  rodataFullSpelling: 'full',
  bbml: 'none',
  requiresSymbol: undefined,
};
const debian616: Expected = { ...debian617, aliasStart: '_stext' };
const debian612: Expected = {
  ...debian617,
  generation: '6.12: blocks unless the direct map is set',
  knowsRealms: false,
  kernelDirty: true,
  tableAccessFlag: false,
  randomLinearMap: true,
};
/** 6.12.115 does not round ranges of memory to whole pages yet. */
const debian612117: Expected = { ...debian612, mapsWholePagesOnly: true };

/**
 * What each recorded kernel is: its traits, options that differ from those of Debian's 7.3, and how
 * many capabilities its tables have.
 */
const kernels: Record<
  string,
  { traits: Expected; config?: Partial<KernelConfig>; capabilities: number; listed?: number }
> = {
  '6.12.117+deb13-arm64': { traits: debian612117, config: { haft: false }, capabilities: 30 },
  '6.12.117+deb13-arm64-16k': {
    traits: debian612117,
    config: { granule: 16384, haft: false },
    capabilities: 30,
  },
  '6.16.12+deb13-arm64': { traits: debian616, capabilities: 32 },
  // Detected for user space alone, on fewer parts than later.
  '6.17.13+deb13-arm64': { traits: debian617, capabilities: 33, listed: 2 },
  '6.18.15+deb13-arm64': { traits: debian618, capabilities: 33, listed: 6 },
  '6.19.14+deb13-arm64': { traits: debian619, capabilities: 33, listed: 6 },
  '7.0.13+deb13-arm64': { traits: debian70, capabilities: 33, listed: 6 },
  '7.1.13+deb13-arm64': { traits: debian71, capabilities: 33, listed: 6 },
  '7.2.13+deb14-arm64': { traits: debian72, capabilities: 33, listed: 6 },
  '7.3.4+deb13-arm64': { traits: debian73, capabilities: 34, listed: 15 },
  '7.3.4+deb13-arm64-16k': {
    traits: debian73,
    config: { granule: 16384 },
    capabilities: 34,
    listed: 15,
  },
  // The small configuration that ptdiff builds, without ftrace.
  '7.3.4': {
    traits: { ...debian73, brokenDbm: [], builtInDrivers: [] },
    config: { crashReserve: false, fujitsuErratum010001: false },
    capabilities: 2,
    listed: 15,
  },
};

t.test('a release is of the last generation that began before it', async (t) => {
  const kernel = kernelOfSlice(readSlice('6.16.12+deb13-arm64'));
  const generations = ['6.12.1', '6.13.1', '6.17.1', '6.18.1', '7.0.1', '7.1.1', '7.2.1', '7.3.1'];
  const names = generations.map(
    (release) => describeKernel({ ...kernel, release }).traits.generation,
  );
  t.strictSame([...new Set(names)], knownGenerations, 'they are known in this order');
  t.strictSame(
    names.map((name) => name.replace(/:.*/, '')),
    ['6.12', '6.13-6.17', '6.13-6.17', '6.18-7.0', '6.18-7.0', '7.1', '7.2', '7.3'],
  );
});

t.test('every generation is recorded', async (t) => {
  t.same(sliceNames(), Object.keys(kernels).sort());
});

for (const [name, expected] of Object.entries(kernels)) {
  t.test(`${name}: every trait is read from its Image`, async (t) => {
    const { traits, assumptions, notKnown } = describeKernel(kernelOfSlice(readSlice(name)));
    const { release, geometry, config, cpuCapabilities = [], ...rest } = traits;
    t.strictSame(rest, expected.traits);
    t.strictSame(config, { ...debianConfig, ...expected.config });
    t.equal(geometry.granule, config.granule);
    t.equal([release.major, release.minor, release.patch].join('.'), name.replace(/\+.*/, ''));
    t.strictSame(
      { assumptions, notKnown },
      { assumptions: [], notKnown: [] },
      'nothing is assumed of a released kernel',
    );

    t.equal(cpuCapabilities.length, expected.capabilities);
    const numbers = cpuCapabilities.map(({ number }) => number);
    t.strictSame(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
    const bbml = cpuCapabilities.flatMap(({ match }) =>
      'bbml' in match ? (match.listed?.length ?? 0) : [],
    );
    t.strictSame(bbml, expected.listed === undefined ? [] : [expected.listed]);
    const errata = cpuCapabilities.filter(({ match }) => 'midrs' in match);
    t.ok(errata.every(({ match }) => 'midrs' in match && match.midrs.length > 0));
    t.ok(errata.every(({ description }) => /^[\x20-\x7e]{8,}$/.test(description)));
    const strict = cpuCapabilities.find(({ description }) => description === 'ARM erratum 843419');
    t.equal(
      strict && (strict.type & cpucapType.permittedForLate) !== 0,
      expected.capabilities > 2 ? false : undefined,
    );
  });
}

t.test('each answer about the capability is a sentence of its own', async (t) => {
  const slice = readSlice('7.3.4+deb13-arm64');
  const hidden = renamed(slice, kernelOfSlice(slice), (symbol) =>
    symbol === 'linear_map_requires_bbml3' ? 'another_name' : symbol,
  );
  const bbml = given(describeKernel(hidden).assumptions.find(({ trait }) => trait === 'bbml'));
  t.same(
    [bbml.chosen, ...bbml.alternatives].map(({ says }) => says),
    [
      'the linear map is large on CPUs of its BBML3 list',
      'the linear map is large on CPUs of its BBML2 list',
      'the linear map asks no CPU for FEAT_BBM',
    ],
  );
});

t.test('a kernel without KASLR does not randomise its linear map: nothing to assume', async (t) => {
  // arm64_memblock_init() of arch/arm64/mm/init.c has memstart_offset_seed with
  // CONFIG_RANDOMIZE_BASE alone, up to 6.16.
  const slice = readSlice('6.12.117+deb13-arm64');
  const without = (...gone: string[]) =>
    describeKernel(
      renamed(slice, kernelOfSlice(slice), (symbol) =>
        gone.includes(symbol) ? 'another_name' : symbol,
      ),
    );
  const kaslr = ['kaslr_init', '__pi_kaslr_early_init'];
  const { traits, assumptions } = without('memstart_offset_seed', ...kaslr);
  t.equal(traits.config.randomizeBase, false);
  t.equal(traits.randomLinearMap, false);
  t.notOk(assumptions.some(({ trait }) => trait === 'randomLinearMap'));
  const renamedSeed = without('memstart_offset_seed').assumptions;
  t.ok(
    renamedSeed.some(({ trait }) => trait === 'randomLinearMap'),
    'with KASLR it may only have another name',
  );
});
