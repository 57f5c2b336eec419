// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { parseRelease } from '../../src/linux/release.ts';
import type { KernelDescription } from '../../src/linux/traits.ts';
import { given } from '../given.ts';
import {
  describeKernel,
  kernelOfSlice,
  readSlice,
  renamed,
  type SlicedKernel,
  sliceNames,
} from './slices.ts';

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
    const answers = [assumption.chosen, ...assumption.alternatives].map(({ changes }) =>
      JSON.stringify(flatChange(changes)[key]),
    );
    return !answers.includes(JSON.stringify(right[key]));
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
  const truth = describeKernel(kernel);
  const all = slice.symbols
    .map(([symbol]) => symbol)
    .filter((symbol) => symbol !== '' && !needed.includes(symbol));

  t.test(
    `${name}: a symbol that is renamed or inlined makes no trait wrong in silence`,
    async (t) => {
      for (const gone of wholly.includes(name) ? all : [...readFunctions, ...variables]) {
        const seen = describeKernel(
          renamed(slice, kernel, (symbol) => (symbol === gone ? 'another_name' : symbol)),
        );
        t.strictSame(silentlyWrong(truth, seen), [], gone);
      }
    },
  );

  t.test(`${name}: a function with other code makes no trait wrong in silence`, async (t) => {
    for (const function_ of readFunctions) {
      const seen = withCode(kernel, function_, nop, () => describeKernel(kernel));
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
        const seen = describeKernel(
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
          const { traits, assumptions } = withCode(kernel, code, word, () => describeKernel(other));
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

/** Every symbol that a trait hangs on. */
const telling = [
  ...readFunctions,
  'linear_map_requires_bbml2',
  'linear_map_requires_bbml3',
  'page_alloc_available',
  'arm64_rsi_init',
  'rsi_present',
  'memstart_offset_seed',
  '__next_mem_range',
];
/** Traits of every kernel that its code alone shows. */
const shownByCode = [
  'aliasStart',
  'kernelDirty',
  'presentInvalid',
  'mapsWholePagesOnly',
  'dataAlias',
];
const eitherWay = [false, true];
/** What each trait may be that the Image may not show. */
const answers: Record<string, unknown[]> = {
  bbml: ['bbml2', 'bbml3', 'none'],
  dataAlias: ['invalid', 'readOnly', 'writable'],
  aliasStart: ['_stext', '_text'],
  kernelDirty: eitherWay,
  presentInvalid: eitherWay,
  mapsWholePagesOnly: eitherWay,
  splitAsksRequires: eitherWay,
  knowsRealms: eitherWay,
  randomLinearMap: eitherWay,
};

t.test(
  'what no Image shows is what the release says, and every other answer is tried',
  async (t) => {
    for (const name of sliceNames()) {
      const slice = readSlice(name);
      const kernel = kernelOfSlice(slice);
      const truth = flat(describeKernel(kernel));
      const { assumptions } = describeKernel(
        renamed(slice, kernel, (symbol) => (telling.includes(symbol) ? `was_${symbol}` : symbol)),
      );
      const hidden = assumptions.filter(({ trait }) => trait in answers);
      const names = hidden.map(({ trait }) => trait);
      t.ok(
        shownByCode.every((trait) => names.includes(trait)),
        `${name}: what its code shows is hidden`,
      );
      for (const { trait, chosen, alternatives } of hidden) {
        const [answer, ...others] = [chosen, ...alternatives].map(
          ({ changes }) => flatChange(changes)[trait],
        );
        t.equal(answer, truth[trait], `${name}: ${trait}`);
        t.strictSame(
          [answer, ...others].sort(),
          given(answers[trait]),
          `${name}: all answers for ${trait}`,
        );
      }
    }
  },
);

t.test('mark_rodata_ro() of 7.3 without its call is not believed, that of 7.2 is', async (t) => {
  for (const [name, expected] of [
    ['7.3.4+deb13-arm64', ['dataAlias']],
    ['7.2.13+deb14-arm64', []],
  ] as const) {
    const kernel = kernelOfSlice(readSlice(name));
    const { assumptions } = withCode(kernel, 'mark_rodata_ro', nop, () => describeKernel(kernel));
    t.same(
      assumptions.map(({ trait }) => trait),
      expected,
      name,
    );
  }
});

t.test(
  'a release that cannot be read, or is older than all, is described by the nearest rules, and that is said',
  async (t) => {
    const [newest] = sliceNames()
      .map((name) => ({ name, ...parseRelease(name) }))
      .sort((a, b) => b.major - a.major || b.minor - a.minor);
    const { name, major, minor } = given(newest);
    const kernel = kernelOfSlice(readSlice(name));
    const nameless = describeKernel({ ...kernel, release: 'next-20261128' });
    t.strictSame(flat(nameless), {
      ...flat(describeKernel(kernel)),
      release: { major, minor, patch: 0 },
    });
    t.match(nameless.notKnown, [/^its release: 'next-20261128' is none/]);
    const old = describeKernel({
      ...kernelOfSlice(readSlice('6.12.117+deb13-arm64')),
      release: '6.9.1',
    });
    t.equal(old.traits.generation, '6.12: blocks unless the direct map is set');
    t.match(old.notKnown, [/^its generation: it is of 6\.9, which is older than 6\.12/]);
    const next = describeKernel({ ...kernel, release: `${major}.${minor + 1}-rc1` });
    t.equal(next.traits.newerThanKnown, true);
  },
);

t.test('a table of capabilities whose matchers are not known is no table', async (t) => {
  const slice = readSlice('7.3.4+deb13-arm64');
  const kernel = kernelOfSlice(slice);
  for (const gone of ['arm64_features', 'arm64_errata']) {
    const seen = describeKernel(
      renamed(slice, kernel, (symbol) => (symbol === gone ? 'another_name' : symbol)),
    );
    t.notOk('cpuCapabilities' in seen.traits, gone);
  }
  const strangers = [
    'is_affected_midr_range',
    'is_affected_midr_range_list',
    'cpucap_multi_entry_cap_matches',
  ];
  const seen = describeKernel(
    renamed(slice, kernel, (symbol) => (strangers.includes(symbol) ? `new_${symbol}` : symbol)),
  );
  t.equal(seen.traits.cpuCapabilities, undefined, 'no erratum asks for a part');
  const bbml = describeKernel(
    renamed(slice, kernel, (symbol) => (symbol === 'has_bbml3' ? 'has_bbm_level_3' : symbol)),
  );
  t.strictSame(
    bbml.traits.cpuCapabilities,
    describeKernel(kernelOfSlice(slice)).traits.cpuCapabilities,
    'by its description',
  );
});
