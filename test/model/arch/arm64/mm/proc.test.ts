// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { everyBrokenDbm } from '../../../../../src/linux/broken-dbm.ts';
import { type Geometry, geometryOf } from '../../../../../src/linux/geometry.ts';
import { PTE_NG, PTE_VALID, TABLE_TYPE } from '../../../../../src/linux/pgprot.ts';
import { kpti_mk_tbl_ng, predictRegisters } from '../../../../../src/model/arch/arm64/mm/proc.ts';
import { LinearMap } from '../../../../../src/model/linear-map.ts';
import type { PredictedRegister } from '../../../../../src/model/types.ts';
import { given } from '../../../../given.ts';

type Inputs = Parameters<typeof predictRegisters>[0];

/** ID registers of a CPU that has all that __cpu_setup() looks for: the fields of DDI 0487 D24.2. */
const capable = {
  // PARange: 52 bits.
  ID_AA64MMFR0_EL1: 6n,
  // HAFDBS: access flags of leaves and tables, and dirty state.
  ID_AA64MMFR1_EL1: 3n,
  // E0PD.
  ID_AA64MMFR2_EL1: 1n << 60n,
  // S1PIE, TCRX.
  ID_AA64MMFR3_EL1: (1n << 8n) | 1n,
  // MTE: FEAT_MTE2.
  ID_AA64PFR1_EL1: 2n << 8n,
};

interface Asked {
  config?: Partial<Inputs['traits']['config']>;
  brokenDbm?: Inputs['traits']['brokenDbm'];
  cpu?: Record<string, bigint>;
  geometry?: Geometry;
  lpa2?: boolean;
  at?: 'paging_init' | 'init';
}

/** What is predicted for a kernel with every option, on that CPU, but for what is said. */
function registers(asked: Asked) {
  const { config, cpu, geometry = geometryOf(4096), lpa2 = true, at = 'init' } = asked;
  const { brokenDbm = everyBrokenDbm } = asked;
  const everything = {
    ...({ vaBits: 52, paBits: 52, lpa2: true, hwAfdbm: true, haft: true } as const),
    ...({ e0pd: true, mte: true, randomizeBase: true, fujitsuErratum010001: true } as const),
  };
  const inputs: Inputs = {
    traits: { geometry, config: { ...everything, ...config }, brokenDbm },
    decisions: { lpa2 },
    idRegisters: { ...capable, ...cpu },
    vaBits: 52,
    swapper: 0x4200_0000,
  };
  return predictRegisters(inputs, at);
}

/** Fields by their highest and lowest bit, as the Arm ARM and arch/arm64/tools/sysreg have them. */
type Fields = Record<string, [high: number, low: number]>;

const tcrFields: Fields = {
  ...{ T1SZ: [21, 16], EPD1: [23, 23], IRGN1: [25, 24], ORGN1: [27, 26], SH1: [29, 28] },
  ...{ TG1: [31, 30], IPS: [34, 32], AS: [36, 36], TBI1: [38, 38], HA: [39, 39], HD: [40, 40] },
  ...{ HPD1: [42, 42], NFD1: [54, 54], E0PD1: [56, 56], DS: [59, 59] },
};
const mairFields: Fields = {
  ...{ NORMAL: [7, 0], NORMAL_TAGGED: [15, 8], NORMAL_NC: [23, 16] },
  ...{ DEVICE_nGnRnE: [31, 24], DEVICE_nGnRE: [39, 32] },
};
const sctlrFields: Fields = { M: [0, 0], C: [2, 2], I: [12, 12], WXN: [19, 19], EE: [25, 25] };
const tcr2Fields: Fields = { PIE: [1, 1], AIE: [4, 4], D128: [5, 5], HAFT: [11, 11] };

/** The value of each field, and whether the prediction is about these fields and nothing else. */
function decode(predicted: PredictedRegister | undefined, named: Fields) {
  const { bits, mask } = given(predicted);
  const values: Record<string, number> = {};
  let [whole, rest] = [0n, bits];
  for (const [name, [high, low]] of Object.entries(named)) {
    const own = (2n << BigInt(high)) - (1n << BigInt(low));
    values[name] = Number((bits & own) >> BigInt(low));
    whole |= own;
    rest &= ~own;
  }
  return { values, exact: mask === whole && rest === 0n };
}

t.test('every field that a kernel with all options sets on a CPU with all features', async (t) => {
  const { TCR_EL1, MAIR_EL1, SCTLR_EL1, TCR2_EL1, PIR_EL1, PIRE0_EL1 } = registers({});
  t.same(decode(TCR_EL1, tcrFields), {
    values: {
      // TCR_CACHE_FLAGS and TCR_SHARED: write-back write-allocate, inner shareable.
      ...{ T1SZ: 64 - 52, EPD1: 0, IRGN1: 0b01, ORGN1: 0b01, SH1: 0b11 },
      ...{ TG1: 0b10, IPS: 0b110, AS: 1, TBI1: 1, HA: 1, HD: 1, HPD1: 0, NFD1: 1, E0PD1: 1, DS: 1 },
    },
    exact: true,
  });
  t.same(decode(MAIR_EL1, mairFields), {
    // MAIR_ATTR_* of arch/arm64/include/asm/sysreg.h.
    values: {
      ...{ NORMAL: 0xff, NORMAL_TAGGED: 0xf0, NORMAL_NC: 0x44 },
      ...{ DEVICE_nGnRnE: 0x00, DEVICE_nGnRE: 0x04 },
    },
    exact: true,
  });
  t.same(decode(SCTLR_EL1, sctlrFields), {
    values: { M: 1, C: 1, I: 1, WXN: 0, EE: 0 },
    exact: true,
  });
  t.same(decode(TCR2_EL1, tcr2Fields), {
    values: { PIE: 1, AIE: 0, D128: 0, HAFT: 1 },
    exact: true,
  });
  t.equal(given(PIR_EL1).mask, 0xffff_ffff_ffff_ffffn);
  // PIE_E0 has no word on _PAGE_KERNEL_ROX (8), _EXEC (a), _RO (c) and _PAGE_KERNEL (e).
  const { bits, mask } = given(PIRE0_EL1);
  t.same({ bits, mask }, { bits: 0n, mask: 0x0f0f_0f0f_0000_0000n });
});

const tcrOf = (asked: Asked) => decode(registers(asked).TCR_EL1, tcrFields).values;

t.test('TG1 has an encoding of its own', async (t) => {
  t.equal(tcrOf({ geometry: geometryOf(16384) }).TG1, 0b01);
  t.equal(tcrOf({ geometry: geometryOf(65536) }).TG1, 0b11);
});

t.test(
  'tcr_compute_pa_size: IPS is what the CPU has, up to what the kernel is built for',
  async (t) => {
    // 42, 48, 52 and 56 bits.
    const sizes = (asked: Asked) =>
      [3n, 5n, 6n, 7n].map(
        (ID_AA64MMFR0_EL1) => tcrOf({ ...asked, cpu: { ID_AA64MMFR0_EL1 } }).IPS,
      );
    t.same(sizes({}), [3, 5, 6, 6]);
    t.same(sizes({ config: { paBits: 48, lpa2: false }, lpa2: false }), [3, 5, 5, 5]);
  },
);

/** MIDR_EL1 of a part, by implementer, part, variant and revision. */
const midr = (implementer: bigint, part: bigint, variant: bigint, revision: bigint) => ({
  MIDR_EL1: (implementer << 24n) | (variant << 20n) | (0xfn << 16n) | (part << 4n) | revision,
});
const [arm, fujitsu, qualcomm] = [0x41n, 0x46n, 0x51n];

t.test('dirty state is not left to the CPUs of cpu_has_broken_dbm()', async (t) => {
  const parts: [name: string, registers: Record<string, bigint>, HD: number][] = [
    ['Cortex-A55 r0p0', midr(arm, 0xd05n, 0n, 0n), 0],
    ['Cortex-A55 r2p0', midr(arm, 0xd05n, 2n, 0n), 0],
    ['Cortex-A55 of the highest version', midr(arm, 0xd05n, 15n, 15n), 0],
    ['Cortex-A510 r0p0', midr(arm, 0xd46n, 0n, 0n), 0],
    ['Cortex-A510 r0p2', midr(arm, 0xd46n, 0n, 2n), 0],
    ['Cortex-A510 r0p3', midr(arm, 0xd46n, 0n, 3n), 1],
    ['Cortex-A510 r1p0', midr(arm, 0xd46n, 1n, 0n), 1],
    ['Cortex-A710 r0p0', midr(arm, 0xd47n, 0n, 0n), 1],
    ['Kryo 4xx Silver rdpe', midr(qualcomm, 0x805n, 13n, 14n), 0],
    ['Kryo 4xx Silver rdpf', midr(qualcomm, 0x805n, 13n, 15n), 1],
    ["another implementer's 0xd05", midr(fujitsu, 0xd05n, 0n, 0n), 1],
  ];
  for (const [name, cpu, HD] of parts) t.equal(tcrOf({ cpu }).HD, HD, name);
  t.equal(tcrOf({ at: 'paging_init' }).HD, 0, 'cpu_enable_hw_dbm() has not run yet');
});

t.test("the kernel's own list is the one that counts", async (t) => {
  const a55 = midr(arm, 0xd05n, 1n, 0n);
  t.equal(tcrOf({ cpu: a55, brokenDbm: [] }).HD, 1, 'built without ARM64_ERRATUM_1024718');
  const brokenDbm = [{ model: 0x410fd050, from: 0, to: 0x100000 }];
  t.equal(tcrOf({ cpu: a55, brokenDbm }).HD, 0);
  t.equal(tcrOf({ cpu: midr(arm, 0xd05n, 2n, 0n), brokenDbm }).HD, 1, 'and its bounds');
});

t.test(
  "MIDR_FUJITSU_ERRATUM_010001: the A64FX's NFD1 is cleared by a kernel that knows it",
  async (t) => {
    const a64fx = midr(fujitsu, 0x001n, 1n, 0n);
    t.equal(tcrOf({ cpu: a64fx }).NFD1, 0);
    t.equal(tcrOf({ cpu: a64fx, config: { fujitsuErratum010001: false } }).NFD1, 1);
    t.equal(tcrOf({ cpu: midr(fujitsu, 0x001n, 2n, 0n) }).NFD1, 1, 'v2r0 has no such erratum');
  },
);

t.test('mte_cpu_setup() makes the tagged attribute Tagged, on CPUs with FEAT_MTE2', async (t) => {
  const tagged = (asked: Asked) =>
    decode(registers(asked).MAIR_EL1, mairFields).values.NORMAL_TAGGED;
  t.equal(tagged({}), 0xf0);
  t.equal(tagged({ at: 'paging_init' }), 0xff, 'cpu_enable_mte() has not run yet');
  t.equal(tagged({ cpu: { ID_AA64PFR1_EL1: 1n << 8n } }), 0xff, 'FEAT_MTE has no memory of tags');
  t.equal(tagged({ config: { mte: false } }), 0xff);
});

t.test('permissions are indirect with FEAT_S1PIE alone; FEAT_TCR2 adds TCR2_EL1', async (t) => {
  const without = registers({ cpu: { ID_AA64MMFR3_EL1: 1n } });
  t.equal(decode(without.TCR2_EL1, tcr2Fields).values.PIE, 0);
  t.notOk(without.PIR_EL1 ?? without.PIRE0_EL1);
  t.notOk(registers({ cpu: { ID_AA64MMFR3_EL1: 0n } }).TCR2_EL1);
});

t.test('a kernel that is built without an option does not set its field', async (t) => {
  for (const [option, field] of [
    ['e0pd', 'E0PD1'],
    // TCR_KASLR_FLAGS.
    ['randomizeBase', 'NFD1'],
    ['mte', 'TBI1'],
    ['hwAfdbm', 'HA'],
  ] as const) {
    t.equal(tcrOf({ config: { [option]: true } })[field], 1, option);
    t.equal(tcrOf({ config: { [option]: false } })[field], 0, option);
  }
});

t.test('kpti_mk_tbl_ng skips what is below a table that has the bit already', async (t) => {
  const map = new LinearMap(geometryOf(4096), 39, 0n, 0);
  const [first, second] = [0, 1].map((index) => map.populate(map.root, index, TABLE_TYPE));
  const global = map.leaf(PTE_VALID);
  for (const table of [first, second]) given(table).set(7, global);
  given(first).descriptor |= PTE_NG;
  kpti_mk_tbl_ng(map, map.root);
  t.equal(given(first).at(7), global);
  t.equal(map.attributes(given(second).at(7)), PTE_VALID | PTE_NG);
  t.equal(given(second).descriptor, TABLE_TYPE | PTE_NG);
});
