// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from '../../evidence/capture.ts';
import { chainOf, type RecordedOperation } from '../../evidence/follow-recording.ts';
import { first, last } from '../../present.ts';
import { findingId } from '../finding-id.ts';
import { countText, detailOf, hex, secondsText } from '../text.ts';
import type { Finding } from '../types.ts';
import type { Deviation, Difference } from './deviation.ts';

const titles: Record<Difference, string> = {
  missing: 'does not write an entry that it must write',
  extra: 'writes an entry that it must not write',
  'other-entry': 'writes another entry than the next one that it must write',
  attributes: 'writes other attributes than predicted',
  address: 'writes another output address than predicted',
  table: 'writes another table descriptor than predicted',
  content: 'links a table whose content is not the predicted one',
  tlbi: 'does not invalidate the TLBs where it must',
  result: 'returns something else than predicted',
  stops: 'went on where the kernel must stop',
};

/** Operations that a finding shows. */
const shown = 3;

/**
 * Where operations of a recorded boot differ from what the model says of them: one finding for each
 * function and kind of difference.
 */
export function refinementFindings(
  recording: Recording,
  deviations: readonly Deviation[],
): Finding[] {
  const groups = Map.groupBy(deviations, ({ operation, difference }) =>
    findingId('mismatch', ['refinement', operation.name, difference]),
  );
  return [...groups].map(([id, group]) => {
    const { operation, difference } = first(group);
    return {
      id,
      kind: 'mismatch',
      title: `${operation.name}() ${titles[difference]}`,
      detail: detailOf([
        `${countText(group.length, 'call')}. The first of them:`,
        ...group.slice(0, shown).map((each) => deviationText(each, recording)),
      ]),
    };
  });
}

function deviationText(deviation: Deviation, recording: Recording): string {
  const { operation, at, expected, found, time } = deviation;
  const args = operation.args.map(hex).join(', ');
  const lines = [
    `  ${operation.name}(${args}), called by ${chainText(operation, recording)}, on CPU ${operation.cpu}, ${secondsText(time)} after the start`,
    ...(at ? [`    entry: ${hex(at.va)}, level ${at.level}`] : []),
    ...(expected === undefined ? [] : [`    predicted: ${expected}`]),
    ...(found === undefined ? [] : [`    found: ${found}`]),
  ];
  return lines.join('\n');
}

/** Recorded functions that called it, the innermost first, and what called the outermost one. */
function chainText(operation: RecordedOperation, { callers }: Recording): string {
  const chain = chainOf(operation);
  const { call } = last(chain);
  const names = chain.slice(1).map(({ name }) => name);
  return [...names, callers[call.number] ?? hex(call.caller)].join(' <- ');
}
