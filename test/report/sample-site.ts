// SPDX-License-Identifier: GPL-2.0-only
import { findingLife } from '../../src/history/finding-life.ts';
import type { Look } from '../../src/history/types.ts';
import { formatSite } from '../../src/report/site/site.ts';
import { look } from '../history/look.ts';

const MiB = 2 ** 20;
const pages = { page: 1016 * MiB, contPte: 0, pmd: 0, contPmd: 0, pud: 0, invalid: 8 * MiB };
const blocks = {
  page: 2 * MiB,
  contPte: 4 * MiB,
  pmd: 82 * MiB,
  contPmd: 928 * MiB,
  pud: 0,
  invalid: 8 * MiB,
};

/**
 * The pages of a made-up history: three series, four weeks, a finding that is there and one that is
 * gone.
 */
export function sampleSite(hostile = ''): Map<string, string> {
  const there = `invariant/rule/broken${hostile}@init`;
  const gone = 'splat/warning/gone';
  const looks: Look[] = [];
  for (let day = 1; day <= 28; day++) {
    for (const scenario of ['max', `neoverse-v3-r0p2${hostile}`, 'realm-late-rsi', 'cortex-a76']) {
      const common = {
        day,
        scenario,
        seconds: 3 + (day % 5) / 3,
        linearMap: { init: scenario === 'max' ? pages : blocks },
      };
      const late = scenario === 'realm-late-rsi';
      looks.push(
        look({
          ...common,
          release: `7.3.${2 + Math.floor(day / 10)}`,
          findings: late ? [there] : [],
        }),
      );
      looks.push(
        look({
          ...common,
          release: day < 20 ? '7.0.12' : '7.0.13',
          findings: late && day < 20 && day !== 5 ? [there] : [],
        }),
      );
      looks.push(
        look({
          ...common,
          release: '6.12.107',
          findings: late && day === 2 ? [gone] : [],
          ...(day === 9 && { end: 'error' as const }),
        }),
      );
    }
  }
  const findings = [there, gone].flatMap((id) => {
    const life = findingLife(id, looks);
    const text = {
      id,
      kind: 'invariant',
      title: `broken${hostile}`,
      detail: `evidence\n${hostile}`,
      case: '7.3.4@realm-late-rsi',
    } as const;
    return life === undefined ? [] : [{ life, text }];
  });
  return formatSite({ looks, findings, knownIssues: [] });
}
