// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { withArchivedCase } from '../../harness/laboratory/open-case.ts';
import { cachePath } from '../../host/cache.ts';
import { packagedEmulator } from '../../images/emulator/emulator.ts';
import { given } from '../given.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

t.test('a case with findings is packed, and boots elsewhere with and without ptdiff', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-repro-', unsafeCleanup: true });
  t.teardown(cleanup);
  const ptdiff = (words: string[], env: Record<string, string> = {}) =>
    execa(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...words], {
      cwd: path,
      env,
      reject: false,
    });
  const asked = ['--kernel', 'debian:7.3.4', '--scenario', 'realm-late-rsi', '--out', 'run'];
  const ran = await ptdiff(['run', ...asked]);
  t.equal(ran.exitCode, 0, ran.stderr);
  const found = given(readdirSync(join(path, 'run', 'cases'))[0]);
  t.match(await ptdiff(['repro', 'pack', found, '--out', 'run', '--output', 'a.tar.zst']), {
    exitCode: 0,
  });

  // Another machine: of this one's cache it has the emulator, but neither kernel nor guest program.
  const cache = join(path, 'cache');
  mkdirSync(cache);
  const emulator = await packagedEmulator();
  symlinkSync(cachePath('tools'), join(cache, 'tools'));
  const again = await ptdiff(['repro', 'run', 'a.tar.zst', '--keep', 'kept'], {
    PTDIFF_CACHE: cache,
  });
  t.equal(again.exitCode, 0, again.stderr);
  t.match(again.stdout, `${found}: reproduced, the same 3 findings; verdict known`);
  t.match(again.stdout, /both +splat\/warning\/warning-in-pageattr_pmd_entry/);
  t.ok(existsSync(join(path, 'kept', 'registers.json')));
  t.notOk(existsSync(join(cache, 'kernels')));

  await withArchivedCase(join(path, 'a.tar.zst'), async ({ folder }) => {
    const bin = join(path, 'bin');
    mkdirSync(bin);
    const quoted = emulator.command.map((word) => `'${word}'`).join(' ');
    writeFileSync(join(bin, 'qemu-system-aarch64'), `#!/bin/sh\nexec ${quoted} "$@"\n`);
    chmodSync(join(bin, 'qemu-system-aarch64'), 0o755);
    const env = { PATH: `${bin}:${process.env.PATH}` };
    const { exitCode, stdout, stderr } = await execa('sh', [join(folder, 'repro.sh')], {
      env,
      stdin: 'ignore',
      reject: false,
    });
    t.equal(exitCode, 0, stderr);
    t.match(stdout, /^ptdiff: done: powering off\r?$/m, 'init has done its work');
  });
});
