// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type Access, permissionIndex, permissions } from '../../src/vmsa/permissions.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { SystemRegisters } from '../../src/vmsa/types.ts';

const base: SystemRegisters = {
  TTBR0_EL1: 0n,
  TTBR1_EL1: 0x4000_0000n,
  TCR_EL1: (16n << 16n) | (2n << 30n) | (5n << 32n),
  MAIR_EL1: 0n,
  SCTLR_EL1: 1n,
};
const HA_HD = 3n << 39n;
const HPD1 = 1n << 42n;
const WXN = 1n << 19n;

const AP_EL0 = 1n << 6n;
const AP_RO = 1n << 7n;
const DBM = 1n << 51n;
const PXN = 1n << 53n;
const UXN = 1n << 54n;

/** `rwx`, with d for writable after the first write and g for a guarded control stack. */
const text = (access: Access): string =>
  `${access.read ? 'r' : '-'}${access.write ? 'w' : access.writeAfterDirty ? 'd' : access.guardedControlStack ? 'g' : '-'}${access.execute ? 'x' : '-'}`;

function shown(
  attributes: bigint,
  changes: Partial<SystemRegisters> = {},
  tableAttributes = 0,
): string {
  const regime = stage1Regime({ ...base, ...changes }, 'ttbr1');
  const { el1, el0 } = permissions(regime, { attributes: attributes | 3n, tableAttributes });
  return `${text(el1)} ${text(el0)}`;
}

t.test('direct permissions (DDI 0487 D8.4, AP[2:1], UXN, PXN)', (t) => {
  t.equal(shown(0n), 'rwx --x');
  t.equal(shown(AP_EL0), 'rw- rwx', 'what EL0 writes, EL1 does not run');
  t.equal(shown(AP_RO), 'r-x --x');
  t.equal(shown(AP_RO | AP_EL0), 'r-x r-x');
  t.equal(shown(PXN), 'rw- --x');
  t.equal(shown(UXN), 'rwx ---');
  t.equal(shown(AP_RO | AP_EL0 | PXN | UXN), 'r-- r--');
  t.end();
});

t.test('a leaf that is not valid permits nothing', (t) => {
  const regime = stage1Regime(base, 'ttbr1');
  const { el1, el0 } = permissions(regime, { attributes: 2n, tableAttributes: 0 });
  t.equal(`${text(el1)} ${text(el0)}`, '--- ---');
  t.end();
});

t.test('WXN takes execution from what can be written', (t) => {
  const wxn = { SCTLR_EL1: 1n | WXN };
  t.equal(shown(0n, wxn), 'rw- --x');
  t.equal(shown(AP_EL0, wxn), 'rw- rw-');
  t.equal(shown(AP_RO, wxn), 'r-x --x');
  t.equal(
    shown(AP_RO | DBM, { ...wxn, TCR_EL1: base.TCR_EL1 | HA_HD }),
    'rd- --x',
    'or will be after the first write',
  );
  t.end();
});

t.test('hierarchical permissions, unless disabled', (t) => {
  const disabled = { TCR_EL1: base.TCR_EL1 | HPD1 };
  t.equal(shown(0n, {}, 1), 'rw- --x', 'PXNTable');
  t.equal(shown(AP_EL0 | AP_RO, {}, 1), 'r-- r-x', 'PXNTable leaves EL0 alone');
  t.equal(shown(0n, {}, 2), 'rwx ---', 'UXNTable');
  t.equal(shown(AP_EL0, {}, 4), 'rwx --x', 'APTable[0] takes EL0 away');
  t.equal(shown(AP_EL0, {}, 8), 'r-x r-x', 'APTable[1] takes writing away');
  t.equal(shown(AP_EL0, {}, 15), 'r-- ---');
  t.equal(shown(AP_EL0, {}, 16), 'rw- rwx', 'NSTable is no permission');
  t.equal(shown(AP_EL0, disabled, 15), 'rw- rwx');
  t.equal(shown(0n, disabled, 15), 'rwx --x');
  t.end();
});

t.test('hardware dirty state makes a clean page writable', (t) => {
  const hd = { TCR_EL1: base.TCR_EL1 | HA_HD };
  t.equal(shown(AP_RO | DBM | PXN, hd), 'rd- --x');
  t.equal(shown(AP_RO | DBM | PXN), 'r-- --x', 'not without HD');
  t.equal(shown(AP_RO | PXN, hd), 'r-- --x', 'not without DBM');
  t.equal(shown(AP_RO | DBM | PXN, hd, 8), 'r-- --x', 'not under APTable[1]');
  t.equal(shown(AP_RO | DBM | AP_EL0, hd), 'rd- rdx', 'EL1 does not run what EL0 will write');
  t.end();
});

t.test('permission index: bits 54, 53, 51 and 6', (t) => {
  t.same([UXN, PXN, DBM, AP_EL0, UXN | PXN | DBM | AP_EL0].map(permissionIndex), [8, 4, 2, 1, 15]);
  t.end();
});

t.test('indirect permissions: every encoding of PIR_EL1 and PIRE0_EL1', (t) => {
  const one = (PIR_EL1: bigint, PIRE0_EL1: bigint) =>
    shown(0n, { TCR2_EL1: 2n, PIR_EL1, PIRE0_EL1 });
  const expected = [
    '---',
    'r--',
    '--x',
    'r-x',
    '---',
    'rw-',
    'rw-',
    'rwx',
    'r--',
    'rg-',
    'r-x',
    '---',
    'rw-',
    '---',
    'rwx',
    '---',
  ];
  t.same(
    expected.map((_, encoding) => one(BigInt(encoding), 0n).slice(0, 3)),
    expected,
  );
  t.same(
    expected.map((_, encoding) => one(0n, BigInt(encoding)).slice(4)),
    expected,
  );
  t.equal(one(0xan, 0x5n), '--- ---', 'EL1 execution with EL0 writing permits nothing to either');
  t.equal(one(0x9n, 0x9n), '--- ---');
  t.equal(one(0xcn, 0x7n), 'rw- rwx');
  t.equal(one(0x15n, 0n), 'rw- ---', 'the field of the next index does not matter');
  t.end();
});

t.test('indirect permissions as Linux sets them up', (t) => {
  // PIE_E1 of arch/arm64/include/asm/pgtable-prot.h as a 7.3.4 kernel loads it on QEMU's max CPU.
  const registers = { TCR2_EL1: 2n, PIR_EL1: 0xcc88_0e0a_c080_0000n, PIRE0_EL1: 0n };
  const kernel = DBM | PXN | UXN;
  t.equal(shown(kernel, registers), 'rw- ---', '_PAGE_KERNEL');
  t.equal(shown(PXN | UXN, registers), 'r-- ---', '_PAGE_KERNEL_RO');
  t.equal(shown(UXN, registers), 'r-x ---', '_PAGE_KERNEL_ROX');
  t.equal(shown(DBM | UXN, registers), 'rwx ---', '_PAGE_KERNEL_EXEC');
  t.equal(shown(kernel | AP_RO, registers), 'r-- ---', 'bit 7 is nDirty: a clean page');
  t.equal(shown(kernel | AP_RO, { ...registers, TCR_EL1: base.TCR_EL1 | HA_HD }), 'rd- ---');
  t.equal(
    shown(kernel, { ...registers, SCTLR_EL1: 1n | WXN }, 15),
    'rw- ---',
    'WXN and table permissions have no effect',
  );
  t.end();
});

t.test('a page that is writable does not wait for its first write', async (t) => {
  const hd = { ...base, TCR_EL1: base.TCR_EL1 | HA_HD };
  // PIR_EL1 and PIRE0_EL1 let both read and write at every index.
  const every = 0x5555_5555_5555_5555n;
  const indirect = { ...hd, TCR2_EL1: 2n, PIR_EL1: every, PIRE0_EL1: every };
  for (const registers of [hd, indirect]) {
    const attributes = 3n | AP_EL0 | DBM;
    const regime = stage1Regime(registers, 'ttbr1');
    const { el1, el0 } = permissions(regime, { attributes, tableAttributes: 0 });
    t.match([el1, el0], Array(2).fill({ write: true, writeAfterDirty: false }));
  }
});
