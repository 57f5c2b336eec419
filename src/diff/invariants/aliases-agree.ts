// SPDX-License-Identifier: GPL-2.0-only
import { parseVmallocinfo } from '../../linux/vmallocinfo.ts';
import { memoryType } from '../../vmsa/memory-type.ts';
import type { Stage1Regime } from '../../vmsa/regime.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { aliasClass } from '../access.ts';
import { firstLines } from '../compare-state.ts';
import {
  type CheckpointContext,
  type Invariant,
  inVirtual,
  type VirtualRange,
} from '../context.ts';
import { describeLeaf } from '../describe-leaf.ts';
import { runsOnto } from '../physical.ts';
import { clipRun, endOf } from '../runs.ts';
import { countText, hex } from '../text.ts';
import { violation } from './violation.ts';

interface Alias {
  run: LeafRun;
  regime: Stage1Regime;
  type: string;
}

/**
 * All valid mappings of one page of RAM agree in memory type and cacheability: linear map, kernel
 * image, vmalloc, vmemmap, fixmap and user mappings. Mismatched attributes lose coherency (DDI 0487
 * B2.8). Normal and Normal-Tagged agree: pgattr_change_is_safe() in arch/arm64/mm/mmu.c treats
 * tagging as a permission. One exception is intended, and cache maintenance makes it safe: coherent
 * DMA buffers remapped non-cacheable by dma_common_contiguous_remap() (kernel/dma/remap.c), which
 * /proc/vmallocinfo marks 'dma-coherent'. If a boot died before init could send that file, or a
 * board hides its addresses, any non-cacheable mapping outside the linear map may be such a buffer.
 */
export const aliasesAgree: Invariant = (context) => {
  const conflicts = conflictsOf(aliasesOf(context));
  const because =
    'Aliases of one physical page with different memory types or cacheability lose coherency (DDI 0487, mismatched attributes).';
  const byNature = Map.groupBy(conflicts, ([a, b]) =>
    [a.type, b.type].sort().join('-and-').replaceAll('/', '-'),
  );
  return [...byNature]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([nature, pairs]) =>
      violation(
        context,
        {
          name: 'aliases-agree',
          nature,
          title: 'aliases of one physical page differ in memory type',
          because,
        },
        [
          `${countText(pairs.length, 'pair')} of mappings:`,
          ...firstLines(
            pairs.map((pair) => pair.map(({ run, regime }) => aliasText(run, regime)).join('\n')),
            4,
          ),
        ],
      ),
    );
};

function aliasText(run: LeafRun, regime: Stage1Regime): string {
  return `  PA ${hex(run.pa)} at VA ${hex(run.va)}: ${describeLeaf(regime, run)}`;
}

function aliasesOf(context: CheckpointContext): Alias[] {
  const { capture, regime, userRegime, ram, linear, evidence } = context;
  const vmallocinfo = evidence.files['/proc/vmallocinfo'];
  const areas = parseVmallocinfo(vmallocinfo ?? '');
  // A board may hash the addresses (kernel.kptr_restrict), or have no such file.
  const isSilent =
    capture.checkpoint === 'live'
      ? !areas.some(({ start }) => start >= linear.end)
      : vmallocinfo === undefined && evidence.end.kind !== 'completed';
  const coherentDma = isSilent
    ? [{ start: linear.end, end: 2n ** 64n }]
    : areas.filter(({ flags }) => flags.includes('dma-coherent'));
  const kernel = capture.ttbr1.leaves.filter((run) => !isRemappedBuffer(run, regime, coherentDma));
  const halves: [readonly LeafRun[], Stage1Regime][] = [[kernel, regime]];
  if (capture.ttbr0 && userRegime) halves.push([capture.ttbr0.leaves, userRegime]);
  return halves.flatMap(([runs, of]) =>
    ram
      .flatMap((range) => runsOnto(runs, [range]))
      .filter((run) => run.valid)
      .map((run) => ({ run, regime: of, type: aliasClass(memoryType(of, run.attributes)) })),
  );
}

function isRemappedBuffer(
  run: LeafRun,
  regime: Stage1Regime,
  areas: readonly VirtualRange[],
): boolean {
  return (
    aliasClass(memoryType(regime, run.attributes)) === 'non-cacheable' &&
    areas.some((area) => inVirtual(run, area))
  );
}

/**
 * Pairs of mappings that overlap in physical address and differ in type, by a sweep over physical
 * addresses.
 */
function conflictsOf(aliases: Alias[]): [Alias, Alias][] {
  const conflicts: [Alias, Alias][] = [];
  let open: Alias[] = [];
  for (const alias of aliases.sort((a, b) => a.run.pa - b.run.pa)) {
    open = open.filter(({ run }) => run.pa + run.size > alias.run.pa);
    for (const other of open) {
      if (other.type !== alias.type) conflicts.push([fromAddress(other, alias.run.pa), alias]);
    }
    open.push(alias);
  }
  return conflicts;
}

/** A mapping from a physical address in it on. */
function fromAddress({ run, ...alias }: Alias, pa: number): Alias {
  return { ...alias, run: clipRun(run, run.va + BigInt(pa - run.pa), endOf(run)) };
}
