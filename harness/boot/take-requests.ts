// SPDX-License-Identifier: GPL-2.0-only
import { addUnseen } from '../../src/evidence/capture.ts';
import { RequestCollector, type Requests } from '../../src/evidence/recorded-requests.ts';
import { geometryOf } from '../../src/linux/geometry.ts';
import { argumentsOf, type RecorderList } from '../../src/linux/recorded-functions.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import type { Machine } from '../../src/scenario/types.ts';
import type { Granule } from '../../src/vmsa/types.ts';
import type { BootInProgress } from './boot-in-progress.ts';
import { poolHasPages } from './record-splits.ts';

/** What tells of requests, in any kernel that has it; and what else a realm's depend on. */
const always = ['split_kernel_leaf_mapping', 'set_memory_ro', 'set_memory_rw'];
const inRealms = ['realm_set_memory_decrypted', 'realm_set_memory_encrypted', 'set_cpu_online'];

/**
 * Whether a recording has all that the kernel is asked to do to its linear map: each function that
 * tells of it is recorded with its arguments, or does not exist.
 */
export function recordsRequests(
  functions: RecorderList['functions'],
  symbols: SymbolTable,
  world: Machine['world'],
): boolean {
  const listed = new Map(functions.map((each) => [each.name, each]));
  const isWhole = (name: string): boolean => listed.get(name)?.arguments === argumentsOf(name);
  const hasCapabilities = listed.has('smp_cpus_done') || listed.has('setup_system_features');
  return (
    hasCapabilities &&
    symbols.has('swapper_pg_dir') &&
    always.every((name) => isWhole(name) || symbols.codeName(name) === undefined) &&
    (world !== 'realm' || inRealms.every(isWhole))
  );
}

/** What the requests of a boot depend on besides. */
interface Circumstances {
  world: Machine['world'];
  /** The linear map has leaves to split, and the kernel splits leaves. */
  splits: boolean;
  groupsProtection: boolean;
}

/** What collects the requests of a boot while its recording is read. */
export function requestCollector(
  symbols: SymbolTable,
  granule: Granule,
  imagePa: number,
): RequestCollector {
  const swapper = symbols.address('swapper_pg_dir') ?? symbols.textBase;
  return new RequestCollector(geometryOf(granule), imagePa + Number(swapper - symbols.textBase));
}

/** Puts the requests that a boot's recording has into its evidence; see RequestCollector. */
export function takeRequests(
  boot: BootInProgress,
  collector: RequestCollector,
  circumstances: Circumstances,
): void {
  const { evidence } = boot;
  // Nothing is concluded from such a boot.
  if (evidence.recordingFault !== undefined) return;
  if (evidence.recording === undefined) {
    const why = 'the boot was to be recorded, and was not';
    const what =
      circumstances.world === 'realm' ? (['splits', 'sharing'] as const) : ['splits' as const];
    addUnseen(
      evidence,
      what.map((each) => ({ what: each, why })),
    );
    return;
  }
  const requests = requestsIn(boot, collector, circumstances);
  evidence.splitRequests = requests.splitRequests;
  if (requests.protectRequests.length > 0) evidence.protectRequests = requests.protectRequests;
  if (circumstances.world === 'realm') evidence.sharing = requests.sharing;
  evidence.readOnlyVmalloc = requests.readOnlyVmalloc;
}

/** The requests that were collected from the recording of a boot. */
export function requestsIn(
  {
    evidence,
    kernel,
    nextCheckpoint,
  }: Pick<BootInProgress, 'evidence' | 'kernel' | 'nextCheckpoint'>,
  collector: RequestCollector,
  { world, splits, groupsProtection }: Circumstances,
): Requests {
  const { symbols, slide } = kernel;
  return collector.requests({
    ...{ splits, groupsProtection },
    kfencePoolHasPages: poolHasPages(evidence),
    realm: world === 'realm',
    tellsPageAllocator: symbols.has('page_alloc_available'),
    afterLast: nextCheckpoint(),
    functionAt: (address) => symbols.nameAt(address - slide)?.name,
  });
}
