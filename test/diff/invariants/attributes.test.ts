// SPDX-License-Identifier: GPL-2.0-only
/** Defects of single mappings: access, memory type, and the other attributes. */
import t from 'tap';
import { addKernel, addUser, checkDefects, ramPlus, setPlain, setVmalloc } from '../defects.ts';
import { bits, MiB, NG, prot, RDONLY, USER, vmalloc } from '../synthetic.ts';

checkDefects(t, [
  [
    'vmalloc memory is writable and executable',
    setVmalloc((a) => a & ~bits.PXN),
    ['invariant/write-xor-execute/writable-executable@init'],
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
