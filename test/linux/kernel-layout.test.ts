// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { geometryOf } from '../../src/linux/geometry.ts';
import { vmallocRange, vmemmapStart } from '../../src/linux/kernel-layout.ts';

t.test(
  'vmalloc reaches into the vmemmap that a CPU without 52-bit addresses leaves unused',
  (t) => {
    const geometry = geometryOf(4096);
    // VMCOREINFO of Debian's 7.3.4 on a Cortex-A76.
    t.equal(vmemmapStart(52, geometry), 0xffffc1ffc0000000n);
    t.same(vmallocRange(52, 48, geometry), {
      start: 0xffff800000000000n,
      end: 0xfffffdffbf800000n,
    });
    t.equal(vmallocRange(52, 52, geometry).end, 0xffffc1ffbf800000n);
    t.equal(vmallocRange(48, 48, geometry).end, 0xfffffdffbf800000n);
    t.end();
  },
);
