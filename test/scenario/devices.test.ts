// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { deviceContent, deviceNames, isDelivered, modulesFor } from '../../src/scenario/devices.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const content = deviceContent();

t.test(
  'any part of the content that is long enough is from the device, nothing else',
  async (t) => {
    for (const from of [0, 16, 4099, content.length - 64]) {
      t.ok(isDelivered('virtio-blk', hex(content.subarray(from, from + 64))), String(from));
    }
    t.notOk(isDelivered('virtio-blk', undefined));
    t.notOk(isDelivered('virtio-blk', ''));
    t.notOk(isDelivered('virtio-blk', hex(content.subarray(0, 16))), 'too short');
    t.notOk(isDelivered('virtio-rng', hex(new Uint8Array(64))));
    t.notOk(isDelivered('virtio-console', 'zz'.repeat(64)));
    const torn = Buffer.concat([content.subarray(0, 32), content.subarray(64, 96)]);
    t.notOk(isDelivered('virtio-console', hex(torn)), 'two places');
  },
);

t.test("the network's answer is the gateway's", async (t) => {
  t.ok(isDelivered('virtio-net', '52550a0002020a000202'));
  t.notOk(isDelivered('virtio-net', '525400123456' + '0a00020f'));
  t.notOk(isDelivered('virtio-net', hex(content.subarray(0, 64))));
});

t.test('modules come for what is not built in, each after those that it needs', async (t) => {
  t.same(modulesFor([...deviceNames], ['virtio-console']), [
    'virtio_blk',
    'virtio-rng',
    'failover',
    'net_failover',
    'virtio_net',
  ]);
  t.same(modulesFor(['virtio-blk'], ['virtio-blk']), []);
  t.same(modulesFor(undefined, []), []);
});
