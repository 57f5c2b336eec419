import { type BootContext, imageSymbols } from '../diff/context.ts';
import { PtdiffError } from '../errors.ts';
import type { Evidence } from '../linux/capture.ts';
import type { Geometry } from '../linux/geometry.ts';
import type { BootFacts, PhysicalRange } from '../model/boot-facts.ts';
import { memoryRanges } from '../model/memblock.ts';
import type { Prediction } from '../model/types.ts';
import type { Scenario } from '../scenario/types.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import { linkAddress } from './question.ts';

/** MEMBLOCK_NOMAP of include/linux/memblock.h. */
const NOMAP = 4;

/** What memblock says of the memory, at the first checkpoint that tells; the machine's own layout where none does. */
function memoryOf(
  evidence: Evidence,
  scenario: Scenario,
  geometry: Geometry,
): { ram: PhysicalRange[]; noMap: PhysicalRange[] } {
  const regions = evidence.captures.find(({ memblock }) => memblock)?.memblock;
  const holes = scenario.machine.holes.map(({ start, size }) => ({ start, end: start + size }));
  if (!regions) return { ram: memoryRanges(scenario.machine, geometry), noMap: holes };
  const ranges = (nomap: boolean): PhysicalRange[] =>
    regions
      .filter(({ flags }) => ((flags & NOMAP) !== 0) === nomap)
      .map(({ base, size }) => ({ start: base, end: base + size }));
  return { ram: ranges(false), noMap: ranges(true) };
}

/** The facts of one boot as the invariants want them. */
export function bootContextOf(
  kernel: LoadedKernel,
  scenario: Scenario,
  observed: { evidence: Evidence; facts: BootFacts; prediction: Prediction },
): BootContext {
  const { evidence, facts, prediction } = observed;
  const { symbols, traits } = kernel;
  const trampPgDir = symbols.address('tramp_pg_dir');
  const leaf = prediction.checkpoints.paging_init?.leaves[0];
  if (!leaf) throw new PtdiffError('harness', 'The model predicts an empty linear map.');
  const vaMinusPa = leaf.va - BigInt(leaf.pa);
  const pool = facts.kfencePool === undefined ? undefined : BigInt(facts.kfencePool) + vaMinusPa;
  const poolSize = BigInt((traits.config.kfenceNumObjects + 1) * 2 * traits.geometry.granule);
  return {
    evidence,
    granule: traits.geometry.granule,
    ...memoryOf(evidence, scenario, traits.geometry),
    linear: { ...prediction.linearRegion, vaMinusPa },
    aliasBit: facts.ipaBits === undefined ? 0 : 2 ** (facts.ipaBits - 1),
    image: {
      symbols: Object.fromEntries(
        imageSymbols.map((name) => [name, linkAddress(symbols, name)]),
      ) as BootContext['image']['symbols'],
      ...(trampPgDir === undefined ? {} : { trampPgDir }),
      ...evidence.image,
    },
    decisions: prediction.decisions,
    splitAsksRequires: traits.splitAsksRequires,
    unsteady: pool === undefined ? [] : [{ start: pool, end: pool + poolSize }],
  };
}
