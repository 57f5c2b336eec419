// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { given } from '../given.ts';
import { recordedRun, writeRunFolder } from '../results/recorded-run.ts';

const root = join(import.meta.dirname, '..', '..');

t.test('every command that the summary of a run prints works as it is printed', async (t) => {
  const { record, cases } = recordedRun();
  // Nothing is known any more, so that each finding is new and has its commands.
  const fresh = cases.map((each) => ({
    ...each,
    verdict: each.verdict === 'known' ? ('fail' as const) : each.verdict,
    findings: each.findings.map(({ known: _, ...finding }) => finding),
  }));
  const out = writeRunFolder(join(t.testdir(), "it's a run"), record, fresh);
  const sh = (command: string) => execa('sh', ['-c', command], { cwd: root, reject: false });
  const { stdout } = await sh(`./ptdiff report '${out.replaceAll("'", `'\\''`)}'`);
  const commands = [...new Set(stdout.match(/\.\/ptdiff .*/g) ?? [])];
  const verbs = new Set(commands.map((command) => command.split(' ')[1]));
  t.same(verbs, new Set(['show', 'run', 'report']), stdout);
  for (const verb of verbs) {
    const command = given(commands.find((each) => each.split(' ')[1] === verb));
    const {
      exitCode,
      stdout: answer,
      stderr,
    } = await sh(verb === 'run' ? `${command} --dry-run` : command);
    // A version that was in the archive on that day may be gone from it: 3, with a sentence that
    // names it.
    const gone = exitCode === 3 && /debian:/.test(stderr);
    t.ok(gone || exitCode === (verb === 'report' ? 1 : 0), `${command}: ${stderr}`);
    if (verb === 'show') t.match(answer, /^ {2}verdict +fail/m);
  }
});
