// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import type { Granule } from '../vmsa/types.ts';
import type { Machine } from './types.ts';

/**
 * A CPU that the emulator presents: QEMU's model with options, and the identity that the kernel
 * will read.
 */
interface CpuIdentity {
  name: string;
  /**
   * QEMU's -cpu argument. Pointer authentication and the vector extensions are off: they are slow,
   * and do not affect the tables.
   */
  qemu: string;
  /** MIDR_EL1, which QEMU's debugger interface does not show. */
  midr: bigint;
  /**
   * ID_AA64PFR0_EL1.CSV3, which it does not show either; present where it is not 1: the CPU is
   * vulnerable to Meltdown.
   */
  csv3?: 0;
  /** ID_AA64MMFR2_EL1.BBM that the monitor presents instead of QEMU's 2; needs a monitor. */
  bbm?: number;
  /** Page sizes in bytes; present where QEMU's model does not support all three. */
  granules?: Granule[];
  /** What the identity is for. */
  about: string;
}

const CHEAP = 'pauth=off,sve=off,sme=off';

/**
 * `max` with another MIDR: every feature of the emulator, and a real part's entry on the kernel's
 * lists.
 */
function masked(name: string, midr: bigint, about: string): CpuIdentity {
  return { name, qemu: `max,midr=0x${midr.toString(16)},${CHEAP}`, midr, about };
}

/** `max` with another level in ID_AA64MMFR2_EL1.BBM, which only the monitor can present. */
function withBbm(bbm: number): CpuIdentity {
  return {
    name: `max-bbm${bbm}`,
    qemu: `max,${CHEAP}`,
    midr: 0x000f0510n,
    bbm,
    about: `FEAT_BBM level ${bbm}; on no list`,
  };
}

/**
 * CPU identities by name. MIDR values: Arm ARM MIDR_EL1; parts from
 * arch/arm64/include/asm/cputype.h. Where QEMU has a model of the part, its revision and its ID
 * registers are those that QEMU took from the part's technical reference manual
 * (target/arm/tcg/cpu64.c). QEMU has no Cortex-A78: the registers of its Cortex-A78AE have 48-bit
 * physical addresses, those of its Cortex-A76 the 40 bits of the part.
 */
export const cpus: readonly CpuIdentity[] = [
  {
    name: 'max',
    qemu: `max,${CHEAP}`,
    midr: 0x000f0510n,
    about: 'everything QEMU emulates; on no list of the kernel',
  },
  masked(
    'neoverse-v3-r0p2',
    0x410fd842n,
    'oldest Neoverse-V3 that the kernel trusts with BBML2_NOABORT',
  ),
  masked('neoverse-v3-r0p1', 0x410fd841n, 'newest Neoverse-V3 that it does not trust'),
  masked('neoverse-v3-r1p2', 0x411fd842n, 'Neoverse-V3 of another variant: off the list'),
  masked('neoverse-v3ae-r0p2', 0x410fd832n, 'oldest Neoverse-V3AE on the list'),
  masked('neoverse-v3ae-r0p1', 0x410fd831n, 'newest Neoverse-V3AE off it'),
  masked('neoverse-v3ae-r1p2', 0x411fd832n, 'Neoverse-V3AE of another variant: off the list'),
  masked('cortex-x4-r0p3', 0x410fd823n, 'oldest Cortex-X4 on the list'),
  masked('cortex-x4-r0p2', 0x410fd822n, 'newest Cortex-X4 off it'),
  masked('cortex-x4-r1p3', 0x411fd823n, 'Cortex-X4 of another variant: off the list'),
  masked('nvidia-olympus', 0x4e0f0100n, 'NVIDIA Olympus: on the list in every revision'),
  masked('ampere1', 0xc00fac30n, 'AmpereOne: on the list in every revision'),
  masked('ampere1a', 0xc00fac40n, 'AmpereOne 1A: on the list in every revision'),
  masked('cortex-a520ae', 0x410fd880n, 'on the list from 7.3 on'),
  masked('cortex-a715', 0x410fd4d0n, 'on the list from 7.3 on'),
  masked('cortex-a720ae', 0x410fd890n, 'on the list from 7.3 on'),
  masked('cortex-a725', 0x410fd870n, 'on the list from 7.3 on'),
  masked('neoverse-n3', 0x410fd8e0n, 'on the list from 7.3 on'),
  masked('c1-nano', 0x410fd8a0n, 'on the list from 7.3 on'),
  masked('c1-pro', 0x410fd8b0n, 'on the list from 7.3 on'),
  masked('c1-ultra-r1p1', 0x411fd8c1n, 'oldest C1-Ultra on the list, from 7.3 on'),
  masked('c1-ultra-r1p0', 0x411fd8c0n, 'newest C1-Ultra off it (erratum 3683289)'),
  masked('c1-ultra-r0p1', 0x410fd8c1n, 'C1-Ultra of an older variant: off the list'),
  masked('c1-ultra-r2p0', 0x412fd8c0n, 'C1-Ultra of a newer variant: on the list, from 7.3 on'),
  masked('c1-premium-r1p1', 0x411fd901n, 'oldest C1-Premium on the list, from 7.3 on'),
  masked('c1-premium-r1p0', 0x411fd900n, 'newest C1-Premium off it (erratum 3683289)'),
  masked('c1-premium-r0p1', 0x410fd901n, 'C1-Premium of an older variant: off the list'),
  masked('c1-premium-r2p0', 0x412fd900n, 'C1-Premium of a newer variant: on the list, from 7.3 on'),
  ...[0, 1, 2, 3].map(withBbm),
  {
    name: 'cortex-a76',
    qemu: 'cortex-a76',
    midr: 0x414fd0b1n,
    about: '48-bit addresses, no LPA2, no E0PD',
  },
  {
    name: 'a64fx',
    qemu: 'a64fx,sve=off',
    midr: 0x461f0010n,
    csv3: 0,
    granules: [4096, 65536],
    about: '48-bit addresses; not safe from Meltdown, so that the kernel turns KPTI on',
  },
  {
    name: 'cortex-a57',
    qemu: 'cortex-a57',
    midr: 0x411fd070n,
    csv3: 0,
    granules: [4096, 65536],
    about: 'Armv8.0: no PAN, LSE or hardware access flag; 44-bit physical addresses',
  },
  {
    name: 'neoverse-n1',
    qemu: 'neoverse-n1',
    midr: 0x414fd0c1n,
    about: '48-bit addresses, no LPA2, no E0PD',
  },
  {
    name: 'neoverse-n2',
    qemu: 'neoverse-n2,pauth=off,sve=off',
    midr: 0x410fd493n,
    about: '48-bit addresses, E0PD',
  },
  {
    name: 'cortex-a35',
    qemu: 'cortex-a35',
    midr: 0x411fd040n,
    csv3: 0,
    about: 'r1p0; Armv8.0, and pages of 16K; 40-bit physical addresses',
  },
  {
    name: 'cortex-a53',
    qemu: 'cortex-a53',
    midr: 0x410fd034n,
    csv3: 0,
    granules: [4096, 65536],
    about: 'r0p4 (Raspberry Pi 3); Armv8.0; 40-bit physical addresses',
  },
  {
    name: 'cortex-a55',
    qemu: 'cortex-a55',
    midr: 0x412fd050n,
    csv3: 0,
    about:
      'r2p0; Armv8.2; on the list of CPUs that are safe from Meltdown; 40-bit physical addresses',
  },
  {
    name: 'cortex-a72',
    qemu: 'cortex-a72',
    midr: 0x410fd083n,
    csv3: 0,
    granules: [4096, 65536],
    about: 'r0p3 (Raspberry Pi 4); Armv8.0; 44-bit physical addresses',
  },
  {
    name: 'cortex-a78',
    qemu: 'cortex-a76,midr=0x411fd412',
    midr: 0x411fd412n,
    about: "r1p2; 40-bit physical addresses, no E0PD; QEMU's Cortex-A76 with this part's MIDR_EL1",
  },
  {
    name: 'cortex-a710',
    qemu: 'cortex-a710,pauth=off,sve=off',
    midr: 0x412fd471n,
    about: 'r2p1; FEAT_BBM level 2 but on no list; E0PD; 40-bit physical addresses',
  },
  {
    name: 'neoverse-v1',
    qemu: 'neoverse-v1,pauth=off,sve=off',
    midr: 0x411fd402n,
    about: 'r1p2 (Graviton3); FEAT_BBM level 2 but on no list; no E0PD',
  },
];

/** A CPU that is named by its MIDR_EL1 alone, as a board shows it. */
const byMidr = /^midr-0x([0-9a-f]{1,8})$/;

/** The name of a CPU that the list does not need to have. @param midr 32 bits */
export function midrName(midr: bigint): string {
  return `midr-0x${midr.toString(16)}`;
}

/** The identity with a name: one of the list, or any MIDR_EL1; undefined for another name. */
export function findCpu(name: string): CpuIdentity | undefined {
  const digits = byMidr.exec(name)?.[1];
  if (digits === undefined) return cpus.find((cpu) => cpu.name === name);
  const midr = BigInt(`0x${digits}`);
  return name === midrName(midr) ? masked(name, midr, 'named by its MIDR_EL1') : undefined;
}

/** Whether QEMU makes a CPU of its `max`, the only model that it gives FEAT_RME (x-rme). */
export const isOfMax = ({ qemu }: Pick<CpuIdentity, 'qemu'>): boolean => qemu.startsWith('max,');

/** @throws PtdiffError(usage) for a name that no CPU has */
export function cpuNamed(name: string): CpuIdentity {
  const found = findCpu(name);
  if (found) return found;
  throw new PtdiffError(
    'usage',
    `There is no CPU '${name}'; './ptdiff ls cpus' lists them, and any other is midr-0x with its MIDR_EL1.`,
  );
}

/**
 * The identity of each CPU of a machine, in order of their numbers.
 * @throws PtdiffError(usage) for a name that no CPU has
 */
export function identitiesOf({ cpu, cpus: count, others = [] }: Machine): CpuIdentity[] {
  return Array.from({ length: count }, (_, index) => cpuNamed(others[index - 1] ?? cpu));
}
