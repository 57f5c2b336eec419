/**
 * The twelve scenarios that tell most about one commit: together they reach every outcome that the kernel's decision functions
 * have on any scenario of ours (test/scenario/telling.test.ts), with memory of odd shape, KASLR and a repaint among them.
 */
export const tellingScenarios: readonly string[] = [
  // Pages from the start, because the rules ask for them; blocks, because they do not.
  'max',
  'max+noalias+kfence100',
  // 48-bit addresses and non-global mappings.
  'cortex-a76+kaslr',
  // Blocks that are split on demand: with every shape of memory, and with the early KFENCE pool.
  'neoverse-v3-r0p2+holes',
  'neoverse-v3-r0p2+kfence100',
  'neoverse-v3-r0p2+off+kfence100',
  // Blocks that are repainted to pages, because a secondary CPU is not capable.
  'monitor+neoverse-v3-r0p2+then-max',
  // Realms: pages that can be shared; blocks that cannot, on either CPU; blocks that are split to be shared, and repainted.
  'realm+max',
  'realm+max+noalias+kfence100',
  'realm+neoverse-v3-r0p2+noalias+kfence100',
  'realm+neoverse-v3-r0p2',
  'realm+neoverse-v3-r0p2+then-max',
];
