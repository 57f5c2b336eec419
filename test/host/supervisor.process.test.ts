// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { supervisorScript } from '../../host/supervisor.ts';

const autogroup = '/proc/self/autogroup';

/**
 * What a supervised command reads of its scheduling group, when ptdiff was started with a niceness.
 */
async function groupOf(niceness: number): Promise<string> {
  const command = [
    'sh',
    '-c',
    supervisorScript,
    'ptdiff-supervisor',
    join(t.testdirName, 'none'),
    'cat',
    autogroup,
  ];
  const supervisor = execa('nice', ['-n', String(niceness), ...command], {
    stdin: 'pipe',
    detached: true,
    reject: false,
  });
  supervisor.stdin.write('begin\n');
  return (await supervisor).stdout;
}

/** Kernels without CONFIG_SCHED_AUTOGROUP have no such file, and there niceness is enough. */
function grouped(): boolean {
  try {
    return readFileSync(autogroup, 'utf8').includes('nice');
  } catch {
    return false;
  }
}

t.test(
  'the niceness of ptdiff holds for the session of its command',
  {
    skip: grouped() ? false : 'the host has no autogroups',
  },
  async (t) => {
    for (const more of [7, 0]) {
      const niceness = Math.min(getPriority() + more, 19);
      t.match(await groupOf(more), new RegExp(`^/autogroup-\\d+ nice ${niceness}\nexit 0$`));
    }
  },
);
