// SPDX-License-Identifier: GPL-2.0-only
import { field } from './bits.ts';
import type { Stage1Regime } from './regime.ts';

/** How one level of cache treats Normal memory. */
export interface CachePolicy {
  write: 'non-cacheable' | 'write-through' | 'write-back';
  transient: boolean;
  readAllocate: boolean;
  writeAllocate: boolean;
}

/** A memory type as MAIR_EL1 gives it; `name` is its short form, `encoding` the attribute byte. */
export type MemoryType = { name: string; encoding: number } & (
  | { kind: 'device'; ordering: DeviceOrdering; xs: boolean }
  | { kind: 'normal'; inner: CachePolicy; outer: CachePolicy; tagged: boolean; xs: boolean }
  | { kind: 'reserved' }
);

type DeviceOrdering = (typeof orderings)[number];
const orderings = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'] as const;

const nonCacheable: CachePolicy = {
  write: 'non-cacheable',
  transient: false,
  readAllocate: false,
  writeAllocate: false,
};

/**
 * Memory type of a page or block, from AttrIndx (bits 4:2, and bit 59 above them with TCR2_EL1.AIE)
 * and the MAIR registers.
 */
export function memoryType(regime: Stage1Regime, attributes: bigint): MemoryType {
  return typeOf(regime, attributeIndex(regime, attributes));
}

/** The same from the two words of a descriptor: a walk asks often, and bigints are slow. */
export function memoryTypeOfWords(regime: Stage1Regime, lo: number, hi: number): MemoryType {
  const index = (lo >>> 2) & 7;
  return typeOf(regime, isExtended(regime) ? index + ((hi >>> 27) & 1) * 8 : index);
}

/** The index has as many bits as the regime has attributes. */
function typeOf(regime: Stage1Regime, index: number): MemoryType {
  return decodeMemoryType(regime.memoryAttributes[index] as number);
}

const isExtended = (regime: Stage1Regime): boolean => regime.memoryAttributes.length === 16;

/** AttrIndx of a page or block descriptor. */
export function attributeIndex(regime: Stage1Regime, attributes: bigint): number {
  return field(attributes, 2, 3) + (isExtended(regime) ? field(attributes, 59, 1) * 8 : 0);
}

/** Decodes one attribute byte (DDI 0487, MAIR_EL1). */
export function decodeMemoryType(encoding: number): MemoryType {
  const outer = encoding >> 4;
  const inner = encoding & 15;
  if (outer === 0) return decodeDevice(encoding);
  if (inner === 0) return decodeSpecial(encoding);
  const policies = { inner: cachePolicy(inner), outer: cachePolicy(outer) };
  return {
    kind: 'normal',
    name: normalName(policies),
    encoding,
    ...policies,
    tagged: false,
    xs: true,
  };
}

/** 0b0000dd00, and 0b0000dd01 with FEAT_XS; the rest is reserved. */
function decodeDevice(encoding: number): MemoryType {
  if ((encoding & 2) !== 0) return reserved(encoding);
  const ordering = orderings[((encoding >> 2) & 3) as 0 | 1 | 2 | 3];
  const xs = (encoding & 1) === 0;
  return { kind: 'device', name: `Device-${ordering}${xs ? '' : '-nXS'}`, encoding, ordering, xs };
}

/** The encodings with a zero inner nibble: FEAT_XS's two, and FEAT_MTE2's Tagged memory. */
function decodeSpecial(encoding: number): MemoryType {
  const normal = { kind: 'normal', encoding } as const;
  if (encoding === 0x40) {
    return {
      ...normal,
      name: 'Normal-NC-nXS',
      inner: nonCacheable,
      outer: nonCacheable,
      tagged: false,
      xs: false,
    };
  }
  if (encoding === 0xa0) {
    const policy = cachePolicy(0b1010);
    return {
      ...normal,
      name: 'Normal-WT-nXS',
      inner: policy,
      outer: policy,
      tagged: false,
      xs: false,
    };
  }
  if (encoding === 0xf0) {
    const policy = cachePolicy(0b1111);
    return {
      ...normal,
      name: 'Normal-Tagged',
      inner: policy,
      outer: policy,
      tagged: true,
      xs: true,
    };
  }
  return reserved(encoding);
}

/**
 * 0b0100 is Non-cacheable; otherwise bit 3 means not transient, bit 2 write-back, bits 1:0 the
 * allocation hints.
 */
function cachePolicy(nibble: number): CachePolicy {
  if (nibble === 0b0100) return nonCacheable;
  return {
    write: (nibble & 4) !== 0 ? 'write-back' : 'write-through',
    transient: (nibble & 8) === 0,
    readAllocate: (nibble & 2) !== 0,
    writeAllocate: (nibble & 1) !== 0,
  };
}

const shortWrite = { 'non-cacheable': 'NC', 'write-through': 'WT', 'write-back': 'WB' };

/**
 * Normal-WB for the usual read and write allocating policy; every difference from it is spelt out.
 */
function normalName(policies: { inner: CachePolicy; outer: CachePolicy }): string {
  const inner = policyName(policies.inner);
  const outer = policyName(policies.outer);
  return inner === outer ? `Normal-${inner}` : `Normal-i${inner}-o${outer}`;
}

function policyName(policy: CachePolicy): string {
  const short = shortWrite[policy.write];
  if (policy.write === 'non-cacheable') return short;
  const hints = `${policy.readAllocate ? 'RA' : ''}${policy.writeAllocate ? 'WA' : ''}`;
  const allocation = hints === 'RAWA' ? '' : `(${hints || 'noalloc'})`;
  return `${short}${policy.transient ? '-transient' : ''}${allocation}`;
}

function reserved(encoding: number): MemoryType {
  return {
    kind: 'reserved',
    name: `reserved(0x${encoding.toString(16).padStart(2, '0')})`,
    encoding,
  };
}
