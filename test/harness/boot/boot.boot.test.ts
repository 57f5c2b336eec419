// SPDX-License-Identifier: GPL-2.0-only

import { readdirSync } from 'node:fs';
import t from 'tap';
import { boot } from '../../../harness/boot/boot.ts';
import type { Evidence } from '../../../src/evidence/capture.ts';
import { sizedRange } from '../../../src/linux/physical-range.ts';
import { given } from '../../given.ts';
import { realSetup } from '../boot-setup.ts';

const ramEnd = (megabytes: number) => 0x4000_0000 + megabytes * (1 << 20);

/** Bytes of RAM below `end` that valid leaves of the linear map cover at a checkpoint. */
function mappedRam(evidence: Evidence, checkpoint: number, end: number): number {
  const linear = given(evidence.captures[checkpoint]).ttbr1.leaves.filter(
    (leaf) => leaf.va < 0xffff_8000_0000_0000n,
  );
  return linear
    .filter((leaf) => leaf.valid && leaf.pa >= 0x4000_0000 && leaf.pa < end)
    .reduce((sum, leaf) => sum + leaf.size, 0);
}

/** What is captured depends on the functions that the kernel has, not on what they will do. */
const checkpoints = {
  'debian:6.12': ['paging_init', 'smp_cpus_done', 'free_initmem', 'init'],
  'debian:7.3': [
    'paging_init',
    'before_split',
    'after_split',
    'smp_cpus_done',
    'free_initmem',
    'init',
  ],
};

for (const [spec, expected] of Object.entries(checkpoints)) {
  t.test(`${spec}: every capture, the files of the guest, nothing left behind`, async (t) => {
    const setup = await realSetup(t, spec);
    const evidence = await boot(setup);
    t.same(evidence.end, { kind: 'completed' });
    t.same(
      evidence.captures.map(({ checkpoint }) => checkpoint),
      expected,
    );
    const last = given(evidence.captures[expected.length - 1]);
    t.equal(mappedRam(evidence, 0, ramEnd(512)), 512 << 20);
    t.equal(evidence.image.slide, 0n);
    t.equal(last.variables.rodata_enabled, 1n);
    t.same(last.memblock, [{ ...sizedRange(0x4000_0000, 512 << 20), flags: 0 }]);
    t.ok(last.ttbr0?.leaves.length);
    t.match(evidence.files['/proc/version'], setup.kernel.release);
    t.same(evidence.guestProblems, []);
    t.match(evidence.console, 'Booting Linux');
    t.same(readdirSync(setup.directory), []);
  });
}

for (const [spec, all] of Object.entries(checkpoints)) {
  t.test(
    `${spec}: an early boot ends when smp_cpus_done() returns, with the log so far`,
    async (t) => {
      const expected = all.slice(0, all.indexOf('smp_cpus_done') + 1);
      const setup = await realSetup(t, spec, { depth: 'early' });
      const evidence = await boot(setup);
      t.same(evidence.end, { kind: 'stopped' });
      t.same(
        evidence.captures.map(({ checkpoint }) => checkpoint),
        expected,
      );
      t.same(evidence.unseen, undefined);
      t.same(Object.keys(evidence.files), ['dmesg']);
      const lines = given(evidence.files.dmesg).split('\n');
      t.match(lines[0], /^\[ {4}0\.000000\]\[ {4}T0\] Booting Linux on physical CPU/);
      t.ok(
        lines.some((line) => line.endsWith('SMP: Total of 1 processors activated.')),
        'the last of them is of smp_cpus_done()',
      );
      t.notOk(lines.some((line) => line.includes('Freeing unused kernel memory')));
      t.same(readdirSync(setup.directory), []);
    },
  );
}

t.test('KASLR, two CPUs and a hole: the same slide twice, and the hole in memblock', async (t) => {
  const machine = {
    cpu: 'a76',
    cpus: 2,
    memory: 512,
    holes: [{ start: 0x5000_0000, size: 2 << 20 }],
    world: 'normal',
  } as const;
  const setup = await realSetup(t, 'debian:6.12', {
    machine: { ...machine, holes: [...machine.holes] },
    cpu: 'cortex-a76',
    commandLine: 'console=ttyAMA0 earlycon',
  });
  const [first, second] = [await boot(setup), await boot(setup)];
  t.not(first.image.slide, 0n);
  t.equal(second.image.slide, first.image.slide);
  t.same(
    first.captures.map(({ cpus }) => cpus.map(({ online }) => online)),
    [
      [true, false],
      [true, true],
      [true, true],
      [true, true],
    ],
  );
  t.same(given(first.captures[0]).memblock?.[1], { ...sizedRange(0x5000_0000, 2 << 20), flags: 4 });
  t.equal(mappedRam(first, 0, ramEnd(512)), 510 << 20);
});

t.test('requests to split are recorded with their arguments', async (t) => {
  const setup = await realSetup(t, 'debian:7.3', {
    cpu: 'max,midr=0x410fd842,pauth=off,sve=off,sme=off',
  });
  const { splitRequests, captures } = await boot(setup);
  t.ok(splitRequests.length > 100);
  t.ok(
    splitRequests.every(
      ({ start, end }) => start < end && start % 4096n === 0n && end % 4096n === 0n,
    ),
  );
  t.equal(given(captures[0]).variables.linear_map_requires_bbml3, 1n);
});
