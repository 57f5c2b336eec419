import type { SymbolTable } from '../src/linux/symbol-table.ts';

/** Where the guest is stopped, by link address; undefined where this kernel has no such function. */
export interface StopPlan {
  /** Entry of paging_init(); its return is the first checkpoint. */
  pagingInit?: bigint;
  /** Entry of the function that setup_arch() calls next, when paging_init() was inlined. */
  afterPagingInit?: bigint;
  /** At its entry and its return the linear map is captured: it repaints where CPUs differ. */
  maybeSplit?: bigint;
  freeInitmem?: bigint;
  /** In its course, requests to split leaves are not recorded. */
  kfenceInit?: bigint;
  /** In its course, requests to split leaves follow from its arguments. */
  setMemoryRo?: bigint;
  /** From here on the CPU capabilities are final. */
  smpCpusDone?: bigint;
  /** Where KPTI rewrites the tables. */
  kptiRewrite?: bigint;
  /** By which a realm shares memory and takes it back. */
  decrypt?: bigint;
  encrypt?: bigint;
  /** By which the guest's init sends its events. */
  reboot?: bigint;
}

/** A stop that is passed hundreds of times. */
export interface FrequentStop {
  address: bigint;
  /** The instruction there does nothing, so the guest can go on behind it instead of stepping over the breakpoint. */
  skippable: boolean;
}

/** Chooses the stops for a kernel (arch/arm64/kernel/setup.c, init/main.c, kernel/reboot.c). */
export function planStops(symbols: SymbolTable): StopPlan {
  const pagingInit = symbols.address('paging_init');
  return {
    ...(pagingInit === undefined ? { afterPagingInit: symbols.address('bootmem_init') } : { pagingInit }),
    maybeSplit: symbols.address('linear_map_maybe_split_to_ptes'),
    freeInitmem: symbols.address('free_initmem'),
    kfenceInit: symbols.address('kfence_init'),
    setMemoryRo: symbols.address('set_memory_ro'),
    smpCpusDone: symbols.address('smp_cpus_done'),
    kptiRewrite: symbols.address('idmap_kpti_install_ng_mappings'),
    decrypt: symbols.address('realm_set_memory_decrypted'),
    encrypt: symbols.address('realm_set_memory_encrypted'),
    reboot: symbols.address('__arm64_sys_reboot'),
  };
}

/** NOP, and BTI with any target (DDI 0487 C6.2). */
const nop = 0xd503201f;
const isBti = (word: number) => (word & 0xffffff3f) >>> 0 === 0xd503241f;

/**
 * Where to stop in a function that is called very often. Kernels that can be traced have two NOPs at its entry, of which the
 * first becomes `mov x9, x30` at boot and the second waits for a tracer (arch/arm64/kernel/ftrace.c): arguments are
 * still in their registers there.
 *
 * @param code the first instructions of the function, from the Image
 */
export function frequentStop(entry: bigint, code: Buffer): FrequentStop {
  const words = [0, 4, 8].map((at) => code.readUInt32LE(at));
  const first = isBti(words[0]) ? 1 : 0;
  return words[first] === nop && words[first + 1] === nop
    ? { address: entry + BigInt((first + 1) * 4), skippable: true }
    : { address: entry, skippable: false };
}
