// SPDX-License-Identifier: GPL-2.0-only
import { Document, isScalar, visit } from 'yaml';
import type { BoardFacts } from '../scenario/board/facts.ts';
import { boardScenario } from '../scenario/board/scenario.ts';
import type { Scenario } from '../scenario/types.ts';
import { runWords } from './export/mail-layout.ts';
import { plainLine, wrap } from './plain-text.ts';

/** The scenario as a user would write it: addresses and sizes in hexadecimal. */
function yamlOf(scenario: Scenario): string {
  const document = new Document(scenario);
  visit(document, {
    Pair: (_, { key, value }) => {
      const isRange = isScalar(key) && (key.value === 'start' || key.value === 'size');
      if (isRange && isScalar(value)) value.format = 'HEX';
    },
  });
  return document.toString();
}

/**
 * scenario.yaml of a board: the scenario, above it the command that runs it on the board's kernel,
 * and everything in which it is not the board.
 * @param kernel as --kernel takes it
 * @param file path of the file
 */
export function boardScenarioFile(facts: BoardFacts, kernel: string, file: string): string {
  const { made, changes } = boardScenario(facts);
  const comments = [
    `What ${facts.label} shows, on emulated hardware. To run it:`,
    `  ${runWords(kernel, file).join(' ')}`,
    ...(changes.length === 0 ? [] : ['In this it is not the board:']),
    ...changes.map((change) => `- ${change}`),
  ];
  const lines = comments.flatMap((text, index) =>
    index === 1 ? [plainLine(text)] : wrap(plainLine(text), 96),
  );
  return `${lines.map((line) => `# ${line}\n`).join('')}${yamlOf(made)}`;
}
