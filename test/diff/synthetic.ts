// SPDX-License-Identifier: GPL-2.0-only
import {
  type BootContext,
  type CheckpointContext,
  checkpointContext,
} from '../../src/diff/context.ts';
import type { Capture, CheckpointName } from '../../src/evidence/capture.ts';
import type { LeafRun, SystemRegisters, TablePage } from '../../src/vmsa/types.ts';

/*
 * A capture of a small 4K, 48-bit machine as a sound kernel leaves it, written by hand: RAM at
 * `ramStart`, the kernel image in its first megabytes, one vmalloc page, one user page.
 */

export const KiB = 1024;
export const MiB = 1024 * KiB;

const type = { page: 3n, block: 1n };
const AF = 1n << 10n;
const INNER = 3n << 8n;
const DBM = 1n << 51n;
const PXN = 1n << 53n;
const UXN = 1n << 54n;
const DIRTY = 1n << 55n;
export const RDONLY = 1n << 7n;
export const USER = 1n << 6n;
export const NG = 1n << 11n;
export const CONT = 1n << 52n;
export const bits = { AF, INNER, DBM, PXN, UXN };

/** PAGE_KERNEL, _RO and _ROX with 4K pages and AttrIndx 0. */
export const prot = {
  data: type.page | AF | INNER | DBM | PXN | UXN | DIRTY,
  readOnly: type.page | AF | INNER | RDONLY | PXN | UXN | DIRTY,
  text: type.page | AF | INNER | RDONLY | UXN | DIRTY,
  user: type.page | AF | INNER | USER | NG | DBM | PXN | UXN,
};

/**
 * T0SZ = T1SZ = 16, 4K, write-back inner shareable walks, 48-bit PA; attribute 0 Normal, 1 Tagged,
 * 2 NC, 3 and 4 Device.
 */
export const registers: SystemRegisters = {
  TTBR0_EL1: 0x4100_0000n,
  TTBR1_EL1: 0x4028_0000n,
  TCR_EL1: 0x5_b510_3510n | (2n << 30n),
  MAIR_EL1: 0x04_00_44_f0_ffn,
  SCTLR_EL1: (1n << 0n) | (1n << 2n) | (1n << 12n),
};

export interface Shape {
  checkpoint: CheckpointName;
  /** Physical start and bytes of RAM. */
  ramStart: number;
  ramSize: number;
  slide: bigint;
}

export const usual: Shape = {
  checkpoint: 'init',
  ramStart: 0x4000_0000,
  ramSize: 64 * MiB,
  slide: 0n,
};

export const linearStart = 0xffff_0000_0000_0000n;
const kimage = 0xffff_8000_8000_0000n;
export const vmalloc = 0xffff_8000_a000_0000n;

/** Number of the capability to split leaves, which these CPUs lack. */
export const capability = 12;

/** Offsets of the image's segments from _text. */
export const segment = {
  _text: 0,
  _stext: 0x1_0000,
  _etext: 0x10_0000,
  __start_rodata: 0x10_0000,
  __init_begin: 0x18_0000,
  __init_end: 0x20_0000,
  _data: 0x20_0000,
  __bss_stop: 0x27_0000,
  _end: 0x28_0000,
};

/** One run of 4K pages, or of larger leaves. */
export function run(
  va: bigint,
  pa: number,
  size: number,
  attributes: bigint,
  more: Partial<LeafRun> = {},
): LeafRun {
  const valid = (attributes & 1n) === 1n;
  const contiguous = (attributes & CONT) !== 0n;
  return { va, pa, size, level: 3, contiguous, valid, attributes, tableAttributes: 0, ...more };
}

/**
 * A boot and its one capture, right in every respect. Each call gives fresh objects, for a test to
 * break.
 */
export function soundContext(shape: Partial<Shape> = {}): CheckpointContext {
  const { checkpoint, ramStart, ramSize, slide } = { ...usual, ...shape };
  const vaMinusPa = linearStart - BigInt(ramStart);
  const imagePa = ramStart + 2 * MiB;
  const symbols = Object.fromEntries(
    Object.entries(segment).map(([name, offset]) => [name, kimage + BigInt(offset)]),
  ) as BootContext['image']['symbols'];
  const at = (pa: number) => BigInt(pa) + vaMinusPa;
  const linear = (start: number, end: number, attributes: bigint) =>
    run(at(start), start, end - start, attributes);
  const inImage = (from: keyof typeof segment, to: keyof typeof segment, attributes: bigint) =>
    run(symbols[from] + slide, imagePa + segment[from], segment[to] - segment[from], attributes);
  const leaves = [
    linear(ramStart, imagePa, prot.data),
    linear(imagePa, imagePa + segment.__init_begin, prot.readOnly),
    linear(imagePa + segment.__init_begin, ramStart + ramSize, prot.data),
    inImage('_text', '_stext', prot.readOnly),
    inImage('_stext', '_etext', prot.text),
    inImage('__start_rodata', '__init_begin', prot.readOnly),
    // free_initmem() takes it out of the image.
    ...(checkpoint === 'init' ? [] : [inImage('__init_begin', '__init_end', prot.data)]),
    inImage('_data', '_end', prot.data),
    run(vmalloc, ramStart + 32 * MiB, 4 * KiB, prot.data),
  ];
  const root = ramStart + 0x28_0000;
  const tables: TablePage[] = [
    { pa: root, level: 0, va: linearStart, attributes: 0n },
    { pa: ramStart + 48 * MiB, level: 1, va: linearStart, attributes: TABLE },
    { pa: ramStart + 48 * MiB + 4 * KiB, level: 2, va: linearStart, attributes: TABLE },
  ];
  const cpuRegisters = { ...registers, TTBR1_EL1: BigInt(root) };
  const capture: Capture = {
    checkpoint,
    cpus: [
      { online: true, registers: { ...cpuRegisters } },
      { online: true, registers: { ...cpuRegisters } },
    ],
    ttbr1: { leaves, tables, malformed: [] },
    ttbr0: {
      leaves: [run(0x40_0000n, ramStart + 33 * MiB, 4 * KiB, prot.user)],
      tables: [{ pa: ramStart + 50 * MiB, level: 0, va: 0n, attributes: 0n }],
      malformed: [],
    },
    variables: {
      memstart_addr: BigInt(ramStart),
      rodata_full: 1n,
      rodata_enabled: 1n,
      kfence_early_init: 0n,
      arm64_use_ng_mappings: 0n,
      system_cpucaps: 0n,
    },
  };
  const boot: BootContext = {
    evidence: {
      captures: [capture],
      idRegisters: [],
      splitRequests: [],
      files: {},
      probes: [],
      console: '',
      end: { kind: 'completed' },
      image: { pa: imagePa, slide },
    },
    granule: 4096,
    ram: [{ start: ramStart, end: ramStart + ramSize }],
    noMap: [],
    aliasBit: 0,
    layout: { pageOffset: linearStart, pageEnd: 0xffff_8000_0000_0000n },
    image: { symbols, slide, pa: imagePa },
    splitting: { capability, asksRequires: true },
    unsteady: [],
  };
  return checkpointContext(boot, capture);
}

/** Table descriptor bits: valid table, AF, PXNTable and UXNTable. */
export const TABLE = 3n | (1n << 10n) | (1n << 59n) | (1n << 60n);

/**
 * Replaces the part of the kernel half's leaves in [va, va + size) by what `change` makes of it;
 * undefined removes it.
 */
export function rewrite(
  context: CheckpointContext,
  va: bigint,
  size: number,
  change: (leaf: LeafRun) => LeafRun | undefined,
): void {
  const end = va + BigInt(size);
  const part = (leaf: LeafRun, from: bigint, to: bigint): LeafRun[] =>
    from < to
      ? [{ ...leaf, va: from, pa: leaf.pa + Number(from - leaf.va), size: Number(to - from) }]
      : [];
  const least = (a: bigint, b: bigint) => (a < b ? a : b);
  const most = (a: bigint, b: bigint) => (a > b ? a : b);
  context.capture.ttbr1.leaves = context.capture.ttbr1.leaves.flatMap((leaf) => {
    const stop = leaf.va + BigInt(leaf.size);
    if (stop <= va || leaf.va >= end) return [leaf];
    const inside = part(leaf, most(leaf.va, va), least(stop, end)).flatMap(
      (piece) => change(piece) ?? [],
    );
    return [...part(leaf, leaf.va, va), ...inside, ...part(leaf, end, stop)];
  });
}

/** Linear address of a physical address in this context. */
export function linearOf({ linear }: CheckpointContext, pa: number): bigint {
  return BigInt(pa) + (linear.vaMinusPa ?? 0n);
}

/** Sets other attribute bits; `valid` and `contiguous` follow. */
export function withAttributes(leaf: LeafRun, attributes: bigint): LeafRun {
  return {
    ...leaf,
    attributes,
    valid: (attributes & 1n) === 1n,
    contiguous: (attributes & CONT) !== 0n,
  };
}
