// SPDX-License-Identifier: GPL-2.0-only

import type { UpdateSite } from '../bbm/check-updates.ts';
import type { BbmLevel } from '../bbm/needs-break.ts';
import { countText, hex, secondsText } from '../diff/text.ts';
import type { UpdateRow } from '../diff/types.ts';
import { faultOf } from '../diff/update-findings.ts';
import type { Paint } from './colour.ts';
import { column, hang, plainLine } from './plain-text.ts';
import { formatCount } from './units.ts';
import { conflictNote, levels, mayConflict } from './update-levels.ts';

/**
 * How often a level of FEAT_BBM does not allow what a site does.
 * @param level undefined for what the CPUs of the case claim, each for itself
 */
export function countAt(
  { counts, claimed }: Pick<UpdateSite, 'counts' | 'claimed'>,
  level: BbmLevel | undefined,
): number {
  return level === undefined ? claimed : counts[level];
}

/** The sites that change entries in a way that FEAT_BBM level `level` does not allow, as text. */
export function formatUpdates(sites: readonly UpdateSite[], level: BbmLevel | undefined): string {
  const all = sites.reduce((sum, site) => sum + countAt(site, level), 0);
  const who = level === undefined ? 'the CPUs of the case' : `FEAT_BBM level ${level}`;
  const verb = level === undefined ? 'do' : 'does';
  const head =
    sites.length === 0
      ? `No entry was changed in a way that ${who} ${verb} not allow.`
      : `${countText(all, 'change')} at ${countText(sites.length, 'site')} that ${who} ${verb} not allow:`;
  return `${[head, ...sites.flatMap((site) => formatSite(site, level))].join('\n')}\n`;
}

function formatSite(each: UpdateSite, bbm: BbmLevel | undefined): string[] {
  const { site, chain, example } = each;
  const { va, level, old, new: now, cpu, time } = example;
  return [
    '',
    `${formatCount(countAt(each, bbm))} x ${site}`,
    ...(chain.length > 0 ? [`    in ${chain.join(' <- ')}`] : []),
    `    ${faultOf(each)}`,
    `    e.g. level ${level}, ${hex(va)}: ${hex(old)} -> ${hex(now)} (CPU ${cpu}, ${secondsText(time)})`,
  ];
}

const countWidth = 9;

/** Of a recorded boot, short: each site, and how often each level of FEAT_BBM forbids what it does. */
export function updateLines(rows: readonly UpdateRow[] | undefined, paint: Paint): string[] {
  if (rows === undefined) return [];
  if (rows.length === 0) return ['  Every one is allowed at every level of FEAT_BBM.'];
  const cells = (words: readonly string[]) =>
    words.map((word) => column(word, countWidth, 'right')).join('');
  const numbers = (counts: readonly number[]) =>
    cells(counts.map((count) => (count === 0 ? '-' : formatCount(count))));
  const head = `${cells(levels.map((level) => `level ${level}`))}  these CPUs`;
  return [
    paint('1', `  ${head}`),
    ...rows.flatMap((row) => [
      `  ${numbers(row.counts)}${column(row.claimed === 0 ? '-' : formatCount(row.claimed), 12, 'right')}  ${plainLine(row.site)}`,
      ...hang('      ', faultOf({ missing: undefined, ...row }), paint.width).map((line) =>
        paint('2', line),
      ),
    ]),
    ...(rows.some(mayConflict) ? hang('  ', conflictNote, paint.width) : []),
  ];
}
