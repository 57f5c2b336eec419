// SPDX-License-Identifier: GPL-2.0-only
import type { BootFacts, PhysicalRange } from '../evidence/boot-facts.ts';
import { type CheckpointName, checkpointsOf, isBefore } from '../evidence/capture.ts';
import { _PAGE_END, _PAGE_OFFSET, vaBitsMin } from '../linux/kernel-layout.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { first } from '../present.ts';
import type { Machine } from '../scenario/types.ts';
import { kernelProt } from './arch/arm64/include/asm/pgtable-prot.ts';
import { cpuHasLargeVa } from './arch/arm64/kernel/cpufeature.ts';
import { arm64_rsi_init } from './arch/arm64/kernel/rsi.ts';
import { bootTimeCpus, type CpuOutcome, cpuOutcome } from './arch/arm64/kernel/smp.ts';
import { arm64_memblock_init } from './arch/arm64/mm/init.ts';
import { map_mem } from './arch/arm64/mm/mmu.ts';
import { applySplit } from './arch/arm64/mm/mmu-split.ts';
import {
  hideSecretPages,
  protectVmallocAliases,
  realm_set_memory,
  splitForProtection,
} from './arch/arm64/mm/pageattr.ts';
import { predictRegisters } from './arch/arm64/mm/proc.ts';
import { areasOf } from './areas.ts';
import { stepsBetween } from './boot.ts';
import type { BootState, ImageSections } from './boot-state.ts';
import { decide } from './decisions.ts';
import { recordDerivation } from './derivation.ts';
import { deriveTraits } from './derive-traits.ts';
import { crashResource, reserve_crashkernel_generic } from './kernel/crash_reserve.ts';
import { leafRuns, predictedTables } from './leaf-runs.ts';
import { LinearMap } from './linear-map.ts';
import { kfenceEnabled } from './mm/kfence.ts';
import { __kernel_map_pages } from './mm/page_alloc.ts';
import { probePredictions } from './probes.ts';
import type { CheckpointPrediction, DerivationStep, Prediction } from './types.ts';

/** The one question the model answers: this kernel, on this machine, with these parameters. */
export interface Question {
  traits: KernelTraits;
  machine: Machine;
  /** Kernel parameters, e.g. 'rodata=off'. */
  parameters: string[];
  kaslr: boolean;
  probes: string[];
  /** Offset of a linker symbol from _text in bytes. */
  symbolOffset: (name: string) => number;
  facts: BootFacts;
}

function sectionsOf({ traits, facts, symbolOffset }: Question): ImageSections & { stext: number } {
  const at = (name: string): number => facts.image.pa + symbolOffset(name);
  return {
    aliasStart: at(traits.aliasStart),
    stext: at('_stext'),
    initBegin: at('__init_begin'),
    initEnd: at('__init_end'),
    bssStop: at('__bss_stop'),
  };
}

/** KFENCE_POOL_SIZE in bytes: two pages an object, and two more (include/linux/kfence.h). */
function kfencePoolOf({ traits, facts }: Question): PhysicalRange | undefined {
  if (facts.kfencePool === undefined) return undefined;
  const size = (traits.config.kfenceNumObjects + 1) * 2 * traits.geometry.granule;
  return { start: facts.kfencePool, end: facts.kfencePool + size };
}

/**
 * Kernel variables whose value the decisions fix; the requires flag lies in .init.data up to 6.19
 * and is gone at init.
 */
function variablesAt(
  { traits, machine }: Question,
  { map, decisions, crashKernel }: BootState,
  cpus: CpuOutcome,
  checkpoint: CheckpointName,
): Record<string, bigint> {
  const { requiresSymbol, config } = traits;
  // The linear address of physical address 0 is PAGE_OFFSET - memstart_addr (__phys_to_virt(),
  // arch/arm64/include/asm/memory.h).
  const linearOfZero = map.start - BigInt(map.physBase);
  // setup_system_features() calls kpti_install_ng_mappings() after the repaint.
  const kptiInstalled = !isBefore(checkpoint, 'free_initmem');
  const variables: Record<string, bigint> = {
    memstart_addr: BigInt.asUintN(64, _PAGE_OFFSET(config.vaBits) - linearOfZero),
    rodata_enabled: BigInt(decisions.rodataEnabled),
    rodata_full: BigInt(decisions.rodataFull),
    // It is set here where early_map_kernel() did not.
    arm64_use_ng_mappings: BigInt(decisions.useNgMappings || (kptiInstalled && decisions.kpti)),
  };
  if (config.kfence) variables.kfence_early_init = BigInt(decisions.kfenceEarlyInit);
  if (config.debugPagealloc)
    variables._debug_pagealloc_enabled_early = BigInt(decisions.debugPagealloc);
  if (machine.cpus > 1 && !(cpus.unknown && checkpoint === 'init')) {
    variables.__cpu_online_mask = onlineAt(cpus, checkpoint);
  }
  if (config.crashReserve)
    variables.crashk_res = crashResource(checkpoint === 'paging_init' ? undefined : crashKernel);
  if (requiresSymbol && checkpoint !== 'init')
    variables[requiresSymbol] = BigInt(decisions.linearMapRequiresBbml === true);
  return variables;
}

/** cpu_online_mask: setup_arch() runs on the boot CPU alone. */
function onlineAt({ onlineAtBoot, onlineAtInit }: CpuOutcome, checkpoint: CheckpointName): bigint {
  switch (checkpoint) {
    case 'paging_init':
      return 1n;
    case 'before_split':
    case 'after_split':
    case 'free_initmem':
      return onlineAtBoot;
    case 'init':
      return onlineAtInit;
  }
}

/** How wide virtual addresses are on the boot CPU, and where the linear region lies. */
function addressesOf({ traits, facts }: Question): {
  vaBits: number;
  linearRegion: Prediction['linearRegion'];
} {
  const largeVa = traits.config.vaBits > 48 && cpuHasLargeVa(traits, first(facts.idRegisters));
  const smallVa = vaBitsMin(traits.config.vaBits, traits.geometry);
  const vaBits = largeVa ? traits.config.vaBits : smallVa;
  return { vaBits, linearRegion: { start: _PAGE_OFFSET(vaBits), end: _PAGE_END(smallVa) } };
}

/**
 * Predicts the linear map of a kernel, leaf by leaf, at every checkpoint, with the decisions that
 * led there.
 * @param watch called at the end of each step of the derivation, with the linear map from map_mem()
 * on
 * @throws PredictedBug where the kernel's logic would stop the boot
 */
export function predict(
  question: Question,
  watch: (step: DerivationStep, map: LinearMap | undefined) => void = () => {},
): Prediction {
  const { traits, facts } = question;
  let watched: LinearMap | undefined;
  const { steps, why } = recordDerivation((step) => watch(step, watched));
  const { machine, probes } = question;
  deriveTraits(traits, why);
  const atBoot = bootTimeCpus(machine, facts.idRegisters);
  const decisions = decide(traits, { ...question, world: machine.world, idRegisters: atBoot }, why);
  const { vaBits, linearRegion } = addressesOf(question);
  const { physBase, memory, ...dram } = arm64_memblock_init(question, linearRegion, why);
  const map = new LinearMap(traits.geometry, vaBits, linearRegion.start, physBase);
  watched = map;
  const prot = kernelProt(traits, decisions);
  const sections = sectionsOf(question);
  const pool = kfencePoolOf(question);
  const kfencePool = decisions.kfenceEarlyInit ? pool : undefined;
  map_mem({ map, traits, decisions, prot, memory, sections, kfencePool }, why);

  const image = { start: facts.image.pa, end: sections.bssStop };
  const taken = kfencePool ? [image, kfencePool] : [image];
  const { parameters } = question;
  const crashKernel = reserve_crashkernel_generic(
    { traits, parameters, memory, ...dram, taken, facts },
    why,
  );
  const books = { freePages: [], freeAtKpti: facts.freeAtKpti ?? [] };
  const rsi = decisions.realm ? arm64_rsi_init(sections, memory, why) : [];
  const poolInUse = kfenceEnabled(traits, parameters) ? pool : undefined;
  const parts = { map, traits, decisions, prot, sections, kfencePool, poolInUse, crashKernel };
  const state: BootState = { ...parts, ...books, rsi, why };
  const cpus = cpuOutcome(traits, { machine, probes, idRegisters: facts.idRegisters }, why);
  const swapper = facts.image.pa + question.symbolOffset('swapper_pg_dir');
  const checkpoints: Partial<Record<CheckpointName, CheckpointPrediction>> = {};
  // linear_map_requires_bbml2 came with linear_map_maybe_split_to_ptes(), its reader
  // (arch/arm64/mm/mmu.c, 6.18).
  const planned = checkpointsOf(traits.requiresSymbol !== undefined);
  for (const [index, checkpoint] of planned.entries()) {
    share(state, facts, checkpoint, false);
    for (const step of stepsBetween(planned[index - 1], checkpoint)) step(state);
    share(state, facts, checkpoint, true);
    if (checkpoint !== 'paging_init') applyFacts(state, facts, checkpoint);
    checkpoints[checkpoint] = {
      leaves: leafRuns(map, areasOf(state, facts, checkpoint), aliasBitOf(facts)),
      tables: predictedTables(map),
      registers: facts.idRegisters.map((idRegisters) =>
        predictRegisters({ traits, decisions, idRegisters, vaBits, swapper }, checkpoint),
      ),
      variables: variablesAt(question, state, cpus, checkpoint),
    };
  }
  return {
    generation: traits.generation,
    newerThanKnown: traits.newerThanKnown,
    derivation: steps,
    decisions,
    linearRegion,
    checkpoints,
    probes: probePredictions(question, state, cpus),
    rsi: state.rsi,
    complaints: cpus.complaints,
    ...(cpus.unknown && { lateCpusUnknown: true }),
  };
}

/**
 * The answer for a kernel whose linear map the model cannot predict: the kernel's decisions alone,
 * which need nothing but parameters and CPUs, for the rules that hold whatever its logic.
 */
export function predictNothing(question: Question): Prediction {
  const { traits, machine, facts } = question;
  const { steps, why } = recordDerivation();
  const idRegisters = bootTimeCpus(machine, facts.idRegisters);
  const decisions = decide(traits, { ...question, world: machine.world, idRegisters }, why);
  const { generation, newerThanKnown } = traits;
  const { linearRegion } = addressesOf(question);
  return {
    ...{ generation, newerThanKnown, derivation: steps, decisions, linearRegion },
    ...{ checkpoints: {}, probes: [], complaints: [] },
  };
}

/**
 * Requests of a realm to share memory, before or after the CPU capabilities are final
 * (smp_cpus_done()).
 */
function share(
  state: BootState,
  facts: BootFacts,
  checkpoint: CheckpointName,
  capabilitiesFinal: boolean,
): void {
  if (!state.decisions.realm) return;
  for (const request of facts.sharing) {
    const now = request.before === checkpoint && request.capabilitiesFinal === capabilitiesFinal;
    if (now) realm_set_memory(state, request);
  }
}

/**
 * prot_ns_shared: the top bit of the realm's address space (arm64_rsi_init(),
 * arch/arm64/kernel/rsi.c).
 */
function aliasBitOf({ ipaBits }: BootFacts): number {
  return ipaBits === undefined ? 0 : 2 ** (ipaBits - 1);
}

/** What the kernel was asked to do with vmalloc memory and by the probes up to a checkpoint. */
function applyFacts(state: BootState, facts: BootFacts, checkpoint: CheckpointName): void {
  for (const request of facts.splitRequests) {
    if (request.before === checkpoint && !request.early) applySplit(state, request);
  }
  for (const request of facts.protectRequests ?? []) {
    if (request.before === checkpoint) splitForProtection(state, request.frames);
  }
  __kernel_map_pages(state, facts.freePages?.[checkpoint] ?? []);
  protectVmallocAliases(state, facts.readOnlyVmalloc[checkpoint] ?? []);
  if (checkpoint === 'init' && state.decisions.canSetDirectMap)
    hideSecretPages(state, facts.probePages);
}
