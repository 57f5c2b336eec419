// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkUpdates } from '../../src/bbm/check-updates.ts';
import { recordedFolder, recordedKernel } from '../diff/refinement/recorded-kernel.ts';

/** The functions in the table of docs/recording.md, each with the levels that do not allow it. */
function documentedSites(): Map<string, string> {
  const text = readFileSync(join(import.meta.dirname, '../../docs/recording.md'), 'utf8');
  const [, table = ''] = text.split(/^\| site .*\n\| -.*\n/m);
  const rows = table.split('\n\n', 1)[0]?.split('\n') ?? [];
  return new Map(
    rows.flatMap((row) => {
      const [, site = '', , levels = ''] = row.split('|').map((cell) => cell.trim());
      return [...site.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, levels] as const);
    }),
  );
}

t.test('what recorded boots show at level 0 is in the table of docs/recording.md', (t) => {
  const documented = documentedSites();
  const seen = new Set<string>();
  for (const { name: boot } of readdirSync(recordedFolder, { withFileTypes: true }).filter((each) =>
    each.isDirectory(),
  ))
    for (const { site, counts } of checkUpdates(recordedKernel(boot).recording, [0])) {
      const name = site.replace(/(\.\w+\.\d+)*(\+0x[0-9a-f]+)?$/, '');
      const levels = counts[3] > 0 ? '0 to 3' : counts[2] > 0 ? '0 to 2' : '0, 1';
      t.equal(documented.get(name), levels, `${boot}: ${site}`);
      seen.add(name);
    }
  t.ok(seen.size > 4, [...seen].join(' '));
  t.end();
});
