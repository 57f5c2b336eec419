// SPDX-License-Identifier: GPL-2.0-only
/**
 * Boots guest/init on real kernels, without a debugger, and reads what it left in the RAM file once
 * the machine is off.
 */

import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { withDir } from 'tmp-promise';
import { buildInitramfs, packInitramfs } from '../../guest/build.ts';
import { sha256 } from '../../host/cache.ts';
import { packagedEmulator } from '../../images/emulator/emulator.ts';
import { resolveKernel } from '../../images/kernels.ts';
import { compilerNames, crossToolchain } from '../../images/toolchain/toolchain.ts';
import { decodeRecords, type GuestReport, guestTexts } from '../../src/evidence/records.ts';
import { findIomem, hidesAddresses, parseIomem } from '../../src/linux/iomem.ts';
import { kallsymsOfImage } from '../../src/linux/kallsyms.ts';
import { findSplats } from '../../src/linux/splats.ts';
import { parseVmallocinfo } from '../../src/linux/vmallocinfo.ts';
import { given } from '../given.ts';

const ramBase = 0x40000000;
const bootMilliseconds = 180_000;

// Downloads and boots take as long as they take; the test runner has a limit of its own.
t.setTimeout(0);
const patient = { timeout: 0 };

const emulator = await packagedEmulator();
const initramfs = await buildInitramfs();

/** Boots to power-off. The RAM file outlives the machine. */
async function bootInit(
  image: string,
  parameters: string,
  mebibytes = 512,
): Promise<{ console: string; report: GuestReport }> {
  return withDir(
    async ({ path }) => {
      const ramPath = join(path, 'ram');
      const machine = [
        ...[
          '-M',
          'virt,gic-version=3,dtb-randomness=off',
          '-cpu',
          'max,pauth=off,sve=off,sme=off',
          '-smp',
          '1',
        ],
        ...[
          '-m',
          `${mebibytes}M`,
          '-object',
          `memory-backend-file,id=ram,mem-path=${ramPath},size=${mebibytes}M,share=on`,
        ],
        ...[
          '-machine',
          'memory-backend=ram',
          '-kernel',
          image,
          '-initrd',
          initramfs.path,
          '-net',
          'none',
          '-no-reboot',
        ],
        ...['-append', `nokaslr console=ttyAMA0 rdinit=/init ${parameters}`, '-nographic'],
      ];
      const { stdout } = await execa(
        given(emulator.command[0]),
        [...emulator.command.slice(1), ...machine],
        {
          stdin: 'ignore',
          timeout: bootMilliseconds,
        },
      );
      const directory = Number(/ptdiff: directory (0x[0-9a-f]+)/.exec(stdout)?.[1]);
      const ram = await open(ramPath);
      try {
        const { size } = await ram.stat();
        const contents = Buffer.alloc(size);
        await ram.read(contents, 0, size, 0);
        const read = (pa: number, bytes: number) =>
          pa >= ramBase && pa + bytes <= ramBase + size
            ? contents.subarray(pa - ramBase, pa - ramBase + bytes)
            : undefined;
        return {
          console: stdout,
          report: decodeRecords(read(directory, 4096) ?? new Uint8Array(0), read),
        };
      } finally {
        await ram.close();
      }
    },
    { unsafeCleanup: true },
  );
}

for (const spec of ['debian:6.12', 'debian:6.18', 'debian:7.1', 'debian:7.3', 'debian:7.3:16k']) {
  t.test(
    `${spec}: all that init sends arrives, and the Image's own symbols are those of the running kernel`,
    patient,
    async (t) => {
      const kernel = await resolveKernel(spec);
      const { report } = await bootInit(
        kernel.imagePath,
        '-- ptdiff.probes=memfd_secret,unheard_of ptdiff.collect=kallsyms ptdiff.nonce=c0ffee',
      );
      t.strictSame(report.damage, []);
      t.equal(report.nonce, 0xc0ffeen);
      t.strictSame(report.problems, [{ where: 'unheard_of', what: 'no such probe' }]);
      t.notOk(
        [...report.files.values()].some(({ cut }) => cut),
        'nothing was cut',
      );

      const texts = guestTexts(report);
      t.match(texts['/proc/version'], kernel.release);
      t.match(texts['/proc/cmdline'], /^nokaslr .* -- ptdiff\.probes/);
      t.match(texts['/proc/meminfo'], /^MemTotal:/);
      t.equal(texts['/proc/modules'], '');
      t.match(texts.dmesg, /Run \/init as init process/);
      t.strictSame(findSplats(given(texts.dmesg)), []);
      t.equal(report.files.get('/proc/config.gz')?.errno, 2);
      t.equal(report.files.get('kernel_page_tables')?.errno, 2);

      const iomem = parseIomem(given(texts['/proc/iomem']));
      t.notOk(hidesAddresses(iomem));
      t.strictSame(
        findIomem(iomem, 'System RAM').map(({ start, end }) => [start, end]),
        [[ramBase, ramBase + 2 ** 29]],
      );

      const symbols = kallsymsOfImage(readFileSync(kernel.imagePath));
      const areas = parseVmallocinfo(given(texts['/proc/vmallocinfo']));
      t.equal(given(areas[0]).start, symbols.textBase, 'addresses are not hashed');

      const pageBytes = spec.endsWith('16k') ? 16384 : 4096;
      const probe = given(report.probes[0]);
      t.match(probe, { probe: 'memfd_secret', call: 'ok', errno: 0 });
      t.equal(new Set(probe.pages).size, 6);
      t.ok(
        probe.pages.every((pa) => pa % pageBytes === 0 && pa >= ramBase && pa < ramBase + 2 ** 29),
      );

      const ofImage = symbols
        .list()
        .map(({ name, type, address }) => `${address.toString(16)} ${type} ${name}`);
      const running = given(texts['/proc/kallsyms'])
        .trimEnd()
        .split('\n')
        .filter((line) => !line.includes('\t['));
      t.ok(running.length > 100_000);
      const differing = running.findIndex((line, i) => line !== ofImage[i]);
      t.equal(differing, -1, `first difference: ${ofImage[differing]} for ${running[differing]}`);
      t.equal(ofImage.length, running.length);
    },
  );
}

t.test('without a harness init tells a person what it is, and powers off', patient, async (t) => {
  const { imagePath, release } = await resolveKernel('debian:6.12');
  const { console, report } = await bootInit(imagePath, '-- ptdiff.probes=memfd_secret');
  t.match(console, `ptdiff: Linux version ${release}`);
  t.match(console, /ptdiff: done: powering off/);
  t.match(console, /reboot: Power down/);
  t.equal(report.probes.length, 1);
});

t.test('a probe that the kernel refuses is a result, not a failure', patient, async (t) => {
  const { imagePath } = await resolveKernel('debian:7.3');
  const { report } = await bootInit(imagePath, 'secretmem.enable=0 -- ptdiff.probes=memfd_secret');
  t.strictSame(report.probes, [
    { probe: 'memfd_secret', call: 'memfd_secret', errno: 38, pages: [] },
  ]);
  t.strictSame(report.problems, []);
});

t.test(
  'what init is asked reaches it where the kernel refuses a parameter, and gives it no arguments',
  patient,
  async (t) => {
    const { imagePath } = await resolveKernel('debian:7.3');
    const { report } = await bootInit(
      imagePath,
      'kfence.sample_interval=-5 -- ptdiff.probes=memfd_secret',
    );
    t.match(guestTexts(report).dmesg, /`-5' invalid for parameter `kfence\.sample_interval'/);
    t.equal(report.probes.length, 1);
  },
);

t.test('a guest that has little memory says what it could not send', patient, async (t) => {
  const { imagePath } = await resolveKernel('debian:6.12');
  const { report } = await bootInit(imagePath, '-- ptdiff.collect=kallsyms', 64);
  const kallsyms = report.files.get('/proc/kallsyms');
  t.equal(kallsyms?.cut, true);
  t.match(guestTexts(report).dmesg, /Run \/init/, 'the small files came first');
  t.match(report.damage, [/no memory for \d+ records/]);
});

t.test('the initramfs is the same bytes whenever it is built', patient, async (t) => {
  for (const compiler of compilerNames) {
    const built = await buildInitramfs({ compiler });
    t.equal(
      sha256(await packInitramfs(await crossToolchain({ compiler }))),
      built.sha256,
      compiler,
    );
  }
  t.strictSame(await buildInitramfs(), initramfs);
});
