// SPDX-License-Identifier: GPL-2.0-only
/**
 * The realm monitor's parameter block (guest/monitor/parameters.h), through which the harness
 * configures it. Pure.
 */
import { PtdiffError } from '../src/errors.ts';
import { type PhysicalRange, roundOutward, sizeOf } from '../src/linux/physical-range.ts';
import type { IdOverride } from '../src/scenario/id-overrides.ts';

export interface MonitorParameters {
  world: 'normal' | 'realm';
  /** Enter through EL3 and simulate the realm in the Realm world of FEAT_RME; otherwise at EL2. */
  rme?: boolean;
  /**
   * Width of the IPA space; in a realm its top bit is the alias bit. Default in a realm: the CPU's
   * width, 48 at most. Default in the normal world: no stage 2, so nothing keeps the guest out of
   * the monitor's memory except that it does not know of it.
   */
  ipaBits?: number;
  /**
   * The monitor's own RAM, at least `monitorMemorySize`; its base is a multiple of 2 MiB; not part
   * of the guest's RAM.
   */
  memory: PhysicalRange;
  /** Where CPU 0 enters the guest, at EL1 with the MMU off, and the value of x0 at that point. */
  entry: number;
  deviceTree: number;
  /** Number of CPUs, at most 8. */
  cpus: number;
  /** The guest's RAM: at most 8 ranges, each a multiple of 2 MiB. */
  regions: PhysicalRange[];
  /**
   * The part of it that is in the guest's device tree, at most 8 ranges. In a realm this part is
   * RAM from the start, and the rest is EMPTY. Default: all.
   */
  described?: PhysicalRange[];
  /** RAM that is DESTROYED from the start. */
  destroyed?: PhysicalRange[];
  /** Maximum number of granules that one RSI_IPA_STATE_SET changes; default: all of them. */
  ripasStep?: number;
  /**
   * A PL011 for the last message of a monitor that cannot continue; default: none, since the report
   * also has it.
   */
  uart?: number;
  /** The realm personalization value, at most 64 bytes. */
  personalization?: Uint8Array;
  /** MIDR_EL1 by CPU; undefined: the CPU's own. */
  midrs?: (bigint | undefined)[];
  overrides?: IdOverride[];
}

const magic = 0x31504e4f4d445450n;
const version = 2;
/** guest/monitor/layout.h: the parameters follow the code in flash, and take one page. */
export const parametersOffset = 0x10000;
const parametersBytes = 0x1000;
const recordBytes = 0xb20;
const limits = { cpus: 8, regions: 8, described: 8, destroyed: 4, overrides: 96 };

const gib = 2 ** 30;
const mib = 2 ** 20;

/**
 * RAM in bytes (a multiple of 2 MiB) that the monitor needs for a guest with these regions: code
 * and report, and for every GiB the RIPAS, two stage 2 tables for every 2 MiB, and the granule
 * protection table. Untouched parts cost nothing in a sparse file.
 */
export function monitorMemorySize(regions: PhysicalRange[]): number {
  const gibs = Math.ceil(sizeOf(...regions) / gib);
  return whole2M(8 * mib + gibs * 4.5 * mib) + rootSize(regions);
}

/** EL3's part, at the end: a granule protection table of 128 KiB for every GiB that is used. */
function rootSize(regions: PhysicalRange[]): number {
  const gibs = sizeOf(...regions.map((region) => roundOutward(region, gib))) / gib;
  return whole2M((gibs + 3) * 128 * 1024);
}

function rootBase({ memory, regions }: MonitorParameters): number {
  return memory.end - rootSize(regions);
}

function whole2M(bytes: number): number {
  return Math.ceil(bytes / (2 * mib)) * 2 * mib;
}

/**
 * The flash image for QEMU's -bios: the monitor's code, then its parameters.
 *
 * @throws {PtdiffError} fault `harness`, when the code is too long or the parameters exceed what
 * the monitor can hold
 */
export function monitorFlash(code: Uint8Array, parameters: MonitorParameters): Uint8Array {
  if (code.length > parametersOffset) {
    throw new PtdiffError(
      'harness',
      `The monitor's code has ${code.length} bytes; the limit is ${parametersOffset}.`,
    );
  }
  const flash = new Uint8Array(parametersOffset + parametersBytes);
  flash.set(code);
  flash.set(encodeParameters(parameters), parametersOffset);
  return flash;
}

/** The parameter block alone. */
export function encodeParameters(parameters: MonitorParameters): Uint8Array {
  const { regions, described = regions, destroyed = [], overrides = [], midrs = [] } = parameters;
  const counts = { cpus: parameters.cpus, regions: regions.length, described: described.length };
  checkLimits({ ...counts, destroyed: destroyed.length, overrides: overrides.length });
  const block = new DataView(new ArrayBuffer(parametersBytes));
  const u32 = (at: number, value: number) => block.setUint32(at, value, true);
  const u64 = (at: number, value: number | bigint) => block.setBigUint64(at, BigInt(value), true);
  // struct range of parameters.h: its first byte and its size.
  const range = (at: number, region: PhysicalRange) => {
    u64(at, region.start);
    u64(at + 8, sizeOf(region));
  };
  u64(0x00, magic);
  u32(0x08, version);
  u32(0x0c, recordBytes);
  u32(0x10, parameters.world === 'realm' ? 1 : 0);
  u32(0x14, parameters.ipaBits ?? 0);
  range(0x18, parameters.memory);
  u64(0x28, parameters.entry);
  u64(0x30, parameters.deviceTree);
  u32(0x38, parameters.cpus);
  u32(0x3c, regions.length);
  u32(0x40, overrides.length);
  u32(0x44, destroyed.length);
  u32(0x48, parameters.ripasStep ?? 0);
  u32(0x4c, described.length);
  u64(0x50, parameters.rme ? rootBase(parameters) : 0);
  u64(0x58, parameters.uart ?? 0);
  new Uint8Array(block.buffer).set(
    (parameters.personalization ?? new Uint8Array()).subarray(0, 64),
    0x60,
  );
  for (const [index, region] of regions.entries()) range(0xa0 + 16 * index, region);
  for (const [index, region] of destroyed.entries()) range(0x120 + 16 * index, region);
  for (const [cpu, midr] of midrs.slice(0, limits.cpus).entries()) {
    u64(0x160 + 8 * cpu, midr ?? 0);
  }
  for (const [index, { cpus, register, mask, value }] of overrides.entries()) {
    const at = 0x1a0 + 24 * index;
    u32(at, cpus.reduce((set, cpu) => set | (1 << cpu), 0) >>> 0);
    u32(at + 4, 0xc000 | (register.crm << 3) | register.op2);
    u64(at + 8, mask);
    u64(at + 16, value & mask);
  }
  for (const [index, region] of described.entries()) range(0xaa0 + 16 * index, region);
  return new Uint8Array(block.buffer);
}

function checkLimits(counts: typeof limits): void {
  for (const [name, limit] of Object.entries(limits)) {
    const count = counts[name as keyof typeof limits];
    if (count > limit) {
      throw new PtdiffError(
        'harness',
        `The monitor supports at most ${limit} ${name}, not ${count}.`,
      );
    }
  }
}
