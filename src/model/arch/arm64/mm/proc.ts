// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName } from '../../../../evidence/capture.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import { PTE_NG, PTE_VALID } from '../../../../linux/pgprot.ts';
import { type LinearMap, onceForNeighbours, TABLE, type Table } from '../../../linear-map.ts';
import type { Decisions, PredictedRegister } from '../../../types.ts';
import { idField, isMidrInRange } from '../kernel/cpufeature.ts';

/**
 * kpti_mk_tbl_ng of arch/arm64/mm/proc.S: sets PTE_NG entry by entry, the same bit for leaves and
 * tables. It skips entries that are not valid, and everything below an entry that has the bit
 * already.
 */
export function kpti_mk_tbl_ng(map: LinearMap, table: Table): void {
  const nonGlobal = onceForNeighbours((leaf) => {
    const attributes = map.attributes(leaf);
    return attributes & PTE_VALID ? map.leaf(attributes | PTE_NG) : leaf;
  });
  const { same } = table;
  // Leaves, or nothing, which stays nothing.
  if (same !== undefined) {
    table.fill(nonGlobal(same));
    return;
  }
  for (let index = 0; index < table.length; index++) {
    const entry = map.entry(table, index);
    if (entry === TABLE) {
      const below = table.tables.get(index) as Table;
      if (below.descriptor & PTE_NG) continue;
      below.descriptor |= PTE_NG;
      map.rewrote(table, index);
      kpti_mk_tbl_ng(map, below);
    } else if (map.isLeaf(entry)) {
      table.set(index, nonGlobal(entry));
    }
  }
}

/** What the control registers of a CPU depend on. */
interface RegisterInputs {
  traits: Pick<KernelTraits, 'geometry' | 'brokenDbm'> & {
    config: Pick<
      KernelTraits['config'],
      | 'vaBits'
      | 'paBits'
      | 'lpa2'
      | 'hwAfdbm'
      | 'haft'
      | 'e0pd'
      | 'mte'
      | 'randomizeBase'
      | 'fujitsuErratum010001'
    >;
  };
  decisions: Pick<Decisions, 'lpa2'>;
  /** The CPU's own registers, which __cpu_setup() and the capabilities' enable functions read. */
  idRegisters: Record<string, bigint>;
  /** vabits_actual. */
  vaBits: number;
  /** Physical address of swapper_pg_dir in bytes. */
  swapper: number;
}

/**
 * Collects fields of one register: value at lsb, width bits. The masks are added, so that fields
 * which overlap by mistake give another mask than theirs.
 */
function fields(
  why: string,
  list: [lsb: number, width: number, value: number | boolean][],
): PredictedRegister {
  let bits = 0n;
  let mask = 0n;
  for (const [lsb, width, value] of list) {
    bits |= BigInt(Number(value)) << BigInt(lsb);
    mask += ((1n << BigInt(width)) - 1n) << BigInt(lsb);
  }
  return { bits, mask, why };
}

/**
 * MIDR_FUJITSU_ERRATUM_010001 of arch/arm64/include/asm/cputype.h: v0r0 and v1r0, whose
 * TCR_EL1.NFD1 __cpu_setup() clears.
 */
function isA64fx(midr: bigint): boolean {
  return (midr & ~(1n << 20n)) === 0x460f0010n;
}

/** TG1 encodings (DDI 0487 TCR_EL1); they differ from TG0's. */
const TG1 = { 4096: 2, 16384: 1, 65536: 3 };

/**
 * TCR_EL1 as __cpu_setup() sets it (arch/arm64/mm/proc.S), with the changes of
 * remap_idmap_for_lpa2() (pi/map_kernel.c) and, once the CPU features are known, of
 * cpu_enable_hw_dbm() and cpu_enable_e0pd() (kernel/cpufeature.c). Only the fields that affect a
 * TTBR1 translation.
 */
function tcr(inputs: RegisterInputs, featuresEnabled: boolean): PredictedRegister {
  const { traits, decisions, idRegisters, vaBits } = inputs;
  const hafdbs = idField(idRegisters, 'ID_AA64MMFR1_EL1', 0);
  const parange = idField(idRegisters, 'ID_AA64MMFR0_EL1', 0) & 7;
  const midr = idRegisters.MIDR_EL1 ?? 0n;
  const { config } = traits;
  // cpu_can_use_dbm() of arch/arm64/kernel/cpufeature.c.
  const brokenDbm = traits.brokenDbm.some((range) => isMidrInRange(midr, range));
  const dbm = config.hwAfdbm && hafdbs >= 2 && !brokenDbm;
  const e0pd = config.e0pd && idField(idRegisters, 'ID_AA64MMFR2_EL1', 60) !== 0;
  const largestParange = config.paBits === 52 && (decisions.lpa2 || !config.lpa2) ? 6 : 5;
  return fields('__cpu_setup(), arch/arm64/mm/proc.S', [
    [16, 6, 64 - vaBits],
    [23, 1, 0],
    [24, 2, 1],
    [26, 2, 1],
    [28, 2, 3],
    [30, 2, TG1[traits.geometry.granule]],
    [32, 3, Math.min(parange, largestParange)],
    [36, 1, 1],
    [38, 1, config.mte],
    [39, 1, config.hwAfdbm && hafdbs !== 0],
    [40, 1, featuresEnabled && dbm],
    [42, 1, 0],
    [54, 1, config.randomizeBase && !(config.fujitsuErratum010001 && isA64fx(midr))],
    [56, 1, featuresEnabled && e0pd],
    [59, 1, decisions.lpa2],
  ]);
}

/**
 * MAIR_EL1_SET of arch/arm64/mm/proc.S; mte_cpu_setup() changes the tagged attribute to 0xf0 on a
 * CPU with FEAT_MTE2.
 */
function mair(inputs: RegisterInputs, featuresEnabled: boolean): PredictedRegister {
  const tagged = inputs.traits.config.mte && idField(inputs.idRegisters, 'ID_AA64PFR1_EL1', 8) >= 2;
  return fields('MAIR_EL1_SET, arch/arm64/mm/proc.S', [
    [0, 8, 0xff],
    [8, 8, tagged && featuresEnabled ? 0xf0 : 0xff],
    [16, 8, 0x44],
    [24, 8, 0x00],
    [32, 8, 0x04],
  ]);
}

/**
 * PIE_E1 of arch/arm64/include/asm/pgtable-prot.h: permission of each PIIndex at EL1. One nibble
 * per protection, from index 0: nothing, …, READONLY_EXEC r, SHARED_EXEC rw, KERNEL_ROX rx,
 * KERNEL_EXEC rwx, KERNEL_RO r, READONLY r, KERNEL rw, SHARED rw.
 */
const PIE_E1 = 0xcc880e0ac0800000n;
/** Nibbles of the kernel's own protections in PIRE0_EL1: EL0 has no access. */
const KERNEL_INDICES = 0x0f0f0f0f00000000n;

/** TCR2_EL1, PIR_EL1 and PIRE0_EL1 of __cpu_setup(); with the HAFT bit since 6.13. */
function indirection(inputs: RegisterInputs): Record<string, PredictedRegister> {
  const { traits, idRegisters } = inputs;
  const s1pie = idField(idRegisters, 'ID_AA64MMFR3_EL1', 8) !== 0;
  if (idField(idRegisters, 'ID_AA64MMFR3_EL1', 0) === 0) return {};
  const haft =
    traits.config.haft && traits.config.hwAfdbm && idField(idRegisters, 'ID_AA64MMFR1_EL1', 0) >= 3;
  const why = '__cpu_setup(), arch/arm64/mm/proc.S';
  const tcr2 = fields(why, [
    [1, 1, s1pie],
    [4, 1, 0],
    [5, 1, 0],
    [11, 1, haft],
  ]);
  if (!s1pie) return { TCR2_EL1: tcr2 };
  return {
    TCR2_EL1: tcr2,
    PIR_EL1: {
      bits: PIE_E1,
      mask: 2n ** 64n - 1n,
      why: 'PIE_E1, arch/arm64/include/asm/pgtable-prot.h',
    },
    PIRE0_EL1: {
      bits: 0n,
      mask: KERNEL_INDICES,
      why: 'PIE_E0, arch/arm64/include/asm/pgtable-prot.h',
    },
  };
}

/**
 * Bytes from swapper_pg_dir to the root that is walked. A kernel with 64K pages built for 52 bits
 * keeps its tables for 52 bits; on a CPU with 48 it uses only the last 64 of the 1024 entries
 * (offset_ttbr1, arch/arm64/include/asm/assembler.h). LPA2 has an extra level instead.
 */
function rootOffset({ traits: { config }, vaBits }: RegisterInputs): number {
  const entries = (bits: number): number => 2 ** (bits - 42);
  return config.vaBits === 52 && !config.lpa2 && vaBits === 48
    ? 8 * (entries(52) - entries(48))
    : 0;
}

type AlwaysThere = 'TCR_EL1' | 'MAIR_EL1' | 'SCTLR_EL1' | 'TTBR1_EL1';

/** Control registers of a CPU at a checkpoint. */
export function predictRegisters(
  inputs: RegisterInputs,
  checkpoint: CheckpointName,
): Record<string, PredictedRegister> & Record<AlwaysThere, PredictedRegister> {
  const featuresEnabled = checkpoint !== 'paging_init';
  return {
    TCR_EL1: tcr(inputs, featuresEnabled),
    MAIR_EL1: mair(inputs, featuresEnabled),
    // M, C, I set; WXN, EE clear: INIT_SCTLR_EL1_MMU_ON, arch/arm64/include/asm/sysreg.h.
    SCTLR_EL1: fields('INIT_SCTLR_EL1_MMU_ON, arch/arm64/include/asm/sysreg.h', [
      [0, 1, 1],
      [2, 1, 1],
      [12, 1, 1],
      [19, 1, 0],
      [25, 1, 0],
    ]),
    // BADDR[47:6]; below it are CnP and, with LPA2, BADDR[51:48]; above it is the ASID.
    TTBR1_EL1: {
      bits: BigInt(inputs.swapper + rootOffset(inputs)),
      mask: 0xffffffffffc0n,
      why: 'swapper_pg_dir',
    },
    ...indirection(inputs),
  };
}
