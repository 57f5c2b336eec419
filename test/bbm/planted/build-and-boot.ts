// SPDX-License-Identifier: GPL-2.0-only
/**
 * Kernels with planted defects: `npm run test:planted`. It builds one kernel from linux-source-7.3
 * for each patch of this folder (about ten minutes of CPU time when the cache has none, and then
 * seconds for each), and records a boot: the defect must be named, and a kernel without it must not
 * be blamed. Words choose the patches whose name contains one of them.
 */
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readRecording } from '../../../results/recording-file.ts';
import { readCaseLines } from '../../../results/run-folder.ts';
import type { UpdateSite } from '../../../src/bbm/check-updates.ts';
import { ptdiffHere } from '../../cli/in-process.ts';
import { given } from '../../given.ts';
import { chosenBy, isNamed, type Planted, planted, sitesAt, siteText } from './planted.ts';

t.setTimeout(4 * 3600_000);

const folder = import.meta.dirname;
const built = planted.filter(({ stockOnly }) => stockOnly === undefined);
const chosen = chosenBy(process.argv.slice(2)).filter((each) => built.includes(each));

const { path, cleanup } = await dir({ prefix: 'ptdiff-planted-', unsafeCleanup: true });
t.teardown(cleanup);

/** A recorded boot of a kernel, judged at a level. */
async function sitesOf(
  kernel: string,
  { scenario, depth, level }: Pick<Planted, 'scenario' | 'depth' | 'level'>,
  name: string,
): Promise<UpdateSite[]> {
  const out = join(path, name);
  const run = ['run', '--kernel', kernel, '--scenario', scenario, '--depth', depth];
  const { stderr } = await ptdiffHere(...run, '--out', out, '--store', join(path, 'store'));
  const [only] = readCaseLines(out);
  if (only === undefined) throw new Error(stderr);
  // A defect may crash the kernel, or be seen by other rules; what cannot be is that the recorder
  // lost its way.
  if (only.verdict === 'error') throw new Error(only.reason);
  return sitesAt(given(readRecording(join(out, 'cases', only.case))), level);
}

t.test('every patch of the folder is in the list, and the other way round', async (t) => {
  const files = globSync('*.patch', { cwd: folder }).map((file) => basename(file, '.patch'));
  t.same(files.sort(), built.map(({ patch }) => patch).sort());
  t.ok(built.length >= 12);
  t.ok(chosen.length > 0, 'a word that names none chooses nothing');
});

const stock = new Map<string, UpdateSite[]>();
for (const each of chosen) {
  t.test(`${each.patch}: named in ${each.in}()`, async (t) => {
    const file = join(folder, `${each.patch}.patch`);
    t.ok(existsSync(file));
    const { scenario, depth, level } = each;
    const key = `${scenario}-${depth}-${level}`;
    const without = stock.get(key) ?? (await sitesOf('source:7.3', each, `stock-${key}`));
    stock.set(key, without);
    t.same(without.filter(isNamed(each)).map(siteText), [], 'not without the defect');
    const found = await sitesOf(`source:7.3,patch=${file}`, each, each.patch);
    t.ok(found.some(isNamed(each)), found.map(siteText).join('\n') || 'no site at all');
  });
}
