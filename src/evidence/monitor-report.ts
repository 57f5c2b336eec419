// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../linux/physical-range.ts';

/** The realm monitor's report: its record of every call, abort and granule. */

/** RSI functions by number, from 0xC4000190 (DEN0137). */
export const rsiFunctions = [
  ...['VERSION', 'FEATURES', 'MEASUREMENT_READ', 'MEASUREMENT_EXTEND', 'ATTESTATION_TOKEN_INIT'],
  ...['ATTESTATION_TOKEN_CONTINUE', 'REALM_CONFIG', 'IPA_STATE_SET', 'IPA_STATE_GET', 'HOST_CALL'],
] as const;

export type RsiFunction = (typeof rsiFunctions)[number];

/** Why an access was refused with a synchronous external abort. */
export const abortKinds = [
  'unknown',
  'protected address of RAM that is not private',
  'alias of RAM that is not shared',
  'protected address of a device or of nothing',
  'neither RAM nor device',
  'granule protection',
] as const;

type Ripas = 'EMPTY' | 'RAM' | 'DESTROYED' | 'DEV';
/** By RSI's number for each. */
export const ripasNames: readonly Ripas[] = ['EMPTY', 'RAM', 'DESTROYED', 'DEV'];

/** An access that the monitor refused. Times are CNTPCT_EL0. */
export interface MonitorAbort {
  time: bigint;
  kind: (typeof abortKinds)[number];
  ipa: number;
  far: bigint;
  elr: bigint;
  spsr: bigint;
  /** As reported at EL2. */
  esr: number;
  /** x30 of the guest. */
  link: bigint;
  cpu: number;
  /** Of the granule; EMPTY outside RAM. */
  ripas: Ripas;
}

/** An SMC of the guest and its result. */
export interface MonitorCall {
  time: bigint;
  /** The number in x0. */
  function: bigint;
  /** E.g. `IPA_STATE_SET`; undefined for a call that is not RSI. */
  rsi: RsiFunction | undefined;
  /** x1 to x4. */
  arguments: [bigint, bigint, bigint, bigint];
  /** x0 to x2. */
  results: [bigint, bigint, bigint];
  /** The instruction after the SMC, the guest's x30, and its x29. */
  elr: bigint;
  link: bigint;
  framePointer: bigint;
  cpu: number;
}

/** Adjacent granules with the same RIPAS. */
export interface RipasRun extends PhysicalRange {
  ripas: Ripas;
}

/** The report without its calls; a boot makes thousands of them. */
export interface MonitorView {
  state: 'running' | 'panic';
  world: 'normal' | 'realm';
  ipaBits: number;
  /** CPUs that entered the guest through the monitor. */
  cpusEntered: number[];
  regions: PhysicalRange[];
  /** VTTBR_EL2 and VTCR_EL2. */
  stage2: { root: number; control: bigint };
  rsi: Record<RsiFunction, { calls: number; refused: number }>;
  psciCalls: number;
  unknownCalls: number;
  /** Reads of ID registers. */
  idReads: number;
  /** Instructions that the monitor refused as undefined. */
  undefinedInstructions: number;
  granulesShared: number;
  granulesMadePrivate: number;
  /** In order; the ring keeps the newest 4096, and the total counts all. */
  aborts: MonitorAbort[];
  totalAborts: number;
  totalCalls: number;
  /** The monitor's view of the guest's RAM. */
  ripas: RipasRun[];
  /** The last message of a monitor that could not continue; otherwise empty. */
  lastWords: string;
}

export interface MonitorReport extends MonitorView {
  /** In order; the ring keeps the newest 16384, and the total counts all. */
  calls: MonitorCall[];
}
