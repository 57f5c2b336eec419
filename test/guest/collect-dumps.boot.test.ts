// SPDX-License-Identifier: GPL-2.0-only
/**
 * What collect reads of dumps of real guests, and of kernels without /proc/kcore, against what the
 * harness reads of the same guests at the same moment, from outside.
 */

import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { buildCollect } from '../../guest/build-collect.ts';
import type { CaseSetup } from '../../harness/boot/case-setup.ts';
import { isDump, readDump } from '../../harness/laboratory/boards/read-dump.ts';
import { ptdiffHere } from '../cli/in-process.ts';
import { given } from '../given.ts';
import { realSetup } from '../harness/boot-setup.ts';
import { numbersOf } from '../random.ts';
import { collectGuest } from './collect-guest.ts';
import {
  archivePrinted,
  type DumpFormat,
  dumpFormats,
  dumpMemory,
  guestAt,
  guestThatSays,
  sameTables,
  walkOutside,
  wordsUpTo,
} from './dumped-guest.ts';
import { membersOf } from './play-board.ts';

// Downloads and boots take as long as they take; the test runner has a limit of its own.
t.setTimeout(0);
const patient = { timeout: 0 };

/** What no dump has. */
const lost = ['A dump has no /proc: iomem, modules and meminfo are not in the archive.'];
const quick = 'console=ttyAMA0 cryptomgr.notests=1';
const summaryOf = (archive: Uint8Array) =>
  JSON.parse(given(membersOf(archive).get('collect.json')).toString());

/** The archive of a dump, in the folder of the dump. */
const archiveOf = async (path: string) => readFileSync(await readDump(path, join(path, '..')));

/** What must be refused, in one sentence that names the file. */
async function refused(t: Test, path: string, sentence: RegExp): Promise<void> {
  await t.rejects(readDump(path, join(path, '..')), {
    fault: 'usage',
    message: new RegExp(`${basename(path)}: ${sentence.source}`),
  });
}

/** Bytes where a dump of 256 MiB in each format has its headers. */
const headers: Record<DumpFormat, [start: number, end: number][]> = {
  elf: [
    [0, 64],
    [64, 288],
  ],
  // Behind the header of a flattened file, and that of its first record.
  'kdump-zlib': [
    [4096, 4128],
    [4532, 4576],
  ],
  'kdump-raw-zlib': [
    [424, 464],
    [65536, 65640],
  ],
};

function overwrite(path: string, bytes: Uint8Array, at: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** Dumps with a few bytes changed in their headers, or cut short: read, or refused in one line. */
async function damagedDumps(t: Test, path: string, format: DumpFormat): Promise<void> {
  const numbers = numbersOf(format.length);
  const random = (below: number) => Math.floor(numbers() * below);
  const { path: program } = await buildCollect({ target: 'host' });
  const whole = readFileSync(path);
  const damaged = `${path}.damaged`;
  writeFileSync(damaged, whole);
  let refusals = 0;
  for (let turn = 0; turn < 24; turn++) {
    const [start, end] = given(turn % 3 === 0 ? [0, 1 << 20] : headers[format][turn % 2]);
    const at = (start + random(end - start)) & ~3;
    const value = given([0, 1, 0x7fffffff, 0x80000000, 0xffffffff, random(2 ** 32)][random(6)]);
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(value, 4 * random(2));
    overwrite(damaged, bytes, at);
    const isCut = turn % 8 === 7;
    if (isCut) truncateSync(damaged, random(whole.length));
    const { exitCode, stderr } = await execa(program, ['--core', damaged, '--dry-run'], {
      reject: false,
    });
    t.ok(exitCode === 0 || exitCode === 1, `turn ${turn}, bytes at ${at}: ${stderr}`);
    if (exitCode === 1) t.match(stderr, /^(collect: [^\n]+\n?)+$/);
    refusals += exitCode === 1 ? 1 : 0;
    if (isCut) writeFileSync(damaged, whole);
    else overwrite(damaged, whole.subarray(at, at + 8), at);
  }
  t.ok(refusals > 3, `${refusals} refusals`);
}

/** `ptdiff judge` of dumps, by the kernel that the build ID in them names. */
async function judgedDumps(t: Test, release: string, ...paths: string[]): Promise<void> {
  const folder = t.testdir({});
  const kept = ['--out', join(folder, 'run'), '--store', join(folder, 'store.sqlite')];
  const { exitCode, stdout, stderr } = await ptdiffHere('judge', ...paths, '--json', ...kept);
  t.equal(exitCode, 0, stderr);
  const { cases } = JSON.parse(stdout);
  t.equal(cases.length, paths.length);
  for (const each of cases)
    t.match(each, { verdict: 'pass', kernel: { release }, symbols: { grade: 'exact' } });
}

for (const [spec, hostile] of [
  ['debian:7.3', true],
  ['debian:6.12', false],
  ['debian:7.3:16k', false],
] as const) {
  t.test(`${spec}: QEMU's dumps of a stopped guest`, patient, async (t) => {
    const setup = await realSetup(t, spec, { commandLine: `${quick} -- ptdiff.end=stay` });
    setup.machine.memory = 256;
    const at = (name: string) => join(t.testdirName, name);
    t.testdir();
    const outside = await guestThatSays(setup, /done: waiting/, async (vm) => {
      for (const format of dumpFormats) await dumpMemory(vm, at(format), format);
      return walkOutside(vm);
    });
    for (const format of dumpFormats) t.equal(await isDump(at(format)), true, format);
    const archives = {
      elf: await archiveOf(at('elf')),
      kdump: await archiveOf(at('kdump-zlib')),
      raw: await archiveOf(at('kdump-raw-zlib')),
    };
    for (const [name, archive] of Object.entries(archives)) {
      sameTables(t, archive, outside);
      t.match(summaryOf(archive), {
        schema: 1,
        source: name === 'elf' ? 'elf' : 'kdump',
        settled: true,
        uptime: null,
        lost,
      });
      const [elf, members] = [membersOf(archives.elf), membersOf(archive)];
      t.equal(String(members.get('cmdline')), `${setup.commandLine}\n`);
      t.match(String(members.get('version')), `Linux version ${setup.kernel.release} `);
      t.equal(members.get('fdt')?.readUInt32BE(4), members.get('fdt')?.length);
      for (const member of ['vmcoreinfo', 'variables', 'memblock', 'cpus', 'vmallocinfo', 'fdt'])
        t.strictSame(members.get(member), given(elf.get(member)), member);
    }
    await t.test('judged', (t) =>
      judgedDumps(t, setup.kernel.release, at('elf'), at('kdump-zlib')),
    );
    if (!hostile) return;
    for (const format of dumpFormats) await damagedDumps(t, at(format), format);
    writeFileSync(at('text'), 'not a dump of anything\n');
    await refused(t, at('text'), /neither an ELF core nor a kdump-compressed dump/);
    t.strictSame([await isDump(at('text')), await isDump(at('nothing'))], [false, false]);
    await refused(t, at('nothing'), /cannot be opened: No such file or directory/);
  });
}

/** A guest whose init is that of test/guest/collect-guest. */
async function collectSetup(
  t: Test,
  spec: string,
  what: string,
  more: string,
  crashes = false,
): Promise<CaseSetup> {
  const setup = await realSetup(t, spec, {
    commandLine: `${quick} nokaslr ${more} -- ${what}`,
  });
  const image = crashes ? setup.kernel.imagePath : undefined;
  const machine: CaseSetup['machine'] = {
    ...setup.machine,
    memory: crashes ? 1024 : 256,
    its: false,
  };
  return { ...setup, machine, initramfs: await collectGuest(t.testdir(), image) };
}

for (const spec of ['debian:7.3', 'debian:6.12'])
  t.test(`${spec}: a kernel without /proc/kcore is read by BPF`, patient, async (t) => {
    const setup = await collectSetup(t, spec, 'no-kcore', '');
    await guestAt(setup, '__arm64_sys_reboot', async (vm) => {
      const outside = await walkOutside(vm);
      const archive = await archivePrinted(vm);
      sameTables(t, archive, outside);
      t.match(summaryOf(archive), { source: 'bpf', settled: true });
      for (const member of ['variables', 'memblock', 'cpus', 'vmallocinfo', 'fdt'])
        t.ok(given(membersOf(archive).get(member)).length > 0, member);
    });
  });

t.test('where nothing may read the memory, the reasons are said', patient, async (t) => {
  const more = 'lockdown=confidentiality lsm=lockdown';
  const setup = await collectSetup(t, 'debian:7.3', 'no-kcore', more);
  await guestAt(setup, '__arm64_sys_reboot', async (vm) => {
    const text = await wordsUpTo(vm, /guest: collect failed/);
    t.match(text, /collect: This kernel is locked down for confidentiality, so that BPF must not/);
    t.match(text, /collect: This kernel has no \/proc\/kcore .*kernel_page_tables cannot be read/);
  });
});

t.test('/proc/vmcore of a kernel that crashed', patient, async (t) => {
  const setup = await collectSetup(t, 'debian:7.3', 'crash', 'crashkernel=256M', true);
  await guestAt(setup, 'machine_kexec', async (vm) => {
    const outside = await walkOutside(vm);
    const archive = await archivePrinted(vm);
    sameTables(t, archive, outside);
    t.match(summaryOf(archive), { source: 'vmcore', settled: true, uptime: null, lost });
    t.match(
      given(membersOf(archive).get('vmcoreinfo')).toString(),
      /^CRASHTIME=\d+$/m,
      'of the kernel that crashed',
    );
  });
});
