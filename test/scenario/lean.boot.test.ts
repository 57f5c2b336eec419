// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readCaseLines, readRunRecord } from '../../results/run-folder.ts';
import { bootCheckpoints } from '../../src/evidence/capture.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

/**
 * Scenarios in which no leaf follows where the kernel happened to take a page from: no alias of
 * vmalloc memory becomes read-only (rodata=), nothing is hidden (probes), and KFENCE uses nothing.
 */
const definitions = [
  { name: 'pages', machine: { cpu: 'max' }, rodata: 'noalias', probes: [] },
  { name: 'blocks', machine: { cpu: 'neoverse-v3-r0p2' }, rodata: 'off', probes: [] },
].flatMap((scenario) => [scenario, { ...scenario, name: `${scenario.name}+plain`, plain: true }]);
const kernels = ['debian:6.12', 'debian:6.18', 'debian:7.3'];

t.test('what lean boots leave out changes no leaf of the linear map', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-lean-', unsafeCleanup: true });
  t.teardown(cleanup);
  const [file, out] = [join(path, 'scenarios.json'), join(path, 'run')];
  writeFileSync(file, JSON.stringify(definitions));
  const asked = [...kernels.flatMap((kernel) => ['--kernel', kernel]), ...['--scenario', file]];
  const words = ['--disable-warning=ExperimentalWarning', main, 'run', ...asked, '--out', out];
  const { exitCode, stderr } = await execa(process.execPath, words, { reject: false });
  t.equal(exitCode, 0, stderr);
  const { scenarios: recorded } = readRunRecord(out);
  t.equal(
    recorded.filter(({ plain }) => plain).length,
    definitions.length / 2,
    'run.json tells which are plain',
  );

  const cases = readCaseLines(out);
  const text = (name: string, file: string) => readFileSync(join(out, 'cases', name, file), 'utf8');
  const lean = cases.filter(({ scenario }) => !scenario.endsWith('+plain'));
  t.equal(lean.length, (kernels.length * definitions.length) / 2);
  for (const { case: name } of lean) {
    const commandLine = (each: string) => text(each, 'inputs.json').includes('cryptomgr.notests=1');
    t.ok(
      commandLine(name) && !commandLine(`${name}+plain`),
      `${name}: the parameters are recorded with the case`,
    );
    for (const checkpoint of bootCheckpoints.filter((each) =>
      /^(paging_init|smp_cpus_done|free_initmem|init)$/.test(each),
    )) {
      const leaves = (each: string) => linearLeaves(text(each, `leaves-${checkpoint}.ttbr1.txt`));
      t.ok(leaves(name).length > 0);
      t.strictSame(leaves(name), leaves(`${name}+plain`), `${name} at ${checkpoint}`);
    }
  }
});

/**
 * The linear map is the lower half of the kernel's addresses (PAGE_OFFSET to PAGE_END,
 * arch/arm64/include/asm/memory.h).
 */
function linearLeaves(file: string): string[] {
  return file.split('\n').filter((line) => /^leaf 0xfff[0-7]/.test(line));
}
