// SPDX-License-Identifier: GPL-2.0-only
import { aliasBitOf } from '../evidence/boot-facts.ts';
import {
  type CheckpointName,
  checkpointsOf,
  isBefore,
  isInOperation,
} from '../evidence/capture.ts';
import { _PAGE_END, _PAGE_OFFSET, vaBitsMin } from '../linux/kernel-layout.ts';
import { first } from '../present.ts';
import { kernelProt } from './arch/arm64/include/asm/pgtable-prot.ts';
import { cpuHasLargeVa } from './arch/arm64/kernel/cpufeature.ts';
import { bootTimeCpus } from './arch/arm64/kernel/smp.ts';
import { arm64_memblock_init } from './arch/arm64/mm/init.ts';
import { split_kernel_leaf_mapping } from './arch/arm64/mm/mmu-split.ts';
import {
  hideSecretPages,
  protectVmallocAliases,
  realm_set_memory,
  splitForProtection,
} from './arch/arm64/mm/pageattr.ts';
import { predictRegisters } from './arch/arm64/mm/proc.ts';
import { areasOf } from './areas.ts';
import { bootOf } from './boot.ts';
import type { BootState, ImageSections, Kernel } from './boot-state.ts';
import { bootCpuAlone, type CpuOutcome } from './cpu-outcome.ts';
import { type DecisionInputs, decide, decisionsOf, kernelAtReset } from './decisions.ts';
import { recordDerivation } from './derivation.ts';
import { deriveTraits } from './derive-traits.ts';
import { crashResource } from './kernel/crash_reserve.ts';
import { kfencePoolOf } from './kfence-pool.ts';
import { leafRuns, predictedTables } from './leaf-runs.ts';
import { LinearMap } from './linear-map.ts';
import { __kernel_map_pages } from './mm/page_alloc.ts';
import { probePredictions } from './probes.ts';
import type { Question } from './question.ts';
import type { CheckpointPrediction, Decisions, DerivationStep, Prediction } from './types.ts';

function sectionsOf({ traits, facts, symbolOffset }: Question): ImageSections {
  const at = (name: string): number => facts.image.pa + symbolOffset(name);
  return {
    aliasStart: at(traits.aliasStart),
    stext: at('_stext'),
    initBegin: at('__init_begin'),
    initEnd: at('__init_end'),
    bssStop: at('__bss_stop'),
  };
}

/**
 * Kernel variables whose value the decisions determine; up to 6.19 the requires flag is in
 * .init.data and no longer exists at init.
 */
function variablesAt(
  { traits, question, map, decisions, crashKernel, cpus }: BootState,
  checkpoint: CheckpointName,
): Record<string, bigint> {
  const { requiresSymbol, config } = traits;
  // The linear address of physical address 0 is PAGE_OFFSET - memstart_addr (__phys_to_virt(),
  // arch/arm64/include/asm/memory.h).
  const linearOfZero = map.start - BigInt(map.physBase);
  // setup_system_features() calls kpti_install_ng_mappings() after the repaint.
  const kptiInstalled = !isBefore(checkpoint, 'smp_cpus_done');
  const variables: Record<string, bigint> = {
    memstart_addr: BigInt.asUintN(64, _PAGE_OFFSET(config.vaBits) - linearOfZero),
    rodata_enabled: BigInt(decisions.rodataEnabled),
    rodata_full: BigInt(decisions.rodataFull),
    // It is set here unless early_map_kernel() has already done so.
    arm64_use_ng_mappings: BigInt(decisions.useNgMappings || (kptiInstalled && decisions.kpti)),
  };
  if (config.kfence) variables.kfence_early_init = BigInt(decisions.kfenceEarlyInit);
  if (config.debugPagealloc)
    variables._debug_pagealloc_enabled_early = BigInt(decisions.debugPagealloc);
  // What is online on a board is its owner's choice.
  const isTold = checkpoint !== 'live' && !(cpus.unknown && checkpoint === 'init');
  if (question.machine.cpus > 1 && isTold) {
    variables.__cpu_online_mask = onlineAt(cpus, checkpoint);
  }
  if (config.crashReserve)
    variables.crashk_res = crashResource(checkpoint === 'paging_init' ? undefined : crashKernel);
  if (requiresSymbol && !isInOperation(checkpoint))
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
    case 'smp_cpus_done':
    case 'free_initmem':
      return onlineAtBoot;
    case 'init':
    case 'live':
      return onlineAtInit;
  }
}

/** The width of virtual addresses on the boot CPU, and the bounds of the linear region. */
function addressesOf({ traits, facts }: Question): {
  vaBits: number;
  linearRegion: Prediction['linearRegion'];
} {
  const largeVa = traits.config.vaBits > 48 && cpuHasLargeVa(traits, first(facts.idRegisters));
  const smallVa = vaBitsMin(traits.config.vaBits, traits.geometry);
  const vaBits = largeVa ? traits.config.vaBits : smallVa;
  return { vaBits, linearRegion: { start: _PAGE_OFFSET(vaBits), end: _PAGE_END(smallVa) } };
}

/** The machine before the kernel's first step. */
function stateAtReset(question: Question, kernel: Kernel): BootState {
  const { traits } = question;
  const { vaBits, linearRegion } = addressesOf(question);
  const imageEnd = () => question.facts.image.pa + question.symbolOffset('_end');
  const memblock = arm64_memblock_init({ ...question, imageEnd }, linearRegion, kernel.why);
  return {
    ...kernel,
    question,
    next: 'paging_init',
    map: new LinearMap(traits.geometry, vaBits, linearRegion.start, memblock.physBase),
    prot: kernelProt(traits, kernel.decisions),
    memblock,
    sections: sectionsOf(question),
    freePages: [],
    rsi: [],
    cpus: bootCpuAlone,
  };
}

/**
 * What the kernel's functions read of what it has decided, when they are called.
 * @param decisions of the prediction
 */
export function stateInOperation(question: Question, decisions: Decisions): BootState {
  const kernel = kernelAtReset(question.traits, inputsOf(question), () => {});
  const state = stateAtReset(question, { ...kernel, decisions });
  const pool = kfencePoolOf(question);
  return { ...state, ...(pool && { kfencePool: pool }) };
}

/** The predicted state at a checkpoint that the kernel has reached. */
function captureOf(state: BootState, checkpoint: CheckpointName): CheckpointPrediction {
  const { question, traits, map, decisions } = state;
  const { facts } = question;
  const { vaBits } = addressesOf(question);
  const swapper = facts.image.pa + question.symbolOffset('swapper_pg_dir');
  return {
    leaves: leafRuns(map, areasOf(state, facts, checkpoint), aliasBitOf(facts)),
    tables: predictedTables(map),
    registers: facts.idRegisters.map((idRegisters) =>
      predictRegisters({ traits, decisions, idRegisters, vaBits, swapper }, checkpoint),
    ),
    variables: variablesAt(state, checkpoint),
  };
}

/**
 * Predicts the linear map of a kernel, leaf by leaf, at every checkpoint, with the decisions that
 * led to it.
 * @param watch called at the end of each step of the derivation, with the linear map from map_mem()
 * on
 * @throws PredictedBug where the kernel's logic would stop the boot
 */
export function predict(
  question: Question,
  watch: (step: DerivationStep, map: LinearMap | undefined) => void = () => {},
): Prediction {
  const { traits } = question;
  let watched: LinearMap | undefined;
  const { steps, why } = recordDerivation((step) => watch(step, watched));
  deriveTraits(traits, why);
  const state = stateAtReset(question, kernelAtReset(traits, inputsOf(question), why));
  watched = state.map;
  const checkpoints: Partial<Record<CheckpointName, CheckpointPrediction>> = {};
  // linear_map_requires_bbml2 was added together with its reader, linear_map_maybe_split_to_ptes()
  // (arch/arm64/mm/mmu.c, 6.18).
  const planned: CheckpointName[] = question.live
    ? ['live']
    : checkpointsOf(traits.requiresSymbol !== undefined);
  for (const step of bootOf(traits)) {
    if (typeof step !== 'string') {
      step.decides?.(state);
      step.does?.(state);
    } else if (planned.includes(step)) {
      applyFacts(state, step);
      checkpoints[step] = captureOf(state, step);
      state.next = planned[planned.indexOf(step) + 1] ?? step;
      if (step === question.until) break;
    }
  }
  return {
    generation: traits.generation,
    newerThanKnown: traits.newerThanKnown,
    derivation: steps,
    decisions: decisionsOf(state),
    linearRegion: addressesOf(question).linearRegion,
    checkpoints,
    probes: probePredictions(question, state),
    rsi: state.rsi,
    complaints: state.cpus.complaints,
    ...(state.cpus.unknown && { lateCpusUnknown: true }),
  };
}

/** The inputs of the decision functions, from a question. */
function inputsOf({ machine, parameters, kaslr, facts }: Question): DecisionInputs {
  const { world } = machine;
  return { parameters, kaslr, world, idRegisters: bootTimeCpus(machine, facts.idRegisters) };
}

/**
 * The answer for a kernel whose linear map the model cannot predict: only the kernel's decisions,
 * which need nothing but parameters and CPUs. They serve the invariants, which hold whatever the
 * kernel's logic.
 */
export function predictNothing(question: Question): Prediction {
  const { traits } = question;
  const { steps, why } = recordDerivation();
  const decisions = decide(traits, inputsOf(question), why);
  const { generation, newerThanKnown } = traits;
  const { linearRegion } = addressesOf(question);
  return {
    ...{ generation, newerThanKnown, derivation: steps, decisions, linearRegion },
    ...{ checkpoints: {}, probes: [], complaints: [] },
  };
}

/** Requests to the kernel by realms, by users of vmalloc memory and by the probes. */
function applyFacts(state: BootState, checkpoint: CheckpointName): void {
  if (checkpoint === 'paging_init') return;
  const { facts } = state.question;
  for (const request of facts.sharing) {
    if (request.before === checkpoint && request.capabilitiesFinal)
      realm_set_memory(state, request);
  }
  for (const { start, end, before, early } of facts.splitRequests) {
    if (before === checkpoint && !early) split_kernel_leaf_mapping(state, start, end);
  }
  for (const request of facts.protectRequests ?? []) {
    if (request.before === checkpoint) splitForProtection(state, request.frames);
  }
  __kernel_map_pages(state, facts.freePages?.[checkpoint] ?? []);
  protectVmallocAliases(state, facts.readOnlyVmalloc[checkpoint] ?? []);
  if (isInOperation(checkpoint)) hideSecretPages(state, facts.probePages);
}
