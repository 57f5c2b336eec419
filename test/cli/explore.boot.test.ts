// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { partFolder, readExploration } from '../../results/exploration-file.ts';
import { readCaseLines } from '../../results/run-folder.ts';
import { depthOf } from '../../src/scenario/depth.ts';
import { given } from '../given.ts';
import { withWritableAlias } from '../harness/recoded-kernel.ts';

t.setTimeout(30 * 60_000);

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
t.test(
  'a defect that random machines show is brought down to the simplest one, and the exploration goes on',
  async (t) => {
    const folder = t.testdir();
    const broken = withWritableAlias(folder, await loadKernel('debian:7.3'));
    const kernel = `file:${broken.image.imagePath}`;
    const out = join(folder, 'out');
    const ptdiff = (...words: string[]) =>
      execa(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...words], {
        reject: false,
      });
    const explore = (count: number, ...words: string[]) =>
      ptdiff('explore', '--machines', '--count', `${count}`, '--jobs', '2', '--out', out, ...words);

    const first = await explore(2, '--kernel', kernel, '--seed', '7', '--depth', 'early');
    t.equal(first.exitCode, 1, first.stderr);
    const { differences, parts } = given(readExploration(out));
    t.equal(parts.flat().length, 2);
    const alias = given(differences.find(({ finding }) => /writable-alias|alias/.test(finding)));
    const { scenario, file } = given(alias.smallest);
    t.match(scenario, {
      machine: { cpu: 'max', cpus: 1, memory: 1024, holes: [], world: 'normal' },
      rodata: 'default',
      parameters: [],
    });
    t.match(first.stdout, `NEW  ${alias.finding}`);
    t.match(first.stdout, file);
    t.ok(
      differences.every(({ smallest }) => smallest?.file === file),
      'one search for all findings of one defect',
    );
    t.notOk(readdirSync(out).includes('smaller') && readdirSync(join(out, 'smaller')).length > 0);

    const again = join(folder, 'again');
    const words = ['--kernel', kernel, '--scenario', join(out, file), '--out', again];
    t.equal((await ptdiff('run', ...words)).exitCode, 1);
    t.match(
      readCaseLines(again).flatMap(({ findings }) => findings.map(({ id }) => id)),
      [alias.finding],
    );

    const inFull = await explore(3, '--depth', 'full');
    t.equal(inFull.exitCode, 2, 'of another depth');
    const more = await explore(3);
    t.equal(more.exitCode, 1, more.stderr);
    const after = given(readExploration(out));
    t.equal(after.parts.flat().length, 3);
    const cases = after.parts.flatMap((_, part) => readCaseLines(partFolder(out, part + 1)));
    t.same([...new Set(cases.map(depthOf))], ['early'], 'as deep as it began');
    t.same(after.parts[0], parts[0], 'what was drawn before stays');
    t.same(
      after.differences.slice(0, differences.length),
      differences,
      'and is not searched again',
    );

    const other = await explore(4, '--seed', '4');
    t.equal(other.exitCode, 2);
    t.match(other.stderr, /holds an exploration of other kernels, another seed or another depth/);
  },
);

t.test('what cannot be explored is said at once', async (t) => {
  const ptdiff = (...words: string[]) =>
    execa(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'explore', ...words], {
      reject: false,
    });
  t.match(await ptdiff(), { exitCode: 2, stderr: /Say what to explore: --machines/ });
  t.match(await ptdiff('--machines', '--time', 'soon'), { exitCode: 2, stderr: /a time such as/ });
  t.match(await ptdiff('--machines', '--count', '0'), { exitCode: 2, stderr: /a number from 1/ });
});
