// SPDX-License-Identifier: GPL-2.0-only
/** Defects of single mappings: access, memory type, and the other attributes. */
import t from 'tap';
import type { CheckpointContext } from '../../../src/diff/context.ts';
import { aliasesAgree } from '../../../src/diff/invariants/aliases-agree.ts';
import { globalBit } from '../../../src/diff/invariants/global-bit.ts';
import { writeXorExecute } from '../../../src/diff/invariants/write-xor-execute.ts';
import { permissionIndex } from '../../../src/vmsa/permissions.ts';
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
    'EL0 can read vmalloc memory, and do no more',
    setVmalloc((a) => (a | USER | RDONLY) & ~bits.DBM),
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
    // PIE_E0 and PIE_E1 of _PAGE_GCS, arch/arm64/include/asm/pgtable-prot.h: EL1 has no right.
    "kernel data is user space's guarded control stack",
    (context) => {
      const { userRegime } = context;
      addUser((context) => context.image.pa + 0x20_0000, prot.user)(context);
      const field = 4n * BigInt(permissionIndex(prot.user));
      const indirection = { el1: 0n, el0: 9n << field };
      context.userRegime = { ...given(userRegime), indirection };
    },
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

const area = (start: bigint, what: string) =>
  `0x${start.toString(16)}-0x${(start + 0x2000n).toString(16)}    8192 f+0x90/0x200 ${what}\n`;

t.test('a running board that hides its addresses may have coherent buffers anywhere', async (t) => {
  const idsWith = (vmallocinfo: string | undefined, end: 'completed' | 'hang' = 'completed') => {
    const context = soundContext({ checkpoint: 'live' });
    if (vmallocinfo !== undefined) context.evidence.files['/proc/vmallocinfo'] = vmallocinfo;
    if (end === 'hang') context.evidence.end = { kind: end, reason: 'it idled' };
    setVmalloc((a) => a | (2n << 2n))(context);
    return aliasesAgree(context).map(({ id }) => id);
  };
  const differ = ['invariant/aliases-agree/non-cacheable-and-write-back@live'];
  t.same(idsWith(undefined), []);
  t.same(idsWith(area(0n, 'vmalloc')), [], 'every address is hidden');
  t.same(idsWith(area(vmalloc, 'dma-coherent')), []);
  t.same(idsWith(area(vmalloc, 'vmalloc')), differ);
  t.same(idsWith(area(0n, 'vmalloc') + area(vmalloc, 'vmalloc')), differ);
  t.same(idsWith(area(0xffff_8000_0000_0000n, 'vmalloc')), differ, 'the first area of all');
  t.same(idsWith(area(vmalloc, 'vmalloc'), 'hang'), differ);
});

t.test('a boot that died is believed where it told what an area is', async (t) => {
  const context = soundContext();
  context.evidence.end = { kind: 'hang', reason: 'it idled' };
  context.evidence.files['/proc/vmallocinfo'] = area(vmalloc, 'vmalloc');
  setVmalloc((a) => a | (2n << 2n))(context);
  t.match(aliasesAgree(context), [
    { id: 'invariant/aliases-agree/non-cacheable-and-write-back@init' },
  ]);
});

t.test('a coherent buffer is non-cacheable, and no Device memory', async (t) => {
  const context = soundContext();
  context.evidence.files['/proc/vmallocinfo'] = area(vmalloc, 'dma-coherent');
  setVmalloc((a) => a | (3n << 2n))(context);
  t.match(aliasesAgree(context), [
    { id: 'invariant/aliases-agree/Device-nGnRnE-and-write-back@init' },
  ]);
});

t.test('of many conflicts the first are named, and all counted', async (t) => {
  const context = soundContext();
  const { start } = given(context.ram[0]);
  for (let page = 0; page < 6; page++) {
    const pa = start + 34 * MiB + page * 4 * KiB;
    addUser(() => pa, prot.user | (3n << 2n))(context);
  }
  const { detail } = given(aliasesAgree(context)[0]);
  t.match(detail, '6 pairs of mappings:');
  t.equal(detail.match(/PA \w+ at VA/g)?.length, 8, 'four pairs');
  t.match(detail, /… and 2 more$/);
});

t.test('KPTI needs each leaf of the linear map non-global, and no other', async (t) => {
  const idsWith = (change: (context: CheckpointContext) => void) => {
    const context = soundContext();
    context.capture.variables.arm64_use_ng_mappings = 1n;
    const { start, end } = context.linear;
    rewrite(context, start, Number(end - start), (leaf) =>
      withAttributes(leaf, leaf.attributes | NG),
    );
    change(context);
    return globalBit(context);
  };
  t.same(idsWith(addKernel(0xffff_8000_0000_0000n, ramPlus(34 * MiB), prot.data)), []);
  const first = idsWith((context) =>
    rewrite(context, context.linear.start, 4 * KiB, (leaf) => withAttributes(leaf, prot.data)),
  );
  t.match(first, [
    {
      id: 'invariant/global-bit/global-with-kpti@init',
      title: 'linear map leaves are global although KPTI is on',
      detail: /^arm64_use_ng_mappings is true: nG must be set\.\n1 leaf, 4 KiB:\n/,
    },
  ]);
  const without = soundContext();
  setPlain((a) => a | NG)(without);
  t.match(globalBit(without), [
    {
      title: 'kernel leaves are non-global although KPTI is off',
      detail: /^arm64_use_ng_mappings is false: nG must be clear\.\n1 leaf, 4 KiB:\n/,
    },
  ]);
});

t.test('each kind of conflict is a finding, by the first addresses that both map', async (t) => {
  const context = soundContext();
  const { start } = given(context.ram[0]);
  addUser(() => start + 35 * MiB, prot.user | (3n << 2n))(context);
  addKernel(vmalloc + 0x1_0000n, () => start + 34 * MiB, prot.data | (2n << 2n))(context);
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
        'PA 0x42300000 at VA 0xffff000002300000',
        'PA 0x42300000 at VA 0x500000',
      ],
      [
        'pair of mappings',
        'PA 0x42200000 at VA 0xffff000002200000',
        'PA 0x42200000 at VA 0xffff8000a0010000',
      ],
    ],
  );
});

t.test('memory that EL0 alone writes to and executes', async (t) => {
  const context = soundContext();
  const field = 4n * BigInt(permissionIndex(prot.data));
  // PIR_EL1 gives the right to read, PIRE0_EL1 all of them.
  context.regime = { ...context.regime, indirection: { el1: 1n << field, el0: 7n << field } };
  t.match(writeXorExecute(context), [
    { id: 'invariant/write-xor-execute/writable-executable@init' },
  ]);
});

t.test('where arm64_use_ng_mappings is not known, both are right', async (t) => {
  const context = soundContext();
  setPlain((a) => a | NG)(context);
  t.equal(globalBit(context).length, 1);
  delete context.capture.variables.arm64_use_ng_mappings;
  t.same(globalBit(context), []);
});

t.test("of a kernel's own dump a finding shows what that has", async (t) => {
  const context = soundContext();
  setVmalloc((a) => a & ~bits.PXN)(context);
  const lineOf = (shown: CheckpointContext) =>
    given(writeXorExecute(shown)[0]).detail.split('\n')[2];
  t.match(lineOf(context), /^ {2}0x[0-9a-f]+-0x[0-9a-f]+ → PA 0x[0-9a-f]+: /);
  t.match(
    lineOf({ ...context, dumped: true }),
    /^ {2}0x[0-9a-f]+-0x[0-9a-f]+ 4K PTE rwx --- ISH AF Normal-WB$/,
  );
});
