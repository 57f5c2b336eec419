// SPDX-License-Identifier: GPL-2.0-only
import { firstLines } from '../compare-state.ts';
import { findingId } from '../finding-id.ts';
import { bytesText, countText, detailOf, secondsText } from '../text.ts';
import type { Finding } from '../types.ts';
import type { Act, Window } from './window.ts';

/** Ways in which one finding was opened and closed that its detail shows. */
const shownWays = 4;

/** One finding for each rule, nature and time between two checkpoints. */
export function findingsOf(windows: readonly Window[]): Finding[] {
  const byId = Map.groupBy(windows, ({ rule, opened }) =>
    findingId('invariant', [rule.name, rule.nature, 'during'], opened.before),
  );
  return [...byId].map(([id, group]) => {
    const { rule, opened } = group[0] as Window;
    const { before } = opened;
    const bytes = group.reduce((sum, { size }) => sum + size, 0);
    const size = bytes === 0 ? '' : `, ${bytesText(bytes)}`;
    const when = before === undefined ? 'after the last checkpoint' : `before ${before}`;
    return {
      id,
      kind: 'invariant',
      ...(before === undefined ? {} : { checkpoint: before }),
      title: rule.title,
      detail: detailOf([
        rule.because,
        `${countText(group.length, 'time')}${size}, ${when}:`,
        ...firstLines(waysOf(group), shownWays),
      ]),
    };
  });
}

/** Windows that the same opened and closed, each kind with its first. */
function waysOf(windows: readonly Window[]): string[] {
  const ways = Map.groupBy(windows, ({ opened, closed }) => `${opened.by} ${closed?.by}`);
  return [...ways.values()].map((way) => {
    const { what, size, opened, closed } = way[0] as Window;
    const more = way.length > 1 ? [`    and ${way.length - 1} more like it`] : [];
    const until =
      size === 0 ? [] : [`    until ${closed ? actText(closed) : "the recording's end"}`];
    return [`  ${what}`, `    since ${actText(opened)}`, ...until, ...more].join('\n');
  });
}

const actText = ({ time, cpu, by }: Act): string => `${secondsText(time)}, CPU ${cpu}: ${by}`;
