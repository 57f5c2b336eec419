// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { inferredSharing, ipaBitsOf } from '../../src/evidence/inferred-sharing.ts';
import { geometryOf } from '../../src/linux/geometry.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';

const traits = {
  config: { vaBits: 48 },
  geometry: geometryOf(4096),
} as unknown as KernelTraits;
const start = 0xffff_0000_0000_0000n;
const shared = 2 ** 47;

const leaf = (page: number, pages: number, bit = shared, base = start): LeafRun => ({
  va: base + BigInt(page * 4096),
  pa: bit + 2 ** 30 + page * 4096,
  size: pages * 4096,
  ...{ level: 3, contiguous: false, valid: true, attributes: 0n, tableAttributes: 0 },
});

t.test('the top bit of the address space of a realm', (t) => {
  t.equal(ipaBitsOf({ variables: { prot_ns_shared: 1n << 47n } }), 48);
  t.equal(ipaBitsOf({ variables: { prot_ns_shared: 0n } }), undefined);
  t.equal(ipaBitsOf({ variables: {} }), undefined, 'a kernel that knows no realms');
  t.end();
});

t.test('stretches of shared memory of the linear map are one request each', (t) => {
  const leaves = [
    leaf(0, 1, 0),
    leaf(1, 2),
    leaf(3, 1),
    leaf(4, 1, 0),
    leaf(5, 4),
    // A device of the host's, mapped by ioremap().
    leaf(6, 1, shared, 0xffff_8000_8000_0000n),
  ];
  const ttbr1 = { leaves, tables: [], malformed: [] };
  t.match(inferredSharing({ checkpoint: 'live', ttbr1 }, 48, traits), [
    { start: start + 0x1000n, pages: 3, direction: 'decrypt', before: 'live' },
    { start: start + 0x5000n, pages: 4, capabilitiesFinal: true },
  ]);
  t.equal(inferredSharing({ checkpoint: 'live', ttbr1 }, 48, traits).length, 2);
  t.end();
});
