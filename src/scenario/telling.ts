// SPDX-License-Identifier: GPL-2.0-only
/**
 * The scenarios that tell most about one commit, the most telling first. Together they show of each
 * condition of the kernel's decision functions that it decides by itself (MC/DC), in each world and
 * on boot CPUs with and without the BBM capability, on every generation that asks it:
 * test/scenario/telling.test.ts breaks one condition of the model after another, and one of them
 * must look otherwise.
 */
export const tellingScenarios: readonly string[] = [
  // Blocks that are split on demand, as KFENCE's pool may be made late; and CPUs that differ, whose
  // blocks are repainted and whose realm shares.
  'neoverse-v3-r0p2+noalias',
  'realm+neoverse-v3-r0p2+then-max',
  // Without the capability: blocks, as nothing asks for pages; pages for KFENCE alone, with nothing
  // read-only; pages for rodata= alone.
  'max+noalias+kfence100',
  'max+off',
  'max+kfence100',
  // With it: for rodata= alone, and for nothing.
  'neoverse-v3-r0p2+kfence100',
  'neoverse-v3-r0p2+off+kfence100',
  // The same in realms, where pages must be shared.
  'realm+max+noalias+kfence100',
  'realm+max+noalias',
  'realm+max+kfence100',
  'realm+neoverse-v3-r0p2+noalias+kfence100',
  'realm+neoverse-v3-r0p2+noalias',
  'realm+neoverse-v3-r0p2+kfence100',
  // KPTI: needed by the CPU, not needed by one of the kernel's safe list, wanted by KASLR, not
  // wanted with FEAT_E0PD, asked for.
  'a64fx',
  'realm+cortex-a57',
  'cortex-a76+kaslr',
  'max+kaslr',
  'max+kpti',
  // CPUs just outside of the allow list, by revision and by variant, and one that is believed for
  // its ID register.
  'neoverse-v3-r0p1',
  'neoverse-v3-r1p2',
  'monitor+max-bbm3',
  // debug_pagealloc, where the kernel has it.
  'max+noalias+kfence100+pagealloc',
  'neoverse-v3-r0p2+pagealloc',
  'realm+max+pagealloc',
  // No decision, but what hangs on places: a repaint where nothing is shared, and memory of odd
  // shape.
  'monitor+neoverse-v3-r0p2+then-max',
  'neoverse-v3-r0p2+holes',
];
