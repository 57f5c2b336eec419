// SPDX-License-Identifier: GPL-2.0-only
import { byRelease } from '../linux/changes/index.ts';
import { lastBoolean, valuesOf } from '../linux/cmdline.ts';
import { PTE_NG, PTE_VALID } from '../linux/pgprot.ts';
import type { Release } from '../linux/release.ts';
import type { BootState } from './boot-state.ts';
import { idField } from './cpufeature.ts';
import { kernelProt } from './kernel-prot.ts';
import { TABLE, type Table } from './linear-map.ts';
import { __kernel_map_pages } from './page-alloc.ts';

/** What unmap_kernel_at_el0() asks beside the CPUs. */
export interface KptiInputs {
  /** CONFIG_UNMAP_KERNEL_AT_EL0. */
  configured: boolean;
  /** ID registers of each CPU: the capability is set when any CPU needs it. */
  idRegisters: Record<string, bigint>[];
  parameters: string[];
  release: Release;
  /** kaslr_enabled() && kaslr_requires_kpti(): KASLR, and no FEAT_E0PD on the boot CPU. */
  kaslrWantsIt: boolean;
}

/**
 * Parts of kpti_safe_list[] in arch/arm64/kernel/cpufeature.c (the same from 6.12 to 7.3), as
 * implementer << 12 | part.
 */
const kptiSafeList = new Set([
  // ThunderX2, Vulcan, Brahma B53
  ...[0x430af, 0x42516, 0x42100],
  // Cortex-A35, A53, A55, A57, A72, A73
  ...[0x41d04, 0x41d03, 0x41d05, 0x41d07, 0x41d08, 0x41d09],
  // TSV110, Carmel, Kryo 2xx Gold and Silver, 3xx Silver, 4xx Silver
  ...[0x48d01, 0x4e004, 0x51800, 0x51801, 0x51803, 0x51805],
]);

/**
 * A CPU that leaks the kernel's mappings to EL0: on no list, and without ID_AA64PFR0_EL1.CSV3; one
 * that does not tell counts as safe.
 */
function isVulnerable(registers: Record<string, bigint>): boolean {
  const midr = registers.MIDR_EL1 ?? 0n;
  const part = Number((midr >> 24n) & 0xffn) * 2 ** 12 + Number((midr >> 4n) & 0xfffn);
  const told = registers.ID_AA64PFR0_EL1 !== undefined;
  return told && !kptiSafeList.has(part) && idField(registers, 'ID_AA64PFR0_EL1', 60) === 0;
}

/**
 * cpu_mitigations_off() as mitigations_parse_cmdline() leaves it (kernel/cpu.c): a value that
 * begins with none of the words is passed over. Since 6.17, which has a list of attack vectors
 * behind the word, anything may follow it.
 */
export function cpu_mitigations_off(parameters: readonly string[], release: Release): boolean {
  const words = ['auto,nosmt', 'auto', 'off'];
  const vectors = byRelease(release, 'mitigations-have-vectors');
  const given = valuesOf(parameters, 'mitigations').map((value) =>
    words.find((word) => (vectors ? value.startsWith(word) : value === word)),
  );
  return given.filter((word) => word !== undefined).at(-1) === 'off';
}

/**
 * unmap_kernel_at_el0() of arch/arm64/kernel/cpufeature.c: whether the kernel is unmapped while
 * user space runs, and who decided. parse_kpti() takes the last value that kstrtobool() does;
 * 'mitigations=off' counts only where nothing else was said.
 */
export function unmap_kernel_at_el0(inputs: KptiInputs): { kpti: boolean; because: string } {
  if (!inputs.configured) return { kpti: false, because: 'CONFIG_UNMAP_KERNEL_AT_EL0 is off' };
  const forced = lastBoolean(inputs.parameters, 'kpti', inputs.release);
  if (forced !== undefined) return { kpti: forced, because: 'forced by the parameter kpti=' };
  if (inputs.kaslrWantsIt) return { kpti: true, because: 'forced by KASLR' };
  if (cpu_mitigations_off(inputs.parameters, inputs.release))
    return { kpti: false, because: 'forced by mitigations=off' };
  const vulnerable = inputs.idRegisters.findIndex(isVulnerable);
  return vulnerable < 0
    ? { kpti: false, because: 'every CPU has ID_AA64PFR0_EL1.CSV3 or is on the safe list' }
    : { kpti: true, because: `CPU ${vulnerable} has no CSV3 and is not on the safe list` };
}

/**
 * kpti_mk_tbl_ng of arch/arm64/mm/proc.S: entry by entry PTE_NG is or-ed in, the same bit for
 * leaves and tables. Entries that are not valid are skipped, and so is everything below an entry
 * that has the bit already.
 */
function makeNonGlobal(state: BootState, table: Table): void {
  const { map } = state;
  for (let index = 0; index < table.entries.length; index++) {
    const entry = map.entry(table, index);
    if (entry === TABLE) {
      const below = table.tables.get(index) as Table;
      if (below.descriptor & PTE_NG) continue;
      below.descriptor |= PTE_NG;
      makeNonGlobal(state, below);
    } else if (map.isLeaf(entry)) {
      const attributes = map.attributes(entry);
      if (attributes & PTE_VALID) table.entries[index] = map.leaf(attributes | PTE_NG);
    }
  }
}

/**
 * kpti_install_ng_mappings(), called by setup_system_features(): where KPTI is on and the first
 * mappings were global, all of swapper_pg_dir is rewritten, and from then on PTE_MAYBE_NG is
 * PTE_NG. 47546a1912fc (6.0) gave it its form; arch/arm64/kernel/cpufeature.c, since 6.18 mm/mmu.c.
 */
export function kpti_install_ng_mappings(state: BootState): void {
  const { traits, decisions, why } = state;
  if (!decisions.kpti || decisions.useNgMappings) return;
  // They are invalid then, so the rewriting skips them.
  __kernel_map_pages(state, state.freeAtKpti);
  makeNonGlobal(state, state.map.root);
  state.prot = kernelProt(traits, { useNgMappings: true, lpa2: decisions.lpa2 });
  why(
    'kpti_install_ng_mappings()',
    'arch/arm64/mm/proc.S',
    'every valid entry, tables included, becomes non-global',
  );
}
