// SPDX-License-Identifier: GPL-2.0-only
import { bit, field } from './bits.ts';
import type { Stage1Regime } from './regime.ts';

/** What one exception level may do at an address. */
export interface Access {
  read: boolean;
  write: boolean;
  execute: boolean;
  /**
   * Not writable now, but the first write makes it so: hardware marks the page dirty (DBM or
   * nDirty, with HD).
   */
  writeAfterDirty: boolean;
  /** Guarded control stack accesses (FEAT_GCS); a plain write is then not allowed. */
  guardedControlStack: boolean;
}

/**
 * Effective stage 1 permissions of a leaf. PAN, E0PD and permission overlays are not included: they
 * depend on more than the tables.
 */
interface Permissions {
  el1: Access;
  el0: Access;
}

const none: Access = {
  read: false,
  write: false,
  execute: false,
  writeAfterDirty: false,
  guardedControlStack: false,
};

/**
 * Effective permissions of a page or block (DDI 0487 D8.4): direct from AP, UXN and PXN with the
 * hierarchical limits and WXN, or indirect through PIR_EL1 and PIRE0_EL1. A leaf that is not valid
 * allows nothing.
 */
export function permissions(
  regime: Stage1Regime,
  leaf: { attributes: bigint; tableAttributes: number },
): Permissions {
  if (!bit(leaf.attributes, 0)) return { el1: none, el0: none };
  return regime.indirection === undefined
    ? directPermissions(
        regime,
        leaf.attributes,
        regime.hierarchyDisabled ? 0 : leaf.tableAttributes,
      )
    : indirectPermissions(regime, regime.indirection, leaf.attributes);
}

/** Bits of LeafRun.tableAttributes: descriptor bits 63:59 (DDI 0487 D8.3.1, D8.4.3). */
const PXN_TABLE = 1;
const UXN_TABLE = 2;
const NO_EL0_TABLE = 4;
const READ_ONLY_TABLE = 8;

function directPermissions(regime: Stage1Regime, attributes: bigint, tables: number): Permissions {
  const el0Access = bit(attributes, 6) && (tables & NO_EL0_TABLE) === 0;
  const forcedReadOnly = (tables & READ_ONLY_TABLE) !== 0;
  const clean = bit(attributes, 7);
  const hardwareWritable = clean && bit(attributes, 51) && regime.hardwareDirty;
  const write = !forcedReadOnly && !clean;
  const writeAfterDirty = !forcedReadOnly && hardwareWritable;
  // A page that hardware may make writable counts as writable wherever writing forbids execution.
  const writable = write || writeAfterDirty;
  const el0Writable = el0Access && writable;
  const uxn =
    bit(attributes, 54) || (tables & UXN_TABLE) !== 0 || (el0Writable && regime.writeExecuteNever);
  const pxn =
    bit(attributes, 53) ||
    (tables & PXN_TABLE) !== 0 ||
    (writable && regime.writeExecuteNever) ||
    el0Writable;
  const common = { guardedControlStack: false };
  return {
    el1: { ...common, read: true, write, writeAfterDirty, execute: !pxn },
    el0: {
      ...common,
      read: el0Access,
      write: el0Access && write,
      writeAfterDirty: el0Access && writeAfterDirty,
      execute: !uxn,
    },
  };
}

interface Base {
  read?: true;
  write?: true;
  execute?: true;
  guardedControlStack?: true;
}

const read = true;
const write = true;
const execute = true;

/**
 * Permission fields of PIR_EL1 and PIRE0_EL1. 0 to 7 are subject to overlays, 8 to 15 are not;
 * 0b0110 grants execution only while an overlay takes writing away, so without overlays it does
 * not; 0b0100, 0b1011, 0b1101 and 0b1111 are reserved.
 */
const fields: Base[] = [
  {},
  { read },
  { execute },
  { read, execute },
  {},
  { read, write },
  { read, write },
  { read, write, execute },
  { read },
  { read, guardedControlStack: true },
  { read, execute },
  {},
  { read, write },
  {},
  { read, write, execute },
  {},
];

/** PIIndex of a page or block: bits 54, 53, 51 and 6 (DDI 0487 D8.4.2). */
export function permissionIndex(attributes: bigint): number {
  return field(attributes, 53, 2) * 4 + field(attributes, 51, 1) * 2 + field(attributes, 6, 1);
}

function indirectPermissions(
  regime: Stage1Regime,
  registers: { el1: bigint; el0: bigint },
  attributes: bigint,
): Permissions {
  const index = permissionIndex(attributes);
  // Four bits, sixteen fields.
  const el1 = fields[field(registers.el1, index * 4, 4)] as Base;
  const el0 = fields[field(registers.el0, index * 4, 4)] as Base;
  // EL1 must not execute what EL0 may write: this combination removes every permission from both.
  const conflict =
    (el1.execute || el1.guardedControlStack) && (el0.write || el0.guardedControlStack);
  if (conflict) return { el1: none, el0: none };
  return {
    el1: withDirtyState(regime, el1, attributes),
    el0: withDirtyState(regime, el0, attributes),
  };
}

/**
 * nDirty (bit 7) withholds write permission until hardware or software clears it (DDI 0487 D8.5.3).
 */
function withDirtyState(regime: Stage1Regime, base: Base, attributes: bigint): Access {
  const clean = bit(attributes, 7);
  return {
    read: base.read === true,
    write: base.write === true && !clean,
    writeAfterDirty: base.write === true && clean && regime.hardwareDirty,
    execute: base.execute === true,
    guardedControlStack: base.guardedControlStack === true,
  };
}
