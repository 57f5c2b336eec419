// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedOperation } from '../../evidence/follow-recording.ts';
import type { Rule } from '../invariants/violation.ts';
import type { Scene } from './scene.ts';
import type { Instant } from './window.ts';

/** What is known of a moment that a rule about calls may ask. */
interface State {
  /** system_capabilities_finalized(): the alternatives of the whole system are patched. */
  final: boolean;
  /** CPUs that have used the kernel's tables; the first of them booted. */
  cpus: readonly number[];
  cpu: number;
}

interface CallRule {
  functions: readonly string[];
  allowed(state: State): boolean;
  nature: string;
  title: string;
  because: string;
}

const bootCpu = ({ cpus: [first], cpu }: State) => first === undefined || cpu === first;

/** Functions that may be called at certain times only. */
const callRules: readonly CallRule[] = [
  {
    functions: ['map_mem', 'paging_init', 'arch_add_memory'],
    allowed: (state) => state.final || bootCpu(state),
    nature: 'forced-pages-secondary',
    title: 'a secondary CPU asked for force_pte_mapping() before the capabilities were final',
    because:
      'force_pte_mapping() (arch/arm64/mm/mmu.c) asks the CPU that it runs on until the capabilities are final: only the boot CPU may call it before.',
  },
  {
    functions: ['split_kernel_leaf_mapping_locked'],
    allowed: ({ final, cpus }) => final || cpus.length < 2,
    nature: 'split-before-final',
    title: 'a leaf was to be split while another CPU ran, before the capabilities were final',
    because:
      'Until the capabilities are final nobody knows whether the other CPUs may see a live leaf change its size (split_kernel_leaf_mapping() of arch/arm64/mm/mmu.c since f12b435de2f2).',
  },
  {
    functions: ['linear_map_maybe_split_to_ptes', 'kpti_install_ng_mappings'],
    allowed: (state) => state.final && bootCpu(state),
    nature: 'rewritten-before-final',
    title:
      'the linear map was rewritten before the capabilities were final, or not by the boot CPU',
    because:
      'setup_system_features() (arch/arm64/kernel/cpufeature.c) decides by the final capabilities whether to rewrite the tables.',
  },
  {
    functions: ['mark_linear_text_alias_ro'],
    allowed: (state) => state.final,
    nature: 'alias-protected-before-patching',
    title: 'the linear alias of text became read-only before the alternatives were patched',
    because:
      '__apply_alternatives() (arch/arm64/kernel/alternative.c) writes to text through its linear alias.',
  },
];

/** Calls of the kernel that are only allowed at certain times, as the recording has them. */
export class CallTimes {
  readonly #scene: Scene;
  readonly #rules: ReadonlyMap<string, CallRule>;
  readonly #cpus: number[] = [];
  #final: boolean;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#rules = new Map(
      callRules.flatMap((rule) => rule.functions.map((name) => [name, rule] as const)),
    );
    // A kernel without that function in its list shows no time at which they become final.
    this.#final = !scene.recording.functions.some(({ name }) => name === finalizing);
  }

  static heeds(name: string): boolean {
    return name === finalizing || callRules.some(({ functions }) => functions.includes(name));
  }

  /** A CPU sets its root: it runs. */
  root(cpu: number): void {
    if (!this.#cpus.includes(cpu)) this.#cpus.push(cpu);
  }

  entered({ name }: RecordedOperation, moment: Instant): void {
    const rule = this.#rules.get(name);
    if (rule === undefined) return;
    if (rule.allowed({ final: this.#final, cpus: this.#cpus, cpu: moment.cpu })) return;
    const { nature, title, because } = rule;
    this.#scene.windows.all.push({
      rule: { name: 'call-times', nature, title, because } satisfies Rule,
      what: `${name}()`,
      size: 0,
      opened: this.#scene.windows.actOf(moment),
    });
  }

  returned({ name }: RecordedOperation): void {
    this.#final ||= name === finalizing;
  }
}

/** It patches ARM64_ALWAYS_SYSTEM (arch/arm64/kernel/alternative.c). */
const finalizing = '__apply_alternatives_multi_stop';
