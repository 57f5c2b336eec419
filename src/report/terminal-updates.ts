// SPDX-License-Identifier: GPL-2.0-only

import type { UpdateSite } from '../bbm/check-updates.ts';
import type { BbmLevel } from '../bbm/needs-break.ts';
import { countText, hex } from '../diff/text.ts';
import { formatCount } from './units.ts';

/** The sites that change entries in a way that FEAT_BBM level `bbm` does not allow, as text. */
export function formatUpdates(sites: readonly UpdateSite[], bbm: BbmLevel): string {
  const all = sites.reduce((sum, { count }) => sum + count, 0);
  const head =
    sites.length === 0
      ? `No entry of the kernel's tables was changed in a way that FEAT_BBM level ${bbm} forbids.`
      : `${countText(all, 'change')} at ${countText(sites.length, 'site')} that FEAT_BBM level ${bbm} does not allow:`;
  return `${[head, ...sites.flatMap(formatSite)].join('\n')}\nTables of user space were not checked.\n`;
}

function formatSite({ site, chain, reason, missing, count, example }: UpdateSite): string[] {
  const { va, level, old, new: now, cpu, time } = example;
  const why =
    missing === undefined ? 'while the entry was valid' : `after a break that lacks ${missing}`;
  return [
    '',
    `${formatCount(count)} x ${site}`,
    ...(chain.length > 0 ? [`    in ${chain.join(' <- ')}`] : []),
    `    ${reason}, ${why}`,
    `    e.g. level ${level}, ${hex(va)}: ${hex(old)} -> ${hex(now)} (CPU ${cpu}, ${(time / 1e6).toFixed(6)} s)`,
  ];
}
