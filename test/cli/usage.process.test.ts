// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { ptdiffHere } from './in-process.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

t.test('--help explains the exit codes', async (t) => {
  const { exitCode, stdout } = await ptdiffHere('--help');
  t.equal(exitCode, 0);
  t.match(stdout, /Exit codes: 0 .* 130 interrupted/s);
});

t.test('the process ends with what the command came to', async (t) => {
  const exitCode = async (...words: string[]) =>
    (await execa(process.execPath, [main, ...words], { reject: false })).exitCode;
  t.equal(await exitCode('ls', 'cpus'), 0);
  t.equal(await exitCode('report', '/nonexistent'), 2);
  t.equal(await exitCode('ls', 'changes', '--kernel', 'file:/nowhere'), 3);
});

t.test('wrong usage ends with 2 and one sentence', async (t) => {
  for (const [words, sentence] of [
    [['run', '--jobs', '0'], /--jobs/],
    [['run', '--kernal', 'x'], /--kernal/],
    [['run', '--firmware', main, '--scenario', 'all'], /one scenario on one kernel/],
    [['run', '--firmware', main, '--scenario', 'monitor+max+late-v3'], /realm monitor/],
    [['run', '--firmware', '/nonexistent'], /\/nonexistent is not a file/],
    [
      ['run', '--firmware', main, '--patch', main],
      /--patch needs a kernel that is built from source/,
    ],
    [['run', '--firmware', main, '--json'], /--firmware.*--json/],
    [
      ['bisect', '--good', 'a', '--bad', 'b', '--case', 'max', '--scenario', 'max'],
      /--scenario.*--case/,
    ],
    [
      ['bisect', '--good', 'a', '--bad', 'b', '--finding', 'x', '--verdict', 'died'],
      /--verdict.*--finding/,
    ],
    [['ls', 'moons'], /moons/],
    [['ls', 'cpus', '--kernel', 'debian:7.3'], /--kernel belongs to 'ls changes'/],
    [['ls', 'changes', '--kernel', 'ubuntu:7.3'], /ubuntu/],
    [['rum'], /Did you mean run\?/],
    [
      ['run', '--scenario', 'neoverse-v3-r0p2+kfense100', '--dry-run'],
      /Did you mean neoverse-v3-r0p2\+kfence100\?/,
    ],
    [['run', '--param', 'mem=1G', '--dry-run'], /--param mem=1G.*machine\.memory/],
    [['run', '--seed', '4294967296', '--dry-run'], /--seed/],
    [['run', '--kernel', 'debian:7.3.4:9k', '--dry-run'], /9k/],
    [['run', '--kernel', 'ubuntu:7.3', '--dry-run'], /ubuntu/],
    [['report', '/nonexistent'], /not a run folder/],
    [['export', '/nonexistent', '--format', 'ktap'], /not a run folder/],
    [['export', '/nonexistent', '--format', 'xml'], /ktap, junit, kcidb, mail/],
    [['export', '/nonexistent', '--format', 'junit', '--finding', 'x'], /--finding/],
    [['export', '/nonexistent', '--format', 'kcidb', '--origin', 'a:b'], /--origin a:b/],
    [['repro', 'pack', 'x', '--out', '/nonexistent'], /has no case 'x'/],
    [['repro', 'run', '/nonexistent.tar.zst'], /not a complete packed case: ENOENT/],
    [['repro', 'run', '/dev/zero'], /not a complete packed case: it is a device/],
    [['run', '--scenario', '/dev/zero'], /\/dev\/zero: it is a device, not a file/],
    [['run', '--scenario', '/dev'], /\/dev: it is a directory, not a file/],
    [['run', '--firmware', '/dev/zero'], /\/dev\/zero is not a file/],
    [['nightly', '--config', '/dev/zero'], /\/dev\/zero: it is a device, not a file/],
    [['walk', '--ram', main, '--gdb', '/nonexistent.sock'], /GDB stub/],
    [['walk', '--ram', '/dev/zero', '--gdb', 'x'], /\/dev\/zero: it is a device, not a file/],
    [['walk', '--ram', '/dev/null', '--gdb', 'x', '--half', 'ttbr2'], /ttbr2/],
  ] as [string[], RegExp][]) {
    const { exitCode, stderr } = await ptdiffHere(...words);
    t.equal(exitCode, 2, words.join(' '));
    t.match(stderr, sentence);
    t.notMatch(stderr, /^\s+at /m, 'no stack trace');
  }
});

t.test('--version says what this is, and a verb alone tells its options', async (t) => {
  t.match((await ptdiffHere('--version')).stdout, /^ptdiff \d+\.\d+\.\d+( \([0-9a-f]{12}\))?$/);
  t.match((await ptdiffHere('run', '--help')).stdout, /--scenario <name\|file>/);
  t.notMatch((await ptdiffHere('run', '--help')).stdout, /default: \[\]/);
  t.match((await ptdiffHere('help', 'show')).stdout, /Usage: ptdiff show/);
});

t.test('a reader who had enough is no trouble, a disk that is full is', async (t) => {
  const command = `"${process.execPath}" "${main}" ls scenarios`;
  const code = async (rest: string) =>
    (await execa('sh', ['-c', `(${command}; echo "code $?" >&2) ${rest}`])).stderr;
  t.equal(await code('| true'), 'code 0');
  t.match(await code('> /dev/full'), /^ptdiff: Cannot write to standard output: ENOSPC.*\ncode 3$/);
});

t.test('a scenario file with a typo is named with its field', async (t) => {
  const file = join(t.testdir(), 'typo.yaml');
  writeFileSync(file, 'name: x\nmachine: { cpu: max, memroy: 512 }\n');
  const { exitCode, stderr } = await ptdiffHere(
    'run',
    '--scenario',
    file,
    '--kernel',
    `file:${file}`,
    '--dry-run',
  );
  t.equal(exitCode, 2);
  t.match(stderr, /typo\.yaml.*memroy/s);
});

t.test('kernels that do not exist are no cases of a dry run', async (t) => {
  const kernel = `file:${join(t.testdir(), 'none')}`;
  const { exitCode, stdout, stderr } = await ptdiffHere(
    'run',
    '--kernel',
    kernel,
    '--scenario',
    'max',
    '--dry-run',
  );
  t.equal(exitCode, 3);
  t.equal(stdout, '');
  t.match(
    stderr,
    /none: there is no such file.*0 cases; .*1 case would end in error: file:.*none not available/s,
  );
});

/** Runs the CLI with something that happens beside it. */
async function ptdiffWith(code: string, env: Record<string, string> = {}) {
  const preload = `data:text/javascript,${encodeURIComponent(code)}`;
  return execa(process.execPath, ['--import', preload, main, 'serve', '--help'], {
    reject: false,
    env,
  });
}

t.test(
  'what nobody foresaw ends with 3 and one sentence, and tells its place to who asks',
  async (t) => {
    for (const code of [
      "setImmediate(() => { throw new TypeError('no such thing') })",
      "setImmediate(() => Promise.reject(new TypeError('no such thing')))",
    ]) {
      // Not before ptdiff is there to see it: Node alone ends with 1, as if there were findings.
      const held = `const wait = setInterval(() => {
      if (process.listenerCount('uncaughtException') === 0) return;
      clearInterval(wait);
      ${code};
    }, 10)`;
      const { exitCode, stderr } = await ptdiffWith(held);
      t.equal(exitCode, 3, code);
      t.equal(stderr, 'ptdiff: unexpected error: no such thing (PTDIFF_DEBUG=1 shows where)');
      t.match(
        (await ptdiffWith(held, { PTDIFF_DEBUG: '1' })).stderr,
        /unexpected error: no such thing\nTypeError.*\n +at /,
      );
    }
  },
);

t.test('ls scenarios and cpus list what there is', async (t) => {
  t.match((await ptdiffHere('ls', 'scenarios')).stdout, /^SCENARIO +BOOT CPU +CPUS +MEMORY\n/);
  t.match((await ptdiffHere('ls', 'scenarios')).stdout, /^neoverse-v3-r0p2\+noalias\+kfence100 /m);
  t.match((await ptdiffHere('ls', 'cpus')).stdout, /^neoverse-v3-r0p2 +0x410fd842/m);
});

t.test('ls changes prints each change with its commits', async (t) => {
  const { exitCode, stdout } = await ptdiffHere('ls', 'changes');
  t.equal(exitCode, 0);
  t.match(
    stdout,
    /^split-asks-requires\n {2}split_kernel_leaf_mapping\(\) asks .*\.\n {2}since: +7\.1; stable 7\.0\.13\n {2}commit: +f12b435de2f2 \("arm64: mm: Fix rodata=full/m,
  );
  t.match(stdout, /^ {2}issues: +realm-small-swiotlb$/m);
});

t.test('of a kernel that is not there ls changes says so', async (t) => {
  const { exitCode, stdout, stderr } = await ptdiffHere(
    'ls',
    'changes',
    '--kernel',
    'file:/nowhere',
  );
  t.equal(exitCode, 3);
  t.equal(stdout, '');
  t.match(stderr, /\/nowhere/);
});
