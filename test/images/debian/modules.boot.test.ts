// SPDX-License-Identifier: GPL-2.0-only
import { basename } from 'node:path';
import t from 'tap';
import { debianModules } from '../../../images/debian/modules.ts';
import { resolveKernel } from '../../../images/kernels.ts';
import { deviceModules } from '../../../src/scenario/devices.ts';

// The kernel and its modules, from an empty cache.
t.setTimeout(15 * 60_000);
process.env.PTDIFF_CACHE = t.testdir();

t.test('the modules of all devices come with one download, those that there are', async (t) => {
  const kernel = await resolveKernel('debian:7.3');
  const said: string[] = [];
  const options = {
    others: deviceModules,
    progress: (line: string) => said.push(line),
  };
  const bring = async (names: string[]) => {
    const files = await debianModules(kernel, names, options);
    return files.map((file) => basename(file).replace(/\.ko.*$/, ''));
  };
  t.same(await bring(['failover', 'virtio_net']), ['failover', 'virtio_net']);
  t.same(await bring(['virtio_blk', 'virtio-rng']), ['virtio_blk', 'virtio-rng']);
  t.same(await bring(['virtio-rng']), ['virtio-rng']);
  t.equal(said.filter((line) => line.startsWith('downloaded linux-modules-')).length, 1, `${said}`);
  // Debian builds this driver into the kernel.
  await t.rejects(bring(['virtio_console']), {
    fault: 'image',
    message: `The kernel debian:7.3 (${kernel.release}) has no module virtio_console.`,
  });
});
