// SPDX-License-Identifier: GPL-2.0-only
import { ImageReader } from './image-reader.ts';
import type { SymbolTable } from './symbol-table.ts';

/** A range of CPU revisions: the kernel's struct midr_range (arch/arm64/include/asm/cputype.h). */
export interface MidrRange {
  /** Implementer, architecture and part of MIDR_EL1; variant and revision are 0. */
  model: number;
  /** Variant << 20 | revision, inclusive. */
  from: number;
  to: number;
}

/**
 * One capability that the kernel detects on each CPU separately: an erratum's workaround, or the
 * linear map's BBM capability.
 */
export interface CpuCapability {
  /** The kernel checks capabilities in the order of these numbers. */
  number: number;
  description: string;
  /** ARM64_CPUCAP_* bits. */
  type: number;
  /**
   * CPUs that have it: parts by MIDR_EL1, or one of the BBM capabilities, with the kernel's own
   * list of parts where the Image shows it.
   */
  match: { midrs: MidrRange[] } | { bbml: 'bbml2' | 'bbml3'; listed?: MidrRange[] };
}

/**
 * ARM64_CPUCAP_PERMITTED_FOR_LATE_CPU and _OPTIONAL_FOR_LATE_CPU
 * (arch/arm64/include/asm/cpufeature.h): what a late CPU may have or miss.
 */
export const cpucapType = { permittedForLate: 1 << 4, optionalForLate: 1 << 5 } as const;

/** struct arm64_cpu_capabilities, the same from 6.12 to 7.3; sizes and offsets in bytes. */
const entry = { bytes: 72, number: 8, type: 10, matches: 16, midr: 32, list: 56 } as const;
const midrBytes = 12;
const longestDescription = 200;
const mostEntries = 512;

class CapabilityReader extends ImageReader {
  /** Name of the function in an entry's matches(); undefined at the end of a table. */
  matcher(at: bigint): string | undefined {
    const address = this.pointer(at + BigInt(entry.matches));
    return address === 0n ? undefined : this.symbols.nameAt(address)?.name;
  }
}

function midrRange(reader: ImageReader, at: bigint): MidrRange {
  return { model: reader.u32(at), from: reader.u32(at + 4n), to: reader.u32(at + 8n) };
}

/** An array of struct midr_range, ended by an entry of zeros. */
export function midrList(reader: ImageReader, start: bigint): MidrRange[] {
  const ranges: MidrRange[] = [];
  for (
    let at = start;
    reader.u32(at) !== 0 && ranges.length < mostEntries;
    at += BigInt(midrBytes)
  ) {
    ranges.push(midrRange(reader, at));
  }
  return ranges;
}

/**
 * The allow list in cpu_supports_bbml2_noabort() or cpu_supports_bbml3(). Compilers name it after
 * the function, add a number, or both.
 */
function allowList(reader: CapabilityReader, symbols: SymbolTable): { listed?: MidrRange[] } {
  const [list] = symbols.matching(/(^|\.)supports_bbml(2_noabort|3)_list(\.\d+)?$/);
  return list === undefined ? {} : { listed: midrList(reader, list) };
}

/**
 * CPUs that an entry matches by its own MIDR_EL1 ranges; undefined for an entry that checks
 * anything else.
 */
function ownMidrs(reader: CapabilityReader, at: bigint): MidrRange[] | undefined {
  const place = at + BigInt(entry.midr);
  switch (reader.matcher(at)) {
    case 'is_affected_midr_range':
      return [midrRange(reader, place)];
    case 'is_affected_midr_range_list':
      return midrList(reader, reader.pointer(place));
    default:
      return undefined;
  }
}

/** The same for entries that may be lists of entries; lists do not nest. */
function midrsOf(reader: CapabilityReader, at: bigint): MidrRange[] | undefined {
  if (reader.matcher(at) !== 'cpucap_multi_entry_cap_matches') return ownMidrs(reader, at);
  const list = reader.pointer(at + BigInt(entry.list));
  return entries(reader, list).flatMap((each) => ownMidrs(reader, each) ?? []);
}

/**
 * Which BBM capability an entry is: by the function that detects it, or by its description, since
 * either may have another name.
 */
function bbmlOf(reader: CapabilityReader, at: bigint): 'bbml2' | 'bbml3' | undefined {
  const matcher = reader.matcher(at);
  if (matcher === 'has_bbml2_noabort') return 'bbml2';
  if (matcher === 'has_bbml3') return 'bbml3';
  const level = /^BBM Level ([23])\b/.exec(
    reader.text(reader.pointer(at), longestDescription),
  )?.[1];
  return level === undefined ? undefined : level === '3' ? 'bbml3' : 'bbml2';
}

/**
 * What an entry checks of a CPU; undefined if it checks neither the part nor the BBM capability.
 */
function matchOf(
  reader: CapabilityReader,
  symbols: SymbolTable,
  at: bigint,
): CpuCapability['match'] | undefined {
  const bbml = bbmlOf(reader, at);
  if (bbml) return { bbml, ...allowList(reader, symbols) };
  const midrs = midrsOf(reader, at);
  return midrs && { midrs };
}

/** Addresses of a table's entries; the terminating entry has no matches(). */
function entries(reader: CapabilityReader, table: bigint): bigint[] {
  const found: bigint[] = [];
  for (
    let at = table;
    reader.matcher(at) !== undefined && found.length < mostEntries;
    at += BigInt(entry.bytes)
  ) {
    found.push(at);
  }
  return found;
}

/**
 * Capabilities that depend on the CPU's part, from the kernel's own tables arm64_features[]
 * (arch/arm64/kernel/cpufeature.c) and arm64_errata[] (cpu_errata.c): stable updates keep adding
 * errata, and options decide which of them are compiled in. Entries that check an ID register other
 * than MIDR_EL1 and ID_AA64MMFR2_EL1.BBM are left out.
 * @param image the whole Image
 * @returns in the order in which the kernel checks them; undefined when the Image does not show the
 * tables
 */
export function cpuCapabilities(
  image: Uint8Array,
  symbols: SymbolTable,
): CpuCapability[] | undefined {
  const reader = new CapabilityReader(image, symbols);
  const [features, errata] = ['arm64_features', 'arm64_errata'].map((name) => {
    const address = symbols.address(name);
    return address === undefined ? undefined : entries(reader, address);
  });
  // Every kernel has both tables and entries of features; errata are options, and nearly all of
  // them ask for parts.
  if (!features?.length || !errata) return undefined;
  if (errata.length > 0 && !errata.some((at) => midrsOf(reader, at))) return undefined;
  const capabilities = [...features, ...errata].flatMap((at): CpuCapability[] => {
    const match = matchOf(reader, symbols, at);
    if (match === undefined) return [];
    const number = reader.u16(at + BigInt(entry.number));
    const type = reader.u16(at + BigInt(entry.type));
    return [
      { number, description: reader.text(reader.pointer(at), longestDescription), type, match },
    ];
  });
  return capabilities.sort((a, b) => a.number - b.number);
}
