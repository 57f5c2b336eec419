// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { cpucapType } from '../../src/linux/cpu-capabilities.ts';
import type { KernelConfig } from '../../src/linux/kernel-config.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { parseRelease } from '../../src/linux/release.ts';
import { type KernelDescription, traitsOf } from '../../src/linux/traits.ts';
import { given } from '../given.ts';
import {
  kernelOfSlice,
  type RecordedSlice,
  readSlice,
  type SlicedKernel,
  sliceNames,
  tableOf,
} from './slices.ts';

const describe = ({ release, image, symbols }: SlicedKernel): KernelDescription =>
  traitsOf(release, image, symbols);

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
    traits: { ...debian73, builtInDrivers: [] },
    config: { crashReserve: false, fujitsuErratum010001: false },
    capabilities: 2,
    listed: 15,
  },
};

t.test('every generation is recorded', async (t) => {
  t.same(sliceNames(), Object.keys(kernels).sort());
});

for (const [name, expected] of Object.entries(kernels)) {
  t.test(`${name}: every trait is read from its Image`, async (t) => {
    const { traits, assumptions, notKnown } = describe(kernelOfSlice(readSlice(name)));
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

/**
 * A recorded kernel as it would be with other symbols: each by its new name. What is inlined has a
 * name that nobody asks for.
 */
function renamed(
  { textBase, symbols }: RecordedSlice,
  kernel: SlicedKernel,
  rename: (name: string) => string,
): SlicedKernel {
  const names = symbols.map(([name, offset]) => [name === '' ? '' : rename(name), offset] as const);
  return { ...kernel, symbols: tableOf(names, BigInt(textBase)) };
}

/** Does something with a kernel that has other code in a function, by what it has symbols for. */
function withCode<T>(
  { image, symbols }: SlicedKernel,
  name: string,
  word: number,
  work: () => T,
): T {
  // Kernels that know no realms are not asked for setup_arch(), and their slices lack it.
  if (!symbols.has(name)) return work();
  const start = Number((symbols.address(name) ?? 0n) - symbols.textBase);
  const code = image.subarray(start, start + Number(symbols.size(name) ?? 0n));
  // An Image is tens of MiB: a copy of each would take longer than the test.
  const before = code.slice();
  const view = new DataView(image.buffer, start, code.length & ~3);
  for (let at = 0; at < view.byteLength; at += 4) view.setUint32(at, word, true);
  try {
    return work();
  } finally {
    code.set(before);
  }
}

const nop = 0xd503201f;
/** Functions whose code is read. */
const readFunctions = [
  'mark_linear_text_alias_ro',
  'set_direct_map_invalid_noflush',
  'mark_rodata_ro',
  '__cpu_setup',
  'kfence_init_enable',
  'setup_arch',
];
const variables = [
  'kfence_early_init',
  'rodata_full',
  '__kfence_pool',
  'arm64_features',
  'memstart_offset_seed',
];
/**
 * Kernels of which every symbol is taken away, one by one: of the others those that the traits hang
 * on.
 */
const wholly = ['6.12.117+deb13-arm64', '6.18.15+deb13-arm64', '7.3.4+deb13-arm64', '7.3.4'];
/** What no symbol table that ptdiff takes lacks. */
const needed = ['_text', '__bss_stop'];

/** A description's traits and options in one record. */
const flat = ({
  traits: { config, cpuCapabilities: _, ...traits },
}: KernelDescription): Record<string, unknown> => ({
  ...config,
  ...traits,
});

/**
 * Traits in which a changed kernel seems to be another and that nobody is told of: no assumption
 * says that the Image does not show them, or none of its answers is right.
 */
function silentlyWrong(truth: KernelDescription, seen: KernelDescription): string[] {
  const [right, shown] = [flat(truth), flat(seen)];
  return Object.keys(right).filter((key) => {
    if (JSON.stringify(right[key]) === JSON.stringify(shown[key])) return false;
    // The variable's own name goes with the trait that it shows.
    const assumption = seen.assumptions.find(
      ({ trait }) => trait === (key === 'requiresSymbol' ? 'bbml' : key),
    );
    if (assumption === undefined) return true;
    if (key === 'requiresSymbol') return false;
    const answers = [assumption.chosen, ...assumption.alternatives].map(
      ({ changes }) => flatChange(changes)[key],
    );
    return !answers.includes(right[key]);
  });
}

const flatChange = ({
  traits,
  config,
}: {
  traits?: object;
  config?: object;
}): Record<string, unknown> => ({
  ...traits,
  ...config,
});

for (const name of sliceNames()) {
  const slice = readSlice(name);
  const kernel = kernelOfSlice(slice);
  const truth = describe(kernel);
  const all = slice.symbols
    .map(([symbol]) => symbol)
    .filter((symbol) => symbol !== '' && !needed.includes(symbol));

  t.test(
    `${name}: a symbol that is renamed or inlined makes no trait wrong in silence`,
    async (t) => {
      for (const gone of wholly.includes(name) ? all : [...readFunctions, ...variables]) {
        const seen = describe(
          renamed(slice, kernel, (symbol) => (symbol === gone ? 'another_name' : symbol)),
        );
        t.strictSame(silentlyWrong(truth, seen), [], gone);
      }
    },
  );

  t.test(`${name}: a function with other code makes no trait wrong in silence`, async (t) => {
    for (const function_ of readFunctions) {
      const seen = withCode(kernel, function_, nop, () => describe(kernel));
      const wrong = silentlyWrong(truth, seen);
      // A kernel without that erratum's option has a __cpu_setup() without its constant.
      const allowed = function_ === '__cpu_setup' && truth.traits.config.fujitsuErratum010001;
      t.strictSame(wrong, allowed ? ['fujitsuErratum010001'] : [], function_);
    }
  });

  t.test(
    `${name}: names that a compiler appends to are read like the functions' own`,
    async (t) => {
      for (const suffix of ['.isra.0', '.constprop.0', '.constprop.1.isra.0', '.llvm.1234567890']) {
        const seen = describe(
          renamed(slice, kernel, (symbol) =>
            readFunctions.includes(symbol) ? symbol + suffix : symbol,
          ),
        );
        t.strictSame(seen, truth, suffix);
      }
    },
  );

  t.test(`${name}: whatever is gone, the kernel is described`, async () => {
    fc.assert(
      fc.property(
        fc.subarray(all),
        fc.constantFrom(...readFunctions),
        fc.nat({ max: 0xffff_ffff }),
        (gone, code, word) => {
          const other = renamed(slice, kernel, (symbol) =>
            gone.includes(symbol) ? `was_${symbol}` : symbol,
          );
          const { traits, assumptions } = withCode(kernel, code, word, () => describe(other));
          return assumptions.every(({ chosen, alternatives }) => {
            const own = { ...traits.config, ...traits };
            const stands = Object.entries(flatChange(chosen.changes)).every(
              ([key, value]) => own[key as keyof typeof own] === value,
            );
            return stands && !alternatives.some(({ says }) => says === chosen.says);
          });
        },
      ),
      { numRuns: 10 },
    );
  });
}

t.test(
  'a release that cannot be read, or is older than all, is described by the nearest rules, and that is said',
  async (t) => {
    const [newest] = Object.keys(kernels)
      .map((name) => ({ name, ...parseRelease(name) }))
      .sort((a, b) => b.major - a.major || b.minor - a.minor);
    const { name, major, minor } = given(newest);
    const kernel = kernelOfSlice(readSlice(name));
    const nameless = describe({ ...kernel, release: 'next-20261128' });
    t.strictSame(flat(nameless), {
      ...flat(describe(kernel)),
      release: { major, minor, patch: 0 },
    });
    t.match(nameless.notKnown, [/^its release: 'next-20261128' is none/]);
    const old = describe({ ...kernelOfSlice(readSlice('6.12.117+deb13-arm64')), release: '6.9.1' });
    t.equal(old.traits.generation, '6.12: blocks unless the direct map is set');
    t.match(old.notKnown, [/^its generation: it is of 6\.9, which is older than 6\.12/]);
    const next = describe({ ...kernel, release: `${major}.${minor + 1}-rc1` });
    t.equal(next.traits.newerThanKnown, true);
  },
);

t.test('a table of capabilities whose matchers are not known is no table', async (t) => {
  const slice = readSlice('7.3.4+deb13-arm64');
  const kernel = kernelOfSlice(slice);
  for (const gone of ['arm64_features', 'arm64_errata']) {
    const seen = describe(
      renamed(slice, kernel, (symbol) => (symbol === gone ? 'another_name' : symbol)),
    );
    t.equal(seen.traits.cpuCapabilities, undefined, gone);
  }
  const strangers = [
    'is_affected_midr_range',
    'is_affected_midr_range_list',
    'cpucap_multi_entry_cap_matches',
  ];
  const seen = describe(
    renamed(slice, kernel, (symbol) => (strangers.includes(symbol) ? `new_${symbol}` : symbol)),
  );
  t.equal(seen.traits.cpuCapabilities, undefined, 'no erratum asks for a part');
  const bbml = describe(
    renamed(slice, kernel, (symbol) => (symbol === 'has_bbml3' ? 'has_bbm_level_3' : symbol)),
  );
  t.strictSame(
    bbml.traits.cpuCapabilities,
    describe(kernelOfSlice(slice)).traits.cpuCapabilities,
    'by its description',
  );
});
