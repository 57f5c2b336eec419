// SPDX-License-Identifier: GPL-2.0-only

import type { UpdateSite } from '../bbm/check-updates.ts';
import type { BbmLevel } from '../bbm/needs-break.ts';
import { countText, hex } from '../diff/text.ts';
import { faultOf } from '../diff/update-findings.ts';
import { formatCount } from './units.ts';

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
    `    e.g. level ${level}, ${hex(va)}: ${hex(old)} -> ${hex(now)} (CPU ${cpu}, ${(time / 1e6).toFixed(6)} s)`,
  ];
}
