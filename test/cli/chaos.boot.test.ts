// SPDX-License-Identifier: GPL-2.0-only
import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readCaseLines } from '../../results/run-folder.ts';
import { given } from '../given.ts';
import { eventually, groupsBelow, isAlive, type RunningProcess } from '../harness/processes.ts';
import { numbersOf } from '../random.ts';

/**
 * Any process of a run is killed or stopped at any moment of it. PTDIFF_CHAOS_SEED repeats what a
 * seed chose (as far as the host is as fast), PTDIFF_CHAOS_ROUNDS makes it more than a few.
 */
const seed = Number(process.env.PTDIFF_CHAOS_SEED ?? randomInt(2 ** 31));
const rounds = Number(process.env.PTDIFF_CHAOS_ROUNDS ?? 3);
/**
 * Milliseconds after its start, or that of its emulator, in which something happens to a run; most
 * boots take longer.
 */
const latest = 10_000;

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const command = [
  '--disable-warning=ExperimentalWarning',
  main,
  'run',
  '--kernel',
  'debian:6.12',
  '--scenario',
  'max',
];
const chance = numbersOf(seed);
t.comment(`PTDIFF_CHAOS_SEED=${seed}`);

/** ptdiff itself that was stopped is let go on: nobody else could end it. */
async function strike(
  victim: RunningProcess,
  signal: 'SIGKILL' | 'SIGSTOP',
  ptdiff: number,
): Promise<void> {
  process.kill(victim.pid, signal);
  if (victim.pid !== ptdiff || signal === 'SIGKILL') return;
  await sleep(3000);
  process.kill(victim.pid, 'SIGCONT');
}

for (let round = 1; round <= rounds; round++) {
  const signal = chance() < 0.5 ? 'SIGKILL' : 'SIGSTOP';
  const [moment, choice, early] = [Math.round(chance() * latest), chance(), chance() < 0.25];
  t.test(
    `round ${round}: ${signal} ${moment} ms after the start of ${early ? 'the run' : 'QEMU'}`,
    async (t) => {
      const { path, cleanup } = await dir({ prefix: 'ptdiff-chaos-', unsafeCleanup: true });
      t.teardown(cleanup);
      const out = join(path, 'run');
      const run = execa(process.execPath, [...command, '--jobs', '1', '--out', out], {
        reject: false,
        all: true,
      });
      const pid = run.pid ?? 0;
      const seen = new Map<number, RunningProcess>();
      const watch = setInterval(() => {
        for (const each of groupsBelow(pid)) seen.set(each.pid, each);
      }, 100);
      // A QEMU that boots is a child of its group's leader; one that is only asked for its version
      // is not.
      const boots = ({ name, parent, group }: RunningProcess) =>
        /^(ld-linux|qemu)/.test(name) && parent === group;
      const booting = () => groupsBelow(pid).some(boots);
      await eventually(() => early || booting() || !isAlive(pid));
      await sleep(moment);
      const there = [{ pid, name: 'ptdiff', parent: process.pid, group: 0 }, ...groupsBelow(pid)];
      const victim = given(there[Math.floor(choice * there.length)]);
      t.comment(`${signal} to ${victim.name}, one of ${there.map(({ name }) => name).join(', ')}`);
      await strike(victim, signal, pid).catch(() => t.comment('it had just ended'));
      const { exitCode, all } = await run;
      clearInterval(watch);

      if (victim.pid !== pid || signal === 'SIGSTOP') {
        t.ok(exitCode === 0 || exitCode === 3, `exit code ${exitCode}`);
        const verdicts = readCaseLines(out).map(({ verdict }) => verdict);
        t.ok(verdicts.length === 1 && /^(pass|error)$/.test(given(verdicts[0])), verdicts.join());
        if (exitCode !== 0) t.comment(all);
      }
      const left = () => [...seen.values()].filter((each) => isAlive(each.pid));
      t.ok(await eventually(() => left().length === 0), JSON.stringify(left()));
      const ours = (folder: string, pattern: RegExp) =>
        readdirSync(folder).filter((name) => pattern.test(name));
      t.same(ours('/dev/shm', new RegExp(`^ptdiff-+${pid}-`)), []);
      t.same(ours(path, /\.new$/), []);
      if (readdirSync(path).includes('run')) t.same(ours(out, /\.new$/), []);
    },
  );
}
