// SPDX-License-Identifier: GPL-2.0-only
/** Devices that do DMA, by boots of a real kernel: what they deliver arrives, in both worlds. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dir } from 'tmp-promise';
import { buildInitramfs } from '../../guest/build.ts';
import { buildMonitor } from '../../guest/build-monitor.ts';
import { withModules } from '../../guest/module-initramfs.ts';
import { boot } from '../../harness/boot/boot.ts';
import { isDelivered } from '../../src/scenario/devices.ts';
import type { Machine } from '../../src/scenario/types.ts';
import { given } from '../given.ts';
import { realSetup } from './boot-setup.ts';

t.setTimeout(10 * 60_000);

const worlds: Pick<Machine, 'world' | 'firmware'>[] = [
  { world: 'normal' },
  { world: 'realm', firmware: 'monitor' },
  { world: 'realm', firmware: 'monitor-rme' },
];

for (const world of worlds) {
  t.test(
    `a console of the ${world.world} world, ${world.firmware ?? 'without a monitor'}`,
    async (t) => {
      const setup = await realSetup(t, 'debian:7.3', {
        // With less memory 7.3 makes a swiotlb buffer that a port's queues alone would fill.
        machine: {
          cpu: 'max',
          cpus: 1,
          memory: 1024,
          holes: [],
          devices: ['virtio-console'],
          ...world,
        },
        commandLine:
          'console=ttyAMA0 nokaslr panic=-1 rdinit=/init -- ptdiff.probes=virtio-console',
        monitor: readFileSync((await buildMonitor()).path),
      });
      const evidence = await boot(setup);
      t.same(evidence.end, { kind: 'completed' });
      const { call, errno, data } = given(evidence.probes[0]);
      t.same({ call, errno }, { call: 'ok', errno: 0 });
      t.ok(isDelivered('virtio-console', data), 'its words arrive');
      const queues = (evidence.sharing ?? []).filter(({ caller }) => caller === 'dma_direct_alloc');
      t.equal(queues.length > 0, world.world === 'realm', 'a realm shares its queues');
      t.same(given(evidence.captures[2]).monitor?.aborts ?? [], []);
    },
  );
}

t.test('a module that is none is told of, and the boot goes on', async (t) => {
  const scratch = await dir({ unsafeCleanup: true });
  t.teardown(() => scratch.cleanup());
  const broken = join(scratch.path, 'broken.ko');
  writeFileSync(broken, 'no module');
  const setup = await realSetup(t, 'debian:7.3', {
    machine: { cpu: 'max', cpus: 1, memory: 512, holes: [], world: 'normal' },
    commandLine:
      'console=ttyAMA0 nokaslr panic=-1 rdinit=/init -- ptdiff.probes=modules,memfd_secret',
  });
  const initramfs = await withModules(await buildInitramfs(), [broken]);
  const { end, probes } = await boot({ ...setup, initramfs: initramfs.path });
  t.same(end, { kind: 'completed' });
  t.match(probes[0], { probe: 'modules', call: 'finit_module', errno: 8 });
  t.match(probes[1], { probe: 'memfd_secret', errno: 0 });
});
