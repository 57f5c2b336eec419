// SPDX-License-Identifier: GPL-2.0-only
import { makeScenario } from './make.ts';
import type { Scenario } from './types.ts';

/** Cores of boards and servers that people have, the oldest first. */
export const boardCores = [
  'cortex-a35',
  'cortex-a53',
  'cortex-a55',
  'cortex-a57',
  'cortex-a72',
  'cortex-a76',
  'cortex-a78',
  'cortex-a710',
  'neoverse-n1',
  'neoverse-v1',
  'neoverse-n2',
] as const;

/** Those without FEAT_VHE. A kernel that is entered at EL2 leaves it, and keeps code there. */
const coresWithoutVhe = ['cortex-a35', 'cortex-a53', 'cortex-a57', 'cortex-a72'] as const;

/**
 * Each core with KASLR, where it is the core that decides about KPTI: on, unless it has FEAT_E0PD.
 * And the cores of Raspberry Pi 3 and 4 as their firmware enters a kernel.
 */
export const boardScenarios: readonly Scenario[] = [
  ...boardCores.map((cpu) => makeScenario({ cpu, kaslr: true })),
  ...(['cortex-a53', 'cortex-a72'] as const).map((cpu) =>
    makeScenario({ cpu, suffix: 'el2' }, { entry: 'el2' }),
  ),
];

/**
 * Each core without KASLR, with kpti=on, and with KASLR where kpti=off forbids what it would
 * request; and each that leaves EL2, with KASLR. What decides in these is also in other scenarios,
 * so `--scenario all` leaves them out.
 */
export const namedBoardScenarios: readonly Scenario[] = [
  ...boardCores.flatMap((cpu) => [
    makeScenario({ cpu }),
    makeScenario({ cpu, suffix: 'kpti' }, {}, { parameters: ['kpti=on'] }),
    makeScenario({ cpu, kaslr: true, suffix: 'kpti-off' }, {}, { parameters: ['kpti=off'] }),
  ]),
  ...coresWithoutVhe.map((cpu) =>
    makeScenario({ cpu, kaslr: true, suffix: 'el2' }, { entry: 'el2' }),
  ),
];
