// SPDX-License-Identifier: GPL-2.0-only
import { inFile, type Mutation } from './mutation.ts';

/** What a realm asks of the RMM. */
export const rsiMutations: readonly Mutation[] = [
  ...inFile('arch/arm64/include/asm/rsi.ts', [
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
  ]),
  ...inFile('arch/arm64/kernel/rsi.ts', [
    [
      'memory.map((range)',
      'memory.slice(1).map((range)',
      'the RMM is asked for every range of memory',
    ],
    ['0x10000n', '0x10001n', 'version 1.0 is asked for'],
    [
      'within: { start: sections.aliasStart, end: sections.bssStop }',
      'within: { start: 0, end: sections.aliasStart }',
      'the configuration is a variable of the kernel',
    ],
  ]),
  ...inFile('arch/arm64/mm/pageattr.ts', [
    ['    askFor(state, request);\n', '', 'a request goes to the RMM'],
    [
      'update_range_prot(state, start, end, away, request);\n    askFor(state, request);',
      'askFor(state, request);\n    update_range_prot(state, start, end, away, request);',
      'the RMM is not asked where the mapping could not be broken',
    ],
  ]),
];
