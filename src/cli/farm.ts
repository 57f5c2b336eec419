// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { resolve } from 'node:path';
import { farmAddress, farmHelp, servedFolder } from '../../harness/laboratory/farm/address.ts';
import type { Engine } from '../../harness/laboratory/farm/engine.ts';
import type { FarmStatus } from '../../harness/laboratory/farm/status.ts';
import { withLockedFolder } from '../../host/lock.ts';
import { say } from '../../host/say.ts';
import { countText } from '../diff/text.ts';
import { plainLine } from '../report/plain-text.ts';
import { formatMebibytes, formatSeconds } from '../report/units.ts';
import { stableJson } from '../stable-json.ts';
import { exitCodes } from './exit-codes.ts';
import { table } from './list.ts';
import { portNumber, type Verb } from './verb.ts';

/** Cases of one worker that a line names. */
const shownCases = 2;

function casesText(running: readonly string[]): string {
  const shown = running.slice(0, shownCases).map(plainLine).join(', ');
  const more = running.length - shownCases;
  return more > 0 ? `${shown} and ${more} more` : shown || 'idle';
}

/** A farm for a terminal: what it runs, its workers, its queues, and what failed lately. */
export function formatFarm({ version, workers, queues, engine }: FarmStatus): string {
  const rows = workers
    .toSorted((a, b) => (a.label < b.label ? -1 : 1))
    .map(({ label, host, ptdiff, emulator, load, cpus, jobs, running, done, failed, age }) => [
      plainLine(label),
      plainLine(host),
      `${plainLine(ptdiff.text).replace(/^ptdiff /, '')} ${ptdiff.digest.slice(0, 8)}`,
      plainLine(emulator.version),
      `${load.toFixed(1)} of ${cpus}`,
      `${running.length} of ${jobs}`,
      String(done),
      String(failed),
      formatSeconds(age),
      casesText(running),
    ]);
  const head = [
    'worker',
    'host',
    'ptdiff',
    'QEMU',
    'load',
    'jobs',
    'done',
    'failed',
    'for',
    'runs',
  ];
  const lines = [
    version === undefined
      ? 'No run gives it work.'
      : `At work for ${plainLine(version.text)}, sources ${version.digest.slice(0, 8)}, QEMU ${plainLine(version.emulator.version)}.`,
    '',
    ...(rows.length > 0 ? table([head, ...rows]) : ['No worker is there.']),
    '',
    ...queues.map(
      ({ name, waiting, active, perMinute, ended, failed }) =>
        `${name}: ${waiting} waiting, ${active} at work, ${perMinute} a minute, ${ended} ended, ${failed} failed`,
    ),
    ...queues.flatMap(({ failures }) =>
      failures.map(({ job, reason }) => `  ${plainLine(job)}: ${plainLine(reason)}`),
    ),
    `engine: ${plainLine(engine.version)}, ${formatMebibytes(engine.usedBytes)} MiB, ${countText(engine.clients, 'connection')}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** `ptdiff farm status`. */
async function status(options: { farm: string; json?: boolean }): Promise<number> {
  const { farmStatus } = await import('../../harness/laboratory/farm/status.ts');
  const found = await farmStatus(farmAddress(options.farm));
  process.stdout.write(options.json ? `${stableJson(found, 1)}\n` : formatFarm(found));
  return exitCodes.pass;
}

async function untilEnd(engine: Engine, signal: AbortSignal): Promise<number> {
  if (!signal.aborted) await Promise.race([once(signal, 'abort'), engine.ended]);
  if (signal.aborted) {
    await engine.stop();
    return exitCodes.pass;
  }
  say('Valkey has ended by itself.');
  return exitCodes.errors;
}

/** `ptdiff farm serve`. */
async function serve(
  options: { folder?: string; port: number },
  signal: AbortSignal,
): Promise<number> {
  const { Engine } = await import('../../harness/laboratory/farm/engine.ts');
  const folder = resolve(options.folder ?? servedFolder());
  const waiting = `another ptdiff serves from ${folder}; this one begins when it ends`;
  return withLockedFolder(
    folder,
    async () => {
      const engine = await Engine.start({ folder, port: options.port }, { progress: say, signal });
      process.stdout.write(`${engine.url}\n`);
      say("this farm is for this machine alone ('--farm here'); docs/farm.md tells of others");
      return untilEnd(engine, signal);
    },
    { waiting, progress: say, signal },
  );
}

export const addFarm: Verb = (command, { signal, finish }) => {
  command
    .command('status')
    .description('workers, what they run, the queues, and what failed lately')
    .requiredOption('--farm <url>', farmHelp)
    .option('--json', 'print it as JSON')
    .action(async (options) => finish(await status(options)));
  command
    .command('serve')
    .description("an engine for this machine until Ctrl-C: Debian's Valkey; prints the farm's URL")
    .option('--port <n>', 'where it listens on 127.0.0.1', portNumber, 6399)
    .option('--folder <dir>', 'where it keeps what it holds (default: in the cache)')
    .action(async (options) => finish(await serve(options, signal)));
};
