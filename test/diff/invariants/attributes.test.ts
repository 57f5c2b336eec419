// SPDX-License-Identifier: GPL-2.0-only
/** Defects of single mappings: access, memory type, and the other attributes. */
import t from 'tap';
import { aliasesAgree } from '../../../src/diff/invariants/aliases-agree.ts';
import { given } from '../../given.ts';
import { addKernel, addUser, checkDefects, ramPlus, setPlain, setVmalloc } from '../defects.ts';
import {
  bits,
  KiB,
  linearOf,
  MiB,
  NG,
  prot,
  RDONLY,
  rewrite,
  soundContext,
  USER,
  vmalloc,
  withAttributes,
} from '../synthetic.ts';

checkDefects(t, [
  [
    'vmalloc memory is writable and executable',
    setVmalloc((a) => a & ~bits.PXN),
    ['invariant/write-xor-execute/writable-executable@init'],
  ],
  [
    'vmalloc memory is writable, and executable at EL0 alone',
    setVmalloc((a) => a & ~bits.UXN),
    [
      'invariant/write-xor-execute/writable-executable@init',
      'invariant/kernel-half-closed-to-user/user-access@init',
    ],
  ],
  [
    'the linear alias of text is writable and executable although rodata=off',
    (context) => {
      context.capture.variables.rodata_enabled = 0n;
      rewrite(context, linearOf(context, context.image.pa), 4 * KiB, (leaf) =>
        withAttributes(leaf, prot.data & ~bits.PXN),
      );
    },
    [
      'invariant/write-xor-execute/writable-executable@init',
      'invariant/linear-map-not-executable/executable@init',
      'invariant/kernel-text-read-only/linear-alias-writable@init',
    ],
  ],
  [
    'clean memory that hardware makes writable is executable',
    (context) => {
      setVmalloc((a) => (a & ~bits.PXN) | RDONLY)(context);
      context.regime = { ...context.regime, hardwareDirty: true };
    },
    ['invariant/write-xor-execute/writable-executable@init'],
  ],
  [
    'EL0 can read vmalloc memory',
    setVmalloc((a) => a | USER),
    ['invariant/kernel-half-closed-to-user/user-access@init'],
  ],
  [
    'a table page is mapped into user space, read-only',
    addUser(ramPlus(48 * MiB), prot.user | RDONLY),
    ['invariant/user-mappings-safe/table-page@init'],
  ],
  [
    'kernel data is writable for user space',
    addUser((context) => context.image.pa + 0x20_0000, prot.user),
    ['invariant/user-mappings-safe/kernel-image-writable@init'],
  ],
  [
    'kernel data is writable below user space, for EL1 alone',
    addUser((context) => context.image.pa + 0x20_0000, prot.user & ~USER),
    ['invariant/user-mappings-safe/kernel-image-writable@init'],
  ],
  [
    'a user page is executable at EL1',
    addUser(ramPlus(34 * MiB), (prot.user | RDONLY) & ~bits.PXN & ~bits.DBM),
    ['invariant/user-mappings-safe/kernel-executable@init'],
  ],
  [
    'a vmalloc alias is non-cacheable',
    setVmalloc((a) => a | (2n << 2n)),
    ['invariant/aliases-agree/non-cacheable-and-write-back@init'],
  ],
  [
    'a user alias is Device memory',
    addUser(ramPlus(34 * MiB), prot.user | (3n << 2n)),
    ['invariant/aliases-agree/Device-nGnRnE-and-write-back@init'],
  ],
  [
    'cacheable memory without RAM',
    addKernel(vmalloc + 0x1_0000n, () => 0x900_0000, prot.data),
    ['invariant/write-back-is-ram/not-memory@init'],
  ],
  [
    'not inner shareable',
    setPlain((a) => a & ~bits.INNER),
    ['invariant/inner-shareable/not-inner@init'],
  ],
  ['no access flag', setPlain((a) => a & ~bits.AF), ['invariant/access-flag/clear@init']],
  [
    'non-global without KPTI',
    setPlain((a) => a | NG),
    ['invariant/global-bit/non-global-without-kpti@init'],
  ],
  [
    'global with KPTI',
    (context) => {
      context.capture.variables.arm64_use_ng_mappings = 1n;
    },
    ['invariant/global-bit/global-with-kpti@init'],
  ],
]);

t.test('a running board that hides its addresses may have coherent buffers anywhere', async (t) => {
  const idsWith = (vmallocinfo: string | undefined, end: 'completed' | 'hang' = 'completed') => {
    const context = soundContext({ checkpoint: 'live' });
    if (vmallocinfo !== undefined) context.evidence.files['/proc/vmallocinfo'] = vmallocinfo;
    if (end === 'hang') context.evidence.end = { kind: end, reason: 'it idled' };
    setVmalloc((a) => a | (2n << 2n))(context);
    return aliasesAgree(context).map(({ id }) => id);
  };
  const area = (start: bigint, what: string) =>
    `0x${start.toString(16)}-0x${(start + 0x2000n).toString(16)}    8192 f+0x90/0x200 ${what}\n`;
  const differ = ['invariant/aliases-agree/non-cacheable-and-write-back@live'];
  t.same(idsWith(undefined), []);
  t.same(idsWith(area(0n, 'vmalloc')), [], 'every address is hidden');
  t.same(idsWith(area(vmalloc, 'dma-coherent')), []);
  t.same(idsWith(area(vmalloc, 'vmalloc')), differ);
  t.same(idsWith(area(0n, 'vmalloc') + area(vmalloc, 'vmalloc')), differ);
  t.same(idsWith(area(0xffff_8000_0000_0000n, 'vmalloc')), differ, 'the first area of all');
  t.same(idsWith(area(vmalloc, 'vmalloc'), 'hang'), differ);
});

t.test('each kind of conflict is a finding, by the first addresses that both map', async (t) => {
  const context = soundContext();
  const { start } = given(context.ram[0]);
  addUser(() => start + 34 * MiB, prot.user | (3n << 2n))(context);
  addKernel(vmalloc + 0x1_0000n, () => start + 35 * MiB, prot.data | (2n << 2n))(context);
  const findings = aliasesAgree(context);
  t.match(findings, [
    { id: 'invariant/aliases-agree/Device-nGnRnE-and-write-back@init' },
    { id: 'invariant/aliases-agree/non-cacheable-and-write-back@init' },
  ]);
  t.same(
    findings.map(({ detail }) => detail.match(/pairs? of mappings|PA \w+ at VA \w+/g)),
    [
      [
        'pair of mappings',
        'PA 0x42200000 at VA 0xffff000002200000',
        'PA 0x42200000 at VA 0x500000',
      ],
      [
        'pair of mappings',
        'PA 0x42300000 at VA 0xffff000002300000',
        'PA 0x42300000 at VA 0xffff8000a0010000',
      ],
    ],
  );
});
