// SPDX-License-Identifier: GPL-2.0-only
/**
 * README's lines for someone with a board, as written there: a guest with Debian's user space is the
 * board, and the host's scp and ssh reach it.
 */

import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { findCommand } from '../../host/host-tools.ts';
import { given } from '../given.ts';
import { withDebianBoard } from './debian-board.ts';

// Downloads and boots take as long as they take; the test runner has a limit of its own.
t.setTimeout(0);

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The lines of README: those of its block, and the one in the text after it. */
function readmeLines(): string[] {
  const [, block = '', after = ''] = given(
    /```sh\n([^`]*scp collect BOARD:[^`]*)```\s+`([^`]*judge [^`]*)`/.exec(readme) ?? undefined,
  );
  return [...block.trimEnd().split('\n'), after];
}

function program(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

const programs = ['ssh-keygen', 'ssh', 'scp', 'script'];
const found = await Promise.all(programs.map((name) => findCommand(name)));
const absent = programs.filter((_, at) => found[at] === undefined);
const options =
  absent.length > 0
    ? { skip: `NOT CHECKED: no ${absent.join(', ')} on this host` }
    : { timeout: 0 };

t.test('as README says, with a board of stock Debian', options, async (t) => {
  const lines = readmeLines();
  t.equal(lines.length, 3);
  const home = t.testdir({ bin: {} });
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(home, 'key')]);
  const key = readFileSync(join(home, 'key.pub'), 'utf8');
  await withDebianBoard('debian:7.3', { directory: home, key }, async ({ port, console }) => {
    const config = join(home, 'ssh_config');
    writeFileSync(
      config,
      `Host BOARD
  HostName 127.0.0.1
  Port ${port}
  User user
  IdentityFile ${join(home, 'key')}
  IdentitiesOnly yes
  UserKnownHostsFile ${join(home, 'known_hosts')}
  StrictHostKeyChecking accept-new
  ConnectTimeout 120
`,
    );
    // What the user's own configuration says; ssh does not look for it in $HOME.
    for (const name of ['scp', 'ssh'])
      program(join(home, 'bin', name), `exec /usr/bin/${name} -F ${config} "$@"`);
    // The lines name no folder for the results, which are then in the repository.
    program(
      join(home, 'ptdiff'),
      `[ "$1" = judge ] && set -- "$@" --out ${join(home, 'run')}
exec ${join(root, 'ptdiff')} "$@"`,
    );
    const env = {
      PATH: `${join(home, 'bin')}:${process.env.PATH}`,
      PTDIFF_STORE: join(home, 'store.sqlite'),
    };
    for (const line of lines) {
      // `ssh -t` wants a terminal.
      const words = ['-q', '-e', '-c', line, '/dev/null'];
      const { exitCode, stdout } = await execa('script', words, { cwd: home, env, reject: false });
      t.equal(exitCode, 0, line, { said: stdout, console: console().slice(-2000) });
      if (line.includes(' judge ')) t.match(stdout, /Grade of the linear map: (exact|explained)/);
    }
    t.ok(existsSync(join(home, 'board.tar.gz')));
    t.ok(existsSync(join(home, 'run', 'cases', 'board+rack4')), 'the results');
  });
});
