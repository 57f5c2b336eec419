// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { decodeBarrier } from '../../src/bbm/barrier.ts';

// Encodings as GNU as makes them.
t.test('what a DSB orders', async (t) => {
  t.same(decodeBarrier(0xd5033b9f), { stores: true, full: true, own: false }, 'dsb ish');
  t.same(decodeBarrier(0xd5033a9f), { stores: true, full: false, own: false }, 'dsb ishst');
  t.same(decodeBarrier(0xd503399f), { stores: false, full: false, own: false }, 'dsb ishld');
  t.same(decodeBarrier(0xd503379f), { stores: true, full: true, own: true }, 'dsb nsh');
  t.equal(decodeBarrier(0xd5033fdf), undefined, 'isb');
});

t.test('SSBB and PSSBB, which are encoded as DSBs, order no table', async (t) => {
  t.match(decodeBarrier(0xd503309f), { stores: false, full: false });
  t.match(decodeBarrier(0xd503349f), { stores: false, full: false });
});
