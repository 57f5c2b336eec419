// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type CpuCapability, cpucapType } from '../../../../../src/linux/cpu-capabilities.ts';
import { geometryOf } from '../../../../../src/linux/geometry.ts';
import type { KernelTraits } from '../../../../../src/linux/kernel-traits.ts';
import { parseRelease } from '../../../../../src/linux/release.ts';
import {
  cpuHasLargeVa,
  matches,
  unmap_kernel_at_el0,
  verify_local_cpu_caps,
} from '../../../../../src/model/arch/arm64/kernel/cpufeature.ts';
import type { IdRegisters } from '../../../../../src/model/boot-state.ts';
import { predict } from '../../../../../src/model/predict.ts';
import { questionOfGolden, readGolden } from '../../../golden.ts';

/** MIDR_EL1 of a part, r0p0. */
const midr = (implementer: number, part: number): bigint =>
  (BigInt(implementer) << 24n) | (0xfn << 16n) | (BigInt(part) << 4n);

/** Whether KPTI is on, on CPUs of these parts without CSV3 that KASLR does not ask for it. */
function kptiOn(...parts: [implementer: number, part: number][]): boolean {
  const config = { unmapKernelAtEl0: true, e0pd: true, randomizeBase: true };
  const { kpti } = unmap_kernel_at_el0({
    traits: { config, release: parseRelease('7.3.4') } as KernelTraits,
    idRegisters: parts.map(([implementer, part]) => ({
      MIDR_EL1: midr(implementer, part),
      ID_AA64PFR0_EL1: 0n,
    })),
    parameters: [],
    kaslr: false,
  });
  return kpti;
}

/** kpti_safe_list[] with the numbers of arch/arm64/include/asm/cputype.h. */
const safe: [name: string, implementer: number, part: number][] = [
  ['Cavium ThunderX2', 0x43, 0x0af],
  ['Broadcom Vulcan', 0x42, 0x516],
  ['Broadcom Brahma B53', 0x42, 0x100],
  ['Cortex-A35', 0x41, 0xd04],
  ['Cortex-A53', 0x41, 0xd03],
  ['Cortex-A55', 0x41, 0xd05],
  ['Cortex-A57', 0x41, 0xd07],
  ['Cortex-A72', 0x41, 0xd08],
  ['Cortex-A73', 0x41, 0xd09],
  ['HiSilicon TSV110', 0x48, 0xd01],
  ['NVIDIA Carmel', 0x4e, 0x004],
  ['Qualcomm Kryo 2xx Gold', 0x51, 0x800],
  ['Qualcomm Kryo 2xx Silver', 0x51, 0x801],
  ['Qualcomm Kryo 3xx Silver', 0x51, 0x803],
  ['Qualcomm Kryo 4xx Silver', 0x51, 0x805],
];

t.test('unmap_kernel_at_el0(): what comes first decides', async (t) => {
  const [vulnerable, csv3] = [0n, 1n << 60n];
  const on = { unmapKernelAtEl0: true, e0pd: true, randomizeBase: true };
  for (const [config, pfr0, kaslr, parameters, kpti, because] of [
    [on, vulnerable, false, [], true, /no CSV3/],
    [on, csv3, false, [], false, /CSV3/],
    [on, csv3, true, [], true, /KASLR/],
    [{ ...on, randomizeBase: false }, csv3, true, [], false, /CSV3/],
    [on, vulnerable, false, ['mitigations=off'], false, /mitigations=off/],
    [on, csv3, true, ['mitigations=off'], true, /KASLR/],
    [on, vulnerable, true, ['kpti=off'], false, /kpti=/],
    [on, csv3, false, ['kpti=on', 'mitigations=off'], true, /kpti=/],
    [{ ...on, unmapKernelAtEl0: false }, vulnerable, true, ['kpti=on'], false, /CONFIG_UNMAP/],
  ] as const)
    t.match(
      unmap_kernel_at_el0({
        traits: { config, release: parseRelease('7.3.4') } as KernelTraits,
        // Cortex-A75.
        idRegisters: [{ MIDR_EL1: midr(0x41, 0xd0a), ID_AA64PFR0_EL1: pfr0 }],
        parameters: [...parameters],
        kaslr,
      }),
      { kpti, because },
    );
});

// ThunderX: arch/arm64/kernel/cpu_errata.c of 7.3, cavium_erratum_27456_cpus[].
t.test('Cavium erratum 27456 forbids KPTI, whatever asks for it', async (t) => {
  const erratum = { description: 'Cavium erratum 27456' } as CpuCapability;
  const answer = (MIDR_EL1: bigint, cpuCapabilities: CpuCapability[] | undefined) => {
    const config = { unmapKernelAtEl0: true, e0pd: true, randomizeBase: true };
    const traits = { config, release: parseRelease('7.3.4'), cpuCapabilities } as KernelTraits;
    const kernel = { traits, idRegisters: [{ MIDR_EL1 }], parameters: ['kpti=on'], kaslr: true };
    return unmap_kernel_at_el0(kernel).kpti;
  };
  for (const [name, MIDR_EL1, kpti] of [
    ['T88 pass 1.0', 0x430f_0a10n, false],
    ['T88 pass 2.1', 0x431f_0a11n, false],
    ['T88 pass 2.2', 0x431f_0a12n, true],
    ['T81 pass 1.0', 0x430f_0a20n, false],
    ['T81 pass 1.1', 0x430f_0a21n, true],
    ['T83', 0x430f_0a30n, true],
  ] as const) {
    t.equal(answer(MIDR_EL1, [erratum]), kpti, name);
    t.equal(answer(MIDR_EL1, undefined), kpti, `${name}, a kernel that hides its list`);
    t.equal(answer(MIDR_EL1, []), true, `${name}, CONFIG_CAVIUM_ERRATUM_27456 is off`);
  }
});

t.test('every part of kpti_safe_list[] does without KPTI, unless another needs it', async (t) => {
  for (const [name, implementer, part] of safe) {
    t.notOk(kptiOn([implementer, part]), name);
    t.ok(kptiOn([implementer, part], [0x41, 0xd0a]), `${name} beside a Cortex-A75`);
  }
});

t.test('parts that are not on the list need KPTI without CSV3', async (t) => {
  const others: [string, number, number][] = [
    ['Cortex-A75', 0x41, 0xd0a],
    ['Cortex-A76', 0x41, 0xd0b],
    ['Qualcomm Kryo 3xx Gold', 0x51, 0x802],
    ['Qualcomm Kryo 4xx Gold', 0x51, 0x804],
    ["Cortex-A53's number of another implementer", 0x42, 0xd03],
  ];
  for (const [name, implementer, part] of others) t.ok(kptiOn([implementer, part]), name);
});

const A57 = { MIDR_EL1: midr(0x41, 0xd07) };
const A72 = { MIDR_EL1: midr(0x41, 0xd08) };
const range = { model: Number(A57.MIDR_EL1), from: 0, to: 0xf0000f };
const erratum: CpuCapability = {
  number: 1,
  description: 'an erratum of Cortex-A57',
  type: 0,
  match: { midrs: [range] },
};
const bbml3: CpuCapability = {
  number: 2,
  description: 'BBM Level 3',
  type: 0,
  match: { bbml: 'bbml3', listed: [range] },
};

/** What a CPU that comes after boot is refused for. */
function refusal(capability: CpuCapability, boot: IdRegisters[], late: IdRegisters) {
  const traits = { cpuCapabilities: [capability] } as KernelTraits;
  return verify_local_cpu_caps(traits, boot, late)?.description;
}

t.test('one CPU gives the system an erratum, all of them a feature', async (t) => {
  t.equal(refusal(erratum, [A57, A72], A57), undefined);
  t.equal(refusal(erratum, [A57, A72], A72), erratum.description);
  t.equal(refusal(erratum, [A72, A72], A57), erratum.description);
  t.equal(refusal(bbml3, [A57, A72], A72), undefined);
  t.equal(refusal(bbml3, [A57, A72], A57), bbml3.description);
  t.equal(refusal(bbml3, [A57, A57], A72), bbml3.description);
});

t.test('a late CPU may lack what is optional, and have what is permitted', async (t) => {
  const optional = { ...erratum, type: cpucapType.optionalForLate };
  const permitted = { ...erratum, type: cpucapType.permittedForLate };
  t.equal(refusal(optional, [A57], A72), undefined);
  t.equal(refusal(optional, [A72], A57), optional.description);
  t.equal(refusal(permitted, [A72], A57), undefined);
  t.equal(refusal(permitted, [A57], A72), permitted.description);
});

t.test("a CPU matches by the kernel's list, or by the register that it reads", async (t) => {
  const level = (value: bigint) => ({ ...A72, ID_AA64MMFR2_EL1: value << 52n });
  t.ok(matches(bbml3, A57), 'listed');
  t.notOk(matches(bbml3, level(2n)), 'neither');
  t.ok(matches(bbml3, level(3n)), 'by ID_AA64MMFR2_EL1.BBM');
  const bbml2 = { ...bbml3, match: { bbml: 'bbml2' as const, listed: [range] } };
  t.notOk(matches(bbml2, level(3n)), 'which kernels before 7.3 do not read');
  const hidden = { ...bbml3, match: { bbml: 'bbml3' as const } };
  t.ok(matches(hidden, { MIDR_EL1: 0x410fd842n }), "Neoverse-V3 r0p2, by the model's own list");
  t.notOk(matches(hidden, A57), 'where the Image does not show its own');
  t.notOk(matches(erratum, {}), 'a CPU whose MIDR_EL1 nobody read has no erratum');
});

/** All values of a field of 4 bits. */
const nibbles = Array.from({ length: 16 }, (_, value) => value);

t.test('a CPU has large virtual addresses by the field of its granule', async (t) => {
  // Arm ARM, ID_AA64MMFR0_EL1 and 2. cpu_has_lpa2() takes TGran4 and TGran16 for signed,
  // cpu_has_lva() takes VARange for unsigned.
  for (const [granule, register, lsb, large] of [
    [4096, 'ID_AA64MMFR0_EL1', 28n, (value: number) => value >= 1 && value <= 7],
    [16384, 'ID_AA64MMFR0_EL1', 20n, (value: number) => value >= 2 && value <= 7],
    [65536, 'ID_AA64MMFR2_EL1', 16n, (value: number) => value >= 1],
  ] as const) {
    const traits = { geometry: geometryOf(granule) } as KernelTraits;
    const found = nibbles.filter((value) =>
      cpuHasLargeVa(traits, { [register]: BigInt(value) << lsb }),
    );
    t.same(found, nibbles.filter(large), `pages of ${granule} bytes`);
  }
});

t.test('a CPU whose part nobody read is on no list: CSV3 alone makes it safe', async (t) => {
  const config = { unmapKernelAtEl0: true, e0pd: true, randomizeBase: true };
  const kpti = (csv3: bigint) =>
    unmap_kernel_at_el0({
      traits: { config, release: parseRelease('7.3.4') } as KernelTraits,
      idRegisters: [{ ID_AA64PFR0_EL1: csv3 << 60n }],
      parameters: [],
      kaslr: false,
    }).kpti;
  t.equal(kpti(0n), true);
  t.equal(kpti(1n), false);
});

t.test("the derivation calls the system's capability by its kernel's name", async (t) => {
  for (const [golden, names] of [
    ['6.12.107+deb13-arm64@cortex-a76', []],
    ['6.18.15+deb13-arm64@neoverse-v3-r0p2', ['system_supports_bbml2_noabort()']],
    ['7.3.4+deb13-arm64@neoverse-v3-r0p2', ['system_supports_bbml3()']],
  ] as const) {
    const { derivation } = predict(questionOfGolden(readGolden(`${golden}.json.gz`)));
    const asked = derivation.map(({ where }) => where);
    t.same(
      asked.filter((where) => where.startsWith('system_supports_')),
      names,
      golden,
    );
  }
});
