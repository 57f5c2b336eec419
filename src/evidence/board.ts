// SPDX-License-Identifier: GPL-2.0-only
import type { MemblockRegion } from '../linux/memblock.ts';
import type { PhysicalRange } from '../linux/physical-range.ts';
import type { DescriptorRun } from '../vmsa/walk-runs.ts';

/**
 * How the kernel's memory was read: through /proc/kcore, by a BPF program, not at all but for
 * debugfs' own dump of the tables, or from a dump: /proc/vmcore, an ELF core, or one of kdump.
 */
export const boardSources = ['kcore', 'bpf', 'ptdump', 'vmcore', 'elf', 'kdump'] as const;
export type BoardSource = (typeof boardSources)[number];

export const lockdownStates = ['none', 'integrity', 'confidentiality'] as const;

/** collect.json: how an archive came to be. */
export interface Collected {
  schema: 1;
  /** Version of the program that wrote it. */
  collector: string;
  source: BoardSource;
  /** How many walks it took until two agreed. */
  walks: number;
  /** Whether two did. */
  settled: boolean;
  /** Seconds since the boot of the board; null where that is not known, as in a dump. */
  uptime: number | null;
  lockdown: (typeof lockdownStates)[number] | null;
  /** What could not be had, and why: a sentence each. Text from the board: hostile. */
  lost: string[];
}

/** What VMCOREINFO tells of the running kernel, as far as anything here needs it. */
export interface VmcoreInfo {
  /** `uname -r`. */
  release: string;
  /** 40 hexadecimal digits; absent where the kernel was linked without one. */
  buildId?: string;
  /** Page size in bytes. */
  granule: number;
  /** CONFIG_ARM64_VA_BITS. */
  vaBits: number;
  /** TCR_EL1.T1SZ of the CPU that wrote it: vabits_actual is 64 minus this. */
  t1sz: number;
  /** Virtual minus physical address of the image. */
  kimageVoffset: bigint;
  /** memstart_addr. */
  physOffset: bigint;
  /** kaslr_offset(): where the image runs minus where it was linked, in bytes. */
  slide: bigint;
  /** Where it runs. */
  swapperPgDir: bigint;
}

/** A CPU that the kernel brought up at some time. */
export interface BoardCpu {
  cpu: number;
  /** Whether it was online when the archive was made. */
  online: boolean;
  /** MIDR_EL1, and what else is known, by name; as the CPU shows them. */
  registers: Record<string, bigint>;
}

/** What the command line makes of a field of an ID register (struct arm64_ftr_override). */
export interface BoardOverride {
  register: string;
  value: bigint;
  mask: bigint;
}

/** A region of memblock, as it is on the running kernel. */
export interface BoardRegion extends MemblockRegion {
  /** NUMA node. */
  node: number;
}

/** A range of virtual addresses [start, end). */
export interface BoardRange {
  start: bigint;
  end: bigint;
}

/**
 * Everything in one archive of `collect`: what a live machine, or a dump of one, tells. Text from
 * it is hostile; its size is limited, and nothing trusts it.
 */
export interface Board {
  collected: Collected;
  vmcoreinfo?: VmcoreInfo;
  /** The first table, and how many entries it has. */
  root?: { pa: number; entries: number };
  /** The kernel half: by level, then by virtual address. */
  descriptors: DescriptorRun[];
  /** What never was the same in two consecutive walks. */
  unsettled: BoardRange[];
  /** Kernel variables as unsigned integers, by symbol. */
  variables: Record<string, bigint>;
  memory?: BoardRegion[];
  reserved?: BoardRegion[];
  cpus: BoardCpu[];
  overrides: BoardOverride[];
  /** Pages of memfd_secret, in bytes. */
  secret: PhysicalRange[];
  /** By path, as in Evidence. */
  files: Record<string, string>;
  /** The flattened device tree. */
  fdt?: Uint8Array;
  /** The file that the user added as the kernel's Image. */
  image?: Uint8Array;
}

const MIB = 2 ** 20;

/** What an archive may hold at most; `collect` stays below each. */
export const boardBounds = {
  /** Bytes of all members together, but for the Image, and of the Image. */
  unpacked: 64 * MIB,
  image: 256 * MIB,
  /** Bytes of a file of /proc. */
  file: 4 * MIB,
  /** Runs of descriptors. */
  runs: 2_000_000,
  cpus: 4096,
  regions: 65_536,
  /** Bytes of secret memory: each page is a fact of its own. */
  secret: 2 ** 32,
} as const;

/** Files of /proc and the like in an archive, by the name of the member. */
export const boardFiles: Readonly<Record<string, string>> = {
  iomem: '/proc/iomem',
  vmallocinfo: '/proc/vmallocinfo',
  modules: '/proc/modules',
  cmdline: '/proc/cmdline',
  version: '/proc/version',
  meminfo: '/proc/meminfo',
  kernel_page_tables: 'kernel_page_tables',
};

/** Every member that an archive may have. */
export const boardMembers: ReadonlySet<string> = new Set([
  'collect.json',
  'vmcoreinfo',
  'descriptors',
  'unsettled',
  'variables',
  'memblock',
  'cpus',
  'overrides',
  'secret',
  ...Object.keys(boardFiles),
  'fdt',
  'Image',
]);

/** Most bytes that a member may have. */
export function mostBytesOf(member: string): number {
  if (member === 'Image') return boardBounds.image;
  const isFile = member in boardFiles && member !== 'kernel_page_tables';
  return isFile || member === 'fdt' ? boardBounds.file : boardBounds.unpacked;
}
