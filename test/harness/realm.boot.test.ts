// SPDX-License-Identifier: GPL-2.0-only

import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { buildInitramfs } from '../../guest/build.ts';
import { buildMonitor } from '../../guest/build-monitor.ts';
import { boot } from '../../harness/boot/boot.ts';
import type { CaseSetup } from '../../harness/boot/case-setup.ts';
import { bootCheckpoints, type Evidence } from '../../src/evidence/capture.ts';
import { sizedRange, sizeOf } from '../../src/linux/physical-range.ts';
import { cpuNamed } from '../../src/scenario/cpus.ts';
import type { Machine } from '../../src/scenario/types.ts';
import { given } from '../given.ts';
import { realSetup } from './boot-setup.ts';

/** Of a realm without devices that do DMA. */
const alias = 2 ** 39;
const granule = 4096;

// Six boots of real kernels, on hosts that may have much else to do.
t.setTimeout(10 * 60_000);

/** A boot on the monitor; its early console is at the place that its world has it. */
async function monitorSetup(t: Test, spec: string, machine: Partial<Machine>): Promise<CaseSetup> {
  const whole: Machine = {
    cpu: 'max',
    cpus: 1,
    memory: 512,
    holes: [],
    world: 'realm',
    firmware: 'monitor',
    ...machine,
  };
  const uart = (whole.world === 'realm' ? alias : 0) + 0x0900_0000;
  return realSetup(t, spec, {
    machine: whole,
    cpu: cpuNamed(whole.cpu).qemu,
    commandLine: `console=ttyAMA0 earlycon=pl011,0x${uart.toString(16)} nokaslr panic=-1`,
    monitor: readFileSync((await buildMonitor()).path),
  });
}

/** Pages that the linear map shows at their alias, ascending. */
function sharedPages({ captures }: Evidence): number[] {
  const { leaves } = given(captures[captures.length - 1]).ttbr1;
  return leaves
    .filter(
      ({ va, pa, valid }) => valid && va < 0xffff_8000_0000_0000n && pa >= alias + 0x4000_0000,
    )
    .flatMap(({ pa, size }) =>
      Array.from({ length: size / granule }, (_, page) => pa - alias + page * granule),
    )
    .sort((a, b) => a - b);
}

/** Pages that are EMPTY to the monitor, ascending. */
function emptyPages({ captures }: Evidence): number[] {
  return (given(captures[captures.length - 1]).monitor?.ripas ?? [])
    .filter(({ ripas }) => ripas === 'EMPTY')
    .flatMap((range) =>
      Array.from({ length: sizeOf(range) / granule }, (_, page) => range.start + page * granule),
    );
}

for (const firmware of ['monitor', 'monitor-rme'] as const) {
  t.test(
    `a realm on ${firmware}: kernel, tables and monitor agree on what is shared`,
    async (t) => {
      const setup = await monitorSetup(t, 'debian:7.3', { firmware });
      const evidence = await boot(setup);
      t.same(evidence.end, { kind: 'completed' });
      t.same(
        evidence.captures.map(({ checkpoint }) => checkpoint),
        [...bootCheckpoints],
      );
      t.match(evidence.console, 'RME: Using RSI version 1.0');
      t.same(evidence.captures.at(-1)?.memblock, [
        { ...sizedRange(0x4000_0000, 512 << 20), flags: 0 },
      ]);
      t.same(evidence.guestProblems, []);
      t.match(evidence.files['/proc/version'], setup.kernel.release);
      const { sharing = [] } = evidence;
      t.equal(given(sharing[0]).caller, 'swiotlb_update_mem_attributes');
      t.ok(
        sharing.every(({ direction, onlineCpus }) => direction === 'decrypt' && onlineCpus === 1),
      );
      t.same(
        new Set(sharing.map(({ capabilitiesFinal }) => capabilitiesFinal)),
        new Set([false, true]),
      );
      const pages = sharing.reduce((sum, request) => sum + request.pages, 0);
      const shared = sharedPages(evidence);
      t.equal(shared.length, pages);
      t.same(shared, emptyPages(evidence));
      t.same(given(evidence.captures[0]).monitor?.granulesShared, 0);
      t.same(evidence.captures.at(-1)?.monitor?.granulesShared, pages);
      t.same(evidence.captures.at(-1)?.monitor?.aborts, []);
    },
  );
}

t.test('a realm whose monitor and init LLVM built', async (t) => {
  const setup = await monitorSetup(t, 'debian:7.3', {});
  const monitor = readFileSync((await buildMonitor({ compiler: 'llvm' })).path);
  const initramfs = (await buildInitramfs({ compiler: 'llvm' })).path;
  const evidence = await boot({ ...setup, monitor, initramfs });
  t.notSame(monitor, setup.monitor);
  t.same(evidence.end, { kind: 'completed' });
  t.same(evidence.guestProblems, []);
  t.same(sharedPages(evidence), emptyPages(evidence));
  t.ok(sharedPages(evidence).length > 0);
  t.same(evidence.captures.at(-1)?.monitor?.aborts, []);
});

t.test(
  'a capable CPU and one that is not, in the normal world: the linear map is split',
  async (t) => {
    const machine = { world: 'normal', cpu: 'neoverse-v3-r0p2', cpus: 2, others: ['max'] } as const;
    const evidence = await boot(
      await monitorSetup(t, 'debian:7.3', { ...machine, others: [...machine.others] }),
    );
    const { captures } = evidence;
    t.same(evidence.end, { kind: 'completed' });
    t.equal(evidence.sharing, undefined);
    t.same(captures.at(-1)?.monitor?.cpusEntered, [0, 1]);
    t.match(evidence.files['/proc/cpuinfo'], /CPU part\s*: 0xd84(.|\n)*CPU part\s*: 0x051/);
    const blocks = captures.map(({ ttbr1 }) =>
      ttbr1.leaves
        .filter(({ va, level }) => va < 0xffff_8000_0000_0000n && level < 3)
        .reduce((sum, { size }) => sum + size, 0),
    );
    t.ok(given(blocks[0]) > 400 << 20, 'blocks at first');
    t.ok(
      given(blocks.at(-1)) < 64 << 20,
      'but for the alias of the kernel, pages when both CPUs run',
    );
  },
);

t.test(
  'the level of FEAT_BBM is that of the identity, for the kernel and in the evidence',
  async (t) => {
    const evidence = await boot(
      await monitorSetup(t, 'debian:7.3', { world: 'normal', cpu: 'max-bbm3' }),
    );
    t.equal((given(given(evidence.idRegisters[0]).ID_AA64MMFR2_EL1) >> 52n) & 15n, 3n);
    t.equal(given(evidence.captures[0]).variables.linear_map_requires_bbml3, 1n);
  },
);

t.test('a monitor that does not come up is not the fault of the kernel', async (t) => {
  const setup = await monitorSetup(t, 'debian:7.3', {});
  const watchdog = { cpuSeconds: 2, idleSeconds: 5, stalledSeconds: 300, consoleBytes: 1 << 20 };
  await t.rejects(boot({ ...setup, monitor: new Uint8Array(64), watchdog }), {
    name: 'PtdiffError',
    fault: 'harness',
    message: /wrote no report/,
  });
});
