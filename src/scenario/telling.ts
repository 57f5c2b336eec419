// SPDX-License-Identifier: GPL-2.0-only
/**
 * The scenarios that tell most about one commit, the most telling first. Together they show that
 * each condition of the kernel's decision functions decides independently (MC/DC), in each world,
 * on boot CPUs with and without the BBM capability, and on every generation that has the condition.
 * test/scenario/telling.test.ts breaks one condition of the model after another, and at least one
 * scenario must then give another result.
 */
export const tellingScenarios: readonly string[] = [
  // Blocks that are split on demand, since KFENCE's pool may be allocated late; and CPUs that
  // differ: blocks are repainted, and a realm shares memory.
  'neoverse-v3-r0p2+noalias',
  'realm+neoverse-v3-r0p2+then-max',
  // Without the capability: blocks, since nothing requires pages; pages for KFENCE alone, with
  // nothing read-only; pages for rodata= alone.
  'max+noalias+kfence100',
  'max+off',
  'max+kfence100',
  // With the capability: for rodata= alone, and for nothing.
  'neoverse-v3-r0p2+kfence100',
  'neoverse-v3-r0p2+off+kfence100',
  // The same in realms, where pages must be shared.
  'realm+max+noalias+kfence100',
  'realm+max+noalias',
  'realm+max+kfence100',
  'realm+neoverse-v3-r0p2+noalias+kfence100',
  'realm+neoverse-v3-r0p2+noalias',
  'realm+neoverse-v3-r0p2+kfence100',
  // KPTI: needed by the CPU, not needed by a CPU on the kernel's safe list, required by KASLR, not
  // required with FEAT_E0PD, requested by the parameter.
  'a64fx',
  'cortex-a72+el2',
  'cortex-a76+kaslr',
  'max+kaslr',
  'max+kpti',
  // CPUs just outside the allow list, by revision and by variant, and one that the kernel trusts
  // because of its ID register.
  'neoverse-v3-r0p1',
  'neoverse-v3-r1p2',
  'monitor+max-bbm3',
  // debug_pagealloc, where the kernel has it.
  'max+noalias+kfence100+pagealloc',
  'neoverse-v3-r0p2+pagealloc',
  'realm+max+pagealloc',
  // No decision, but effects that depend on addresses: a repaint where nothing is shared, and
  // memory with an odd layout.
  'monitor+neoverse-v3-r0p2+then-max',
  'neoverse-v3-r0p2+holes',
];
