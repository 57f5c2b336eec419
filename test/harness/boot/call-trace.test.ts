// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { withoutPac } from '../../../harness/boot/call-trace.ts';

/** TCR_EL1 of a kernel with as many bits of virtual addresses. */
const tcr = (vaBits: number) => BigInt(64 - vaBits) << 16n;

t.test('strips the authentication code of a code address', (t) => {
  t.equal(withoutPac(0x23f2_8000_8003_67b8n | (1n << 55n), tcr(48)), 0xffff_8000_8003_67b8n);
  t.equal(withoutPac(0x00a3_5f40_8003_67b8n, tcr(39)), 0xffff_ffc0_8003_67b8n);
  t.equal(withoutPac(0xffff_8000_8003_67b8n, tcr(52)), 0xffff_8000_8003_67b8n);
  t.equal(
    withoutPac(0x0000_aaaa_c000_1234n, tcr(48)),
    0x0000_aaaa_c000_1234n,
    'user space is left alone',
  );
  t.equal(withoutPac(0x4020_0000n, 0n), 0x4020_0000n, 'as is a physical address');
  t.end();
});
