// SPDX-License-Identifier: GPL-2.0-only
import type { SystemRegisters } from '../../vmsa/types.ts';
import { type Invariant, inTrampoline } from '../context.ts';
import { differingFields } from '../register-fields.ts';
import { hex } from '../text.ts';
import { violation } from './violation.ts';

const all = 2n ** 64n - 1n;

/**
 * What all CPUs must have in common, as masks. Fields that the kernel sets per CPU or per task are
 * left out: ASID and CnP in TTBR1; T0SZ (idmap), IPS (tcr_compute_pa_size), HA and HD
 * (cpu_has_hw_af(), cpu_enable_hw_dbm()) in TCR; everything in SCTLR except M, C, I and WXN
 * (arch/arm64/mm/proc.S, arch/arm64/kernel/cpufeature.c).
 */
const common: [register: keyof SystemRegisters, mask: bigint][] = [
  ['TTBR1_EL1', 0xffff_ffff_fffen],
  ['TCR_EL1', all & ~0x3fn & ~(7n << 32n) & ~(3n << 39n)],
  ['MAIR_EL1', all],
  ['SCTLR_EL1', (1n << 0n) | (1n << 2n) | (1n << 12n) | (1n << 19n)],
  ['TCR2_EL1', 1n << 1n],
  ['MAIR2_EL1', all],
  ['PIR_EL1', all],
  ['PIRE0_EL1', all],
];

/**
 * All online CPUs translate the kernel half in the same way: same root, same TCR, MAIR and
 * permission registers. One TLB entry may serve several CPUs (CnP), and the kernel has one
 * swapper_pg_dir. A CPU that is in user space under KPTI has tramp_pg_dir instead.
 */
export const cpusAgree: Invariant = (context) => {
  const { capture } = context;
  if (capture.registersPredicted) return [];
  const online = capture.cpus.flatMap(({ online, registers }, cpu) =>
    online ? [{ cpu, registers }] : [],
  );
  // A CPU in the trampoline says nothing about the others' root; compare with one that is not in
  // it.
  const reference =
    online.find(({ registers }) => !inTrampoline(context.image, registers)) ?? online[0];
  if (!reference) return [];
  return common.flatMap(([register, mask]) => {
    const expected = reference.registers[register];
    const lines = online.flatMap(({ cpu, registers }) => {
      if (register === 'TTBR1_EL1' && inTrampoline(context.image, registers)) return [];
      const value = registers[register];
      const fields = differingFields(register, expected ?? 0n, value ?? 0n, mask).map(
        ({ field }) => field,
      );
      const gone = (value === undefined) !== (expected === undefined);
      if (fields.length === 0 && !gone) return [];
      const text = (v: bigint | undefined) => (v === undefined ? 'absent' : hex(v));
      return [
        `  CPU ${cpu}: ${text(value)} (${fields.join(', ')}), CPU ${reference.cpu}: ${text(expected)}`,
      ];
    });
    if (lines.length === 0) return [];
    const rule = {
      name: 'cpus-agree',
      nature: register,
      title: `${register} differs between online CPUs`,
      because:
        'The kernel half has one set of tables and one meaning: these registers must be the same on all CPUs.',
    };
    return [violation(context, rule, lines)];
  });
};
