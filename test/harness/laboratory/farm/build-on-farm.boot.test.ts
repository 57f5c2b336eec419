// SPDX-License-Identifier: GPL-2.0-only
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { cacheRoot } from '../../../../host/cache.ts';
import { readCaseLines } from '../../../../results/run-folder.ts';
import { end, ptdiff, recordedWorker, until } from './farm-setup.ts';
import { farmOf } from './recorded-farm.ts';

/** A cache of another machine, without what was built here. */
function machine(folder: string, name: string): string {
  const cache = join(folder, name);
  mkdirSync(cache);
  for (const part of ['apt', 'tools', 'node', 'guest', 'kernels', 'modules'])
    if (existsSync(join(cacheRoot(), part)))
      symlinkSync(join(cacheRoot(), part), join(cache, part));
  return cache;
}

/** As little of Linux as can be configured; its only file does not compile. */
const makefile = `allnoconfig:
	cp $(KCONFIG_ALLCONFIG) $(O)/.config
Image:
	$(CROSS_COMPILE)gcc -c file.c -o $(O)/file.o
`;

/** @returns a kernel for each name: what its file wants and nobody declares */
async function brokenKernels(folder: string, names: readonly string[]): Promise<string[]> {
  const path = join(folder, 'linux');
  mkdirSync(join(path, 'arch', 'arm64'), { recursive: true });
  const git = async (...words: string[]) => {
    const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const who = ['-c', 'user.name=A', '-c', 'user.email=a@example.org'];
    return (await execa('git', ['-C', path, ...who, ...words], { env })).stdout;
  };
  await git('init', '--quiet');
  writeFileSync(join(path, 'arch', 'arm64', 'Makefile'), '');
  writeFileSync(join(path, 'Makefile'), makefile);
  const specs: string[] = [];
  for (const name of names) {
    writeFileSync(join(path, 'file.c'), `int f(void)\n{\n\treturn ${name};\n}\n`);
    await git('add', '.');
    await git('commit', '--quiet', '--message', name);
    specs.push(`git:${path}@${await git('rev-parse', 'HEAD')}`);
  }
  return specs;
}

t.test(
  'a kernel that a worker cannot build does not build; one that its host cannot build goes to another',
  async (t) => {
    const farm = await farmOf(t);
    const [asking, building] = [machine(farm.folder, 'asking'), machine(farm.folder, 'building')];
    const names = ['one', 'two', 'three'];
    const kernels = await brokenKernels(farm.folder, names);
    const env = { PTDIFF_FARM_LEASE: '60' };
    const full = recordedWorker(farm.url, 'full', { ...env, RECORDED_BUILDS: 'host' });
    t.teardown(() => end(full));
    const status = async () => {
      const { stdout } = await ptdiff(['farm', 'status', '--farm', farm.url, '--json']);
      return JSON.parse(stdout);
    };
    const words = ['--farm', farm.url, '--label', 'sound', '--jobs', '1', '--build'];
    const worker = ptdiff(['worker', ...words], { ...env, PTDIFF_CACHE: building });
    t.teardown(() => end(worker, 'SIGINT'));
    await until(async () => (await status()).workers.length === 2);

    const store = join(farm.folder, 'store.sqlite');
    const asked = kernels.flatMap((kernel) => ['--kernel', kernel]);
    const { exitCode, all } = await ptdiff(
      [
        'run',
        ...asked,
        '--scenario',
        'max',
        '--out',
        farm.out,
        '--store',
        store,
        '--farm',
        farm.url,
      ],
      { ...env, PTDIFF_CACHE: asking },
    );
    t.equal(exitCode, 3, all);
    const reasons = readCaseLines(farm.out).map(({ kernel, reason = '' }) => [kernel.spec, reason]);
    for (const [index, kernel] of kernels.entries()) {
      const reason = reasons.find(([spec]) => spec === kernel)?.[1] ?? '';
      const why = `does not build: file\\.c:3:\\d+: error: '${names[index]}' undeclared`;
      t.match(reason, new RegExp(`^${kernel} ${why} .*; the log is ${asking}/.*\\.log\\.$`));
      const [, log = ''] = /the log is (.*)\.$/.exec(reason) ?? [];
      t.match(
        readFileSync(log, 'utf8'),
        /make: \*\*\* \[.*Image\] Error 1/,
        "the log's end is here",
      );
    }
    t.same(existsSync(join(asking, 'source', 'desks')), false, 'nothing was built here');
    t.equal(readdirSync(join(building, 'source', 'desks')).length, 1);
    const failed = (await status()).workers.find(
      ({ label }: { label: string }) => label === 'full',
    );
    t.ok(failed.failed > 0 && failed.failed <= names.length, `${failed.failed} failed there`);
  },
);
