// SPDX-License-Identifier: GPL-2.0-only
import { int } from '../linux/arguments.ts';
import type { Geometry } from '../linux/geometry.ts';
import { join, type PhysicalRange, sizedRange } from '../linux/physical-range.ts';
import { last } from '../present.ts';
import type {
  CheckpointName,
  Evidence,
  ProtectRequest,
  SharingRequest,
  SplitRequest,
} from './capture.ts';
import { chainOf, type RecordedOperation, type RecordingFollower } from './follow-recording.ts';
import { LinkedTables } from './recorded-tables.ts';
import type { RecordedTable } from './recording-reader.ts';

/** What the kernel was asked to do to its linear map: see BootFacts. */
export type Requests = Required<
  Pick<Evidence, 'splitRequests' | 'protectRequests' | 'sharing' | 'readOnlyVmalloc'>
>;

/** Which requests count. */
export interface RequestFilter {
  /** The linear map has leaves to split. */
  splits: boolean;
  /** set_memory_ro() counts as one request under rodata_full. */
  groupsProtection: boolean;
  /** kfence_init() splits nothing: its pool is made of pages. */
  kfencePoolHasPages: boolean;
  /** A realm, whose requests before its capabilities are final may be refused. */
  realm: boolean;
  /** The kernel has page_alloc_available. */
  tellsPageAllocator: boolean;
  /**
   * The checkpoint that a boot did not reach; undefined where it reached all: what is asked for
   * after the last one, no checkpoint shows.
   */
  afterLast: CheckpointName | undefined;
  /** Where an address of the kernel is; undefined for a module. */
  functionAt(address: bigint): string | undefined;
}

/** A request with all that any filter asks for. */
interface Seen {
  operation: RecordedOperation;
  capabilitiesFinal: boolean;
}

/** SharingRequest as far as it is known at once. */
interface SeenSharing extends Seen {
  direction: SharingRequest['direction'];
  onlineCpus: number;
  pageAllocator: boolean;
}

interface SeenProtection extends Seen {
  frames: PhysicalRange[];
}

const realmCalls = new Map([
  ['realm_set_memory_decrypted', 'decrypt'],
  ['realm_set_memory_encrypted', 'encrypt'],
] as const);

/**
 * Collects, while a recording is read, what the kernel is asked to do to its linear map. It takes
 * from the tables only which frames vmalloc addresses map.
 */
export class RequestCollector implements RecordingFollower {
  readonly #geometry: Geometry;
  /** Physical address of swapper_pg_dir. */
  readonly #swapper: number;
  readonly #tables = new LinkedTables();
  #root: RecordedTable | undefined;
  readonly #splits: Seen[] = [];
  readonly #protections: SeenProtection[] = [];
  readonly #sharing: SeenSharing[] = [];
  /** Frames that set_memory_ro() made read-only, by the virtual addresses of their pages. */
  readonly #readOnly = new Map<bigint, number>();
  readonly #readOnlyAt: Requests['readOnlyVmalloc'] = {};
  readonly #online = new Set<number>([0]);
  #capabilitiesFinal = false;
  #pageAllocator = false;

  constructor(geometry: Geometry, swapper: number) {
    this.#geometry = geometry;
    this.#swapper = swapper;
  }

  linked(table: RecordedTable): void {
    this.#tables.linked(table);
  }

  unlinked(table: RecordedTable): void {
    this.#tables.unlinked(table);
    if (this.#root === table) this.#root = undefined;
  }

  entered(operation: RecordedOperation): void {
    const { name } = operation;
    switch (name) {
      case 'smp_cpus_done':
      case 'setup_system_features':
        this.#capabilitiesFinal = true;
        break;
      case 'mem_init':
        this.#pageAllocator = true;
        break;
      case 'split_kernel_leaf_mapping':
        this.#splits.push(this.#seen(operation));
        break;
      case 'set_memory_ro':
        this.#protections.push({
          ...this.#seen(operation),
          frames: this.#framesOf(operation),
        });
        break;
      case 'realm_set_memory_decrypted':
      case 'realm_set_memory_encrypted': {
        const direction = realmCalls.get(name) ?? 'decrypt';
        const [onlineCpus, pageAllocator] = [this.#online.size, this.#pageAllocator];
        this.#sharing.push({
          ...this.#seen(operation),
          ...{ direction, onlineCpus, pageAllocator },
        });
        break;
      }
    }
  }

  left(operation: RecordedOperation): void {
    const { name, args, result } = operation;
    if (name === 'set_cpu_online') {
      const [cpu, online] = args;
      if (int(online) % 256 !== 0) this.#online.add(int(cpu));
      else this.#online.delete(int(cpu));
    }
    if (name === 'set_memory_ro' && result !== undefined && int(result) === 0)
      for (const va of this.#pagesOf(operation)) this.#protect(va);
    if (name === 'set_memory_rw')
      for (const va of this.#pagesOf(operation)) this.#readOnly.delete(va);
    if (name === '__vunmap_range_noflush' && this.#readOnly.size > 0) {
      const [start = 0n, end = 0n] = args;
      for (const va of this.#readOnly.keys())
        if (va >= start && va < end) this.#readOnly.delete(va);
    }
  }

  reached(checkpoint: CheckpointName): void {
    const { granule } = this.#geometry;
    this.#readOnlyAt[checkpoint] = join(
      [...this.#readOnly.values()].map((pa) => sizedRange(pa, granule)),
    );
  }

  #seen(operation: RecordedOperation): Seen {
    return { operation, capabilitiesFinal: this.#capabilitiesFinal };
  }

  /** Those from paging_init() on: before, there is no linear map that could be changed. */
  requests(filter: RequestFilter): Requests {
    const counted = <T extends Seen>(all: readonly T[]): (T & { before: CheckpointName })[] =>
      all.flatMap((seen) => {
        const before = seen.operation.before ?? filter.afterLast;
        return before === undefined || before === 'paging_init' ? [] : [{ ...seen, before }];
      });
    const grouped = (seen: Seen): boolean =>
      filter.groupsProtection && (seen.capabilitiesFinal || !filter.realm);
    const splits = filter.splits ? counted(this.#splits) : [];
    const protections = filter.splits && filter.groupsProtection ? counted(this.#protections) : [];
    return {
      splitRequests: splits
        .filter((seen) => !(grouped(seen) && isWithin(seen.operation, 'set_memory_ro')))
        .filter((seen) => !(filter.kfencePoolHasPages && isByKfenceInit(seen.operation, filter)))
        .map((seen): SplitRequest => {
          const [start = 0n, end = 0n] = seen.operation.args;
          const early = filter.realm && !seen.capabilitiesFinal;
          return { start, end, before: seen.before, ...(early && { early: true as const }) };
        }),
      protectRequests: protections
        .filter(grouped)
        .map(({ frames, before }): ProtectRequest => ({ frames, before })),
      sharing: counted(this.#sharing).map((seen) => sharingRequest(seen, seen.before, filter)),
      readOnlyVmalloc: this.#readOnlyAt,
    };
  }

  *#pagesOf({ args: [addr = 0n, pages] }: RecordedOperation): Generator<bigint> {
    const size = BigInt(this.#geometry.granule);
    const start = addr - (addr % size);
    for (let page = 0n; page < BigInt(int(pages)); page++) yield start + page * size;
  }

  #protect(va: bigint): void {
    const pa = this.#translate(va);
    if (pa !== undefined) this.#readOnly.set(va, pa);
  }

  /** In order of the addresses; frames that follow each other are one range. */
  #framesOf(operation: RecordedOperation): PhysicalRange[] {
    const { granule } = this.#geometry;
    const frames: PhysicalRange[] = [];
    for (const va of this.#pagesOf(operation)) {
      const pa = this.#translate(va);
      if (pa === undefined) continue;
      const last = frames.at(-1);
      if (last?.end === pa) last.end += granule;
      else frames.push(sizedRange(pa, granule));
    }
    return frames;
  }

  #translate(va: bigint): number | undefined {
    this.#root ??= this.#tables.rootIn(this.#swapper, this.#geometry.granule);
    return this.#root && this.#tables.translate(this.#root, this.#geometry, va);
  }
}

function isWithin(operation: RecordedOperation, name: string): boolean {
  return chainOf(operation.parent).some((each) => each.name === name);
}

/** Called by kfence_init(), or by what the compiler made of it and its callees. */
function isByKfenceInit(operation: RecordedOperation, { functionAt }: RequestFilter): boolean {
  return /^kfence_init/.test(functionAt(last(chainOf(operation)).call.caller) ?? '');
}

function sharingRequest(
  { operation, direction, capabilitiesFinal, onlineCpus, pageAllocator }: SeenSharing,
  before: CheckpointName,
  { tellsPageAllocator, functionAt }: RequestFilter,
): SharingRequest {
  // set_memory_decrypted() calls it: whoever called that one asks.
  const asked = operation.parent ?? operation;
  const [start = 0n, pages] = operation.args;
  return {
    start,
    pages: int(pages),
    onlineCpus,
    ...(tellsPageAllocator && { pageAllocator }),
    caller: functionAt(asked.call.caller) ?? 'a module',
    direction,
    capabilitiesFinal,
    before,
  };
}
