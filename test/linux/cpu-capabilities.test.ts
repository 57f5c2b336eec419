// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { cpuCapabilities } from '../../src/linux/cpu-capabilities.ts';
import { SymbolTable } from '../../src/linux/symbol-table.ts';

const base = 0xffff800080000000n;
/** Where the pieces of the made-up Image lie, from its start. */
const at = {
  matchers: 0x100,
  features: 0x200,
  errata: 0x400,
  list: 0x800,
  multi: 0x900,
  texts: 0xa00,
  rela: 0xc00,
};
const matchers = [
  'has_bbml3',
  'is_affected_midr_range',
  'is_affected_midr_range_list',
  'cpucap_multi_entry_cap_matches',
  'has_cpuid_feature',
];

/**
 * An Image with tables as the compiler lays them out (struct arm64_cpu_capabilities, struct
 * midr_range).
 */
class TableImage {
  /** Pointers are 0 in their places and come from .rela.dyn, as without CONFIG_RELR. */
  readonly #relocated: boolean;
  #relocations = 0;
  readonly bytes = new Uint8Array(0x1000);
  readonly #view = new DataView(this.bytes.buffer);
  #text = at.texts;

  constructor(relocated: boolean) {
    this.#relocated = relocated;
  }

  entry(
    offset: number,
    fields: { matches: string; number?: number; type?: number; description?: string },
  ): this {
    if (fields.description !== undefined) {
      this.bytes.set(new TextEncoder().encode(fields.description), this.#text);
      this.#pointer(offset, this.#text);
      this.#text += fields.description.length + 1;
    }
    this.#view.setUint16(offset + 8, fields.number ?? 0, true);
    this.#view.setUint16(offset + 10, fields.type ?? 0, true);
    this.#pointer(offset + 16, at.matchers + 16 * matchers.indexOf(fields.matches));
    return this;
  }

  range(offset: number, ...values: number[]): this {
    for (const [index, value] of values.entries())
      this.#view.setUint32(offset + 4 * index, value, true);
    return this;
  }

  #pointer(offset: number, target: number): void {
    const value = base + BigInt(target);
    if (!this.#relocated) {
      this.#view.setBigUint64(offset, value, true);
      return;
    }
    const entry = at.rela + 24 * this.#relocations++;
    this.#view.setBigUint64(entry, base + BigInt(offset), true);
    this.#view.setBigUint64(entry + 8, 1027n, true);
    this.#view.setBigUint64(entry + 16, value, true);
  }

  link(offset: number, target: number): this {
    this.#pointer(offset, target);
    return this;
  }
}

function symbols(): SymbolTable {
  const names = [
    '_text',
    ...matchers,
    'arm64_features',
    'arm64_errata',
    '__pi_rela_start',
    '__pi_rela_end',
  ];
  const places = [
    0,
    ...matchers.map((_, index) => at.matchers + 16 * index),
    at.features,
    at.errata,
    at.rela,
    0xf00,
  ];
  return new SymbolTable({
    names,
    types: new Uint8Array(names.length).fill(0x72),
    offsets: Float64Array.from(places),
    textBase: base,
  });
}

function recorded(relocated = false): TableImage {
  return new TableImage(relocated)
    .entry(at.features, {
      matches: 'has_cpuid_feature',
      number: 3,
      description: 'Privileged Access Never',
    })
    .entry(at.features + 72, {
      matches: 'has_bbml3',
      number: 11,
      type: 0x91,
      description: 'BBM Level 3',
    })
    .entry(at.errata, {
      matches: 'is_affected_midr_range',
      number: 90,
      type: 0x21,
      description: 'one range',
    })
    .range(at.errata + 32, 0x410fd070, 0, 0x100002)
    .entry(at.errata + 72, {
      matches: 'is_affected_midr_range_list',
      number: 12,
      type: 0x31,
      description: 'a list',
    })
    .link(at.errata + 72 + 32, at.list)
    .range(at.list, 0x410fd840, 0, 0xf0000f, 0x410fd830, 1, 2)
    .entry(at.errata + 144, {
      matches: 'cpucap_multi_entry_cap_matches',
      number: 5,
      type: 0x21,
      description: 'several',
    })
    .link(at.errata + 144 + 56, at.multi)
    .entry(at.multi, { matches: 'is_affected_midr_range' })
    .range(at.multi + 32, 0xc00fac30, 0, 0xf0000f);
}

t.test(
  'capabilities by part come in the order in which the kernel asks, others are left out',
  async (t) => {
    t.strictSame(cpuCapabilities(recorded().bytes, symbols()), [
      {
        number: 5,
        description: 'several',
        type: 0x21,
        match: { midrs: [{ model: 0xc00fac30, from: 0, to: 0xf0000f }] },
      },
      { number: 11, description: 'BBM Level 3', type: 0x91, match: { bbml: 'bbml3' } },
      {
        number: 12,
        description: 'a list',
        type: 0x31,
        match: {
          midrs: [
            { model: 0x410fd840, from: 0, to: 0xf0000f },
            { model: 0x410fd830, from: 1, to: 2 },
          ],
        },
      },
      {
        number: 90,
        description: 'one range',
        type: 0x21,
        match: { midrs: [{ model: 0x410fd070, from: 0, to: 0x100002 }] },
      },
    ]);
  },
);

t.test('pointers that wait for their relocation are read, too', async (t) => {
  t.strictSame(
    cpuCapabilities(recorded(true).bytes, symbols()),
    cpuCapabilities(recorded().bytes, symbols()),
  );
});

t.test(
  'a kernel without errata that match a part has none, one that shows no table is not known',
  async (t) => {
    const { bytes } = new TableImage(false).entry(at.features, {
      matches: 'has_cpuid_feature',
      number: 3,
    });
    t.strictSame(cpuCapabilities(bytes, symbols()), []);
    t.equal(cpuCapabilities(new Uint8Array(0x1000), symbols()), undefined);
  },
);

t.test('an Image whose tables hold anything is read to an end', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(0xfff), fc.nat(255)), { maxLength: 40 }),
      fc.nat(0x1000),
      (pokes, length) => {
        const { bytes } = recorded();
        for (const [offset, value] of pokes) bytes[offset] = value;
        return (cpuCapabilities(bytes.subarray(0, length), symbols())?.length ?? 0) < 1024;
      },
    ),
    { numRuns: 200 },
  );
  t.pass();
});
