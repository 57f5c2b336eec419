// SPDX-License-Identifier: GPL-2.0-only
import type { BootFacts } from '../evidence/boot-facts.ts';
import { type CheckpointName, isInOperation } from '../evidence/capture.ts';
import { PTE_NG, PTE_PRESENT_INVALID, PTE_VALID } from '../linux/pgprot.ts';
import type { PhysicalRange } from '../linux/physical-range.ts';
import { subtract } from '../linux/physical-range.ts';
import { makeInvalid } from './arch/arm64/mm/pageattr.ts';
import type { BootState } from './boot-state.ts';
import type { Area } from './leaf-runs.ts';

/**
 * Other values that an object page of KFENCE may have instead of `attributes`: it is valid or not,
 * depending on the use of its object. A page that was free when KPTI rewrote the tables did not get
 * nG, since the rewrite skips invalid entries, and does not get it when it becomes valid again.
 * PTE_PRESENT_INVALID is the same bit and survives (15bfba1ad77f); since that commit nG is set
 * together with PTE_VALID.
 */
function objectPageAlternatives({
  traits,
  prot,
  decisions,
}: BootState): (attributes: bigint) => bigint[] {
  const invalid = makeInvalid(traits, prot);
  // The first mappings were global, and those of now are not.
  const rewritten = !decisions.useNgMappings && prot.maybeNg !== 0n;
  const passedOver = rewritten && !traits.presentInvalid;
  return (attributes) => {
    if (!(attributes & PTE_VALID))
      return [(attributes & ~PTE_PRESENT_INVALID) | PTE_VALID | prot.maybeNg];
    const freed = (attributes & ~invalid.clear) | invalid.set;
    return passedOver ? [freed, freed & ~PTE_NG, attributes & ~PTE_NG] : [freed];
  };
}

/**
 * The KFENCE pool page by page: guard pages are fixed; an object page is valid or not, depending on
 * the use of its object.
 */
function kfenceAreas(state: BootState): Area[] {
  const { map, kfencePool } = state;
  if (!kfencePool) return [];
  const { granule } = map.geometry;
  const first = map.offsetOfPa(kfencePool.start);
  const pages = (kfencePool.end - kfencePool.start) / granule;
  const alternatives = objectPageAlternatives(state);
  return Array.from({ length: pages }, (_, page) => {
    const [start, end] = [first + page * granule, first + (page + 1) * granule];
    const object = page >= 2 && page % 2 === 0;
    return object
      ? { start, end, why: 'KFENCE object page', alternatives }
      : { start, end, why: 'KFENCE guard page' };
  });
}

/** Later areas win: cuts `area` out of `areas` and inserts it. */
function overlay(areas: Area[], area: Area): Area[] {
  return [
    ...areas.flatMap((other) => subtract(other, [area]).map((part) => ({ ...other, ...part }))),
    area,
  ];
}

/**
 * Free pages, with debug_pagealloc, where no other name applies: init memory keeps its own name
 * after it was freed.
 */
function freeAreas({ map, freePages }: BootState, named: Area[]): Area[] {
  return freePages.flatMap(({ start, end }) =>
    subtract({ start: map.offsetOfPa(start), end: map.offsetOfPa(end) }, named).map((part) => ({
      ...part,
      why: 'free pages',
    })),
  );
}

/**
 * Names the parts of the linear map that have a special reason at a checkpoint; disjoint and
 * ascending.
 */
export function areasOf(state: BootState, facts: BootFacts, checkpoint: CheckpointName): Area[] {
  const { map, sections } = state;
  const { granule } = map.geometry;
  const area = (why: string, { start, end }: PhysicalRange): Area => ({
    why,
    start: map.offsetOfPa(start),
    end: map.offsetOfPa(end),
  });
  const pageEnd = Math.ceil(sections.bssStop / granule) * granule;
  let areas: Area[] = [
    area('kernel text and rodata alias', { start: sections.aliasStart, end: sections.initBegin }),
    area('kernel init alias', { start: sections.initBegin, end: sections.initEnd }),
    area('kernel data and bss alias', { start: sections.initEnd, end: pageEnd }),
    ...kfenceAreas(state),
  ];
  if (state.crashKernel) areas.push(area('crash kernel memory', state.crashKernel));
  if (checkpoint !== 'paging_init' && state.decisions.rodataFull) {
    for (const range of facts.readOnlyVmalloc[checkpoint] ?? [])
      areas = overlay(areas, area('alias of read-only vmalloc', range));
  }
  if (isInOperation(checkpoint)) {
    for (const pa of facts.probePages)
      areas = overlay(areas, area('memfd_secret page', { start: pa, end: pa + granule }));
  }
  areas.sort((a, b) => a.start - b.start);
  return [...areas, ...freeAreas(state, areas)].sort((a, b) => a.start - b.start);
}
