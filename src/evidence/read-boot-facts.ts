// SPDX-License-Identifier: GPL-2.0-only
import { findIomem, hidesAddresses, parseIomem } from '../linux/iomem.ts';
import { kfencePoolSize, vmallocRange } from '../linux/kernel-layout.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { MEMBLOCK_DRIVER_MANAGED, MEMBLOCK_NOMAP } from '../linux/memblock.ts';
import { PTE_RDONLY } from '../linux/pgprot.ts';
import { join, type PhysicalRange, sizedRange } from '../linux/physical-range.ts';
import type { SymbolTable } from '../linux/symbol-table.ts';
import { first } from '../present.ts';
import { withHidden } from '../scenario/id-overrides.ts';
import { stage1Regime } from '../vmsa/regime.ts';
import type { BootFacts } from './boot-facts.ts';
import { type Capture, type CheckpointName, type Evidence, liveCapture } from './capture.ts';
import { debugsPageallocOf, inferredFreePages } from './inferred-free.ts';
import { inferredSharing, ipaBitsOf } from './inferred-sharing.ts';

/** The source of the facts: one observed boot of a known kernel on known CPUs. */
interface ObservedBoot {
  evidence: Evidence;
  traits: KernelTraits;
  symbols: SymbolTable;
  /** For each CPU, the ID registers that the emulator does not show. */
  hidden: Record<string, bigint>[];
}

/**
 * Frames that page mappings of the vmalloc and module ranges map read-only, except those of the
 * kernel image.
 */
function readOnlyVmalloc(
  capture: Capture,
  { evidence, traits, symbols }: ObservedBoot,
): PhysicalRange[] {
  const { inputBits } = stage1Regime(first(capture.cpus).registers, 'ttbr1');
  const { start, end } = vmallocRange(traits.config.vaBits, inputBits, traits.geometry);
  const text = symbols.textBase + evidence.image.slide;
  const imageEnd = (symbols.address('_end') ?? symbols.textBase) + evidence.image.slide;
  return join(
    capture.ttbr1.leaves
      .filter((leaf) => leaf.valid && leaf.level === 3 && leaf.va >= start && leaf.va < end)
      .filter(
        (leaf) => (leaf.attributes & PTE_RDONLY) !== 0n && !(leaf.va >= text && leaf.va < imageEnd),
      )
      .map(({ pa, size }) => sizedRange(pa, size)),
  );
}

/**
 * memblock.reserved according to /proc/iomem, including the kernel's image, whose parts have names
 * of their own, but without the memory for crashkernel= (reserve_memblock_reserved_regions(),
 * arch/arm64/kernel/setup.c). Undefined where the guest sent no file, or one without addresses.
 */
function memblockReserved({ files }: Evidence): PhysicalRange[] | undefined {
  const entries = parseIomem(files['/proc/iomem'] ?? '');
  if (entries.length === 0 || hidesAddresses(entries)) return undefined;
  const named = ['reserved', 'Kernel code', 'Kernel data'].flatMap((name) =>
    findIomem(entries, name),
  );
  return join(named);
}

/** __kfence_pool holds a linear address, or 0 if the pool could not be set up. */
function kfencePoolOf(capture: Capture): number | undefined {
  const pool = capture.variables.__kfence_pool;
  const offset = capture.variables.memstart_addr;
  if (!pool || offset === undefined) return undefined;
  const leaf = capture.ttbr1.leaves.find(({ va, size }) => pool >= va && pool < va + BigInt(size));
  return leaf && leaf.pa + Number(pool - leaf.va);
}

/** The pages of other probes stay in the linear map. */
function secretPages({ probes, secretPages: ranges = [] }: Evidence, { geometry }: KernelTraits) {
  const { granule } = geometry;
  return [
    ...probes.flatMap(({ probe, pages }) => (probe === 'memfd_secret' ? pages : [])),
    ...ranges.flatMap(({ start, end }) =>
      Array.from({ length: (end - start) / granule }, (_, page) => start + page * granule),
    ),
  ];
}

/**
 * Pages of a board that may be free. The image is never free but for init memory, nor are secret
 * pages and the pool of KFENCE, which have their own rules.
 */
function freePagesOfBoard(
  capture: Capture,
  { evidence, traits, symbols }: ObservedBoot,
): PhysicalRange[] {
  const { pa } = evidence.image;
  const at = (name: string): number =>
    pa + Number((symbols.address(name) ?? symbols.textBase) - symbols.textBase);
  const pool = kfencePoolOf(capture);
  const poolSize = kfencePoolSize(traits.config.kfenceNumObjects, traits.geometry);
  const memory = (capture.memblock ?? [])
    .filter(({ flags }) => (flags & (MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED)) === 0)
    .map(({ start, end }) => ({ start, end }));
  return inferredFreePages(capture, traits, memory, [
    { start: pa, end: at('__init_begin') },
    { start: at('__init_end'), end: at('_end') },
    ...(pool === undefined ? [] : [sizedRange(pool, poolSize)]),
    ...(evidence.secretPages ?? []),
  ]);
}

/** All boot facts (see BootFacts), taken from one boot. */
export function bootFactsOf(boot: ObservedBoot): BootFacts {
  const { evidence, hidden } = boot;
  const [earliest] = evidence.captures;
  const frames: Partial<Record<CheckpointName, PhysicalRange[]>> = {};
  const freePages: BootFacts['freePages'] = {};
  for (const capture of evidence.captures) {
    frames[capture.checkpoint] = readOnlyVmalloc(capture, boot);
    if (capture.freePages) freePages[capture.checkpoint] = capture.freePages;
  }
  const memstartAddr = earliest?.variables.memstart_addr;
  // Where the pool is not allocated early, it does not exist yet at the first checkpoint.
  const kfencePool = evidence.captures.map(kfencePoolOf).find((pool) => pool !== undefined);
  const reserved = memblockReserved(evidence);
  const crashKernel = evidence.captures.at(-1)?.variables.crashk_res ?? 0n;
  const live = liveCapture(evidence);
  if (live && debugsPageallocOf(live)) freePages.live = freePagesOfBoard(live, boot);
  const watched = evidence.captures.find(({ monitor }) => monitor?.world === 'realm');
  const ipaBits = live ? ipaBitsOf(live) : watched?.monitor?.ipaBits;
  const inferred = live && ipaBits !== undefined && inferredSharing(live, ipaBits, boot.traits);
  return {
    idRegisters: withHidden(evidence.idRegisters, hidden),
    image: evidence.image,
    ...(memstartAddr === undefined ? {} : { memstartAddr }),
    ...(kfencePool === undefined ? {} : { kfencePool }),
    ...(crashKernel === 0n ? {} : { crashKernel: Number(BigInt.asUintN(64, crashKernel)) }),
    ...(reserved && { memblockReserved: reserved }),
    readOnlyVmalloc: evidence.readOnlyVmalloc ?? frames,
    ...(evidence.freeAtKpti && { freeAtKpti: evidence.freeAtKpti }),
    ...(Object.keys(freePages).length > 0 && { freePages }),
    splitRequests: evidence.splitRequests,
    protectRequests: evidence.protectRequests ?? [],
    sharing: evidence.sharing ?? (inferred || []),
    ...(ipaBits === undefined ? {} : { ipaBits }),
    probePages: secretPages(evidence, boot.traits),
  };
}
