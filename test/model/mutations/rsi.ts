// SPDX-License-Identifier: GPL-2.0-only
import { inFile, type Mutation } from './mutation.ts';

/** What a realm asks of the RMM. */
export const rsiMutations: readonly Mutation[] = [
  ...inFile('arch/arm64/kernel/rsi.ts', [
    [
      "ripas: 'RAM', changeDestroyed: false",
      "ripas: 'RAM', changeDestroyed: true",
      'what the host destroyed is not RAM',
    ],
    [
      "ripas: 'EMPTY', changeDestroyed: true",
      "ripas: 'EMPTY', changeDestroyed: false",
      'anything may be shared',
    ],
    [
      'memory.map((range)',
      'memory.slice(1).map((range)',
      'the RMM is asked for every range of memory',
    ],
    ['RSI_ABI_VERSION = 0x10000n', 'RSI_ABI_VERSION = 0x10001n', 'version 1.0 is asked for'],
    [
      'within: { start: aliasStart, end: bssStop }',
      'within: { start: 0, end: aliasStart }',
      'the configuration is a variable of the kernel',
    ],
  ]),
  ...inFile('arch/arm64/mm/pageattr.ts', [
    ['    askFor(state, request);\n', '', 'a request goes to the RMM'],
    [
      'changeAttributes(map, traits, start, end, away);\n    askFor(state, request);',
      'askFor(state, request);\n    changeAttributes(map, traits, start, end, away);',
      'the RMM is not asked where the mapping could not be broken',
    ],
  ]),
];
