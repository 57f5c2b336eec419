// SPDX-License-Identifier: GPL-2.0-only
import type { BbmLevel } from './needs-break.ts';

/** One CPU's translations of one ASID, as a number. */
const contextOf = (cpu: number, asid: number): number => cpu * 65536 + asid;
export const cpuOf = (context: number): number => Math.floor(context / 65536);
export const asidOf = (context: number): number => context % 65536;

/** What one CPU translates with. */
interface Cpu {
  /** SCTLR_EL1.M, as far as it was written. */
  mmu: boolean | undefined;
  /** Roots without ASID and CnP, lower and upper half. */
  roots: [number, number];
  /** ASID fields of TTBR0_EL1 and TTBR1_EL1; TCR_EL1.A1 says which one counts. */
  asids: [number, number];
  asidOfUpper: boolean;
}

/**
 * Which CPUs may hold translations of which root, under which ASIDs: those that have used it since
 * they were last invalidated as a whole. A CPU whose MMU is off, or whose root is empty, fetches
 * none.
 */
export class Contexts {
  readonly #cpus: Cpu[] = [];
  readonly #byRoot = new Map<number, Set<number>>();
  readonly #upper = new Set<number>();
  readonly #levels: readonly BbmLevel[];
  readonly #isEmpty: (root: number) => boolean;

  /**
   * @param levels of FEAT_BBM, as each CPU claims it
   * @param isEmpty whether the table at a physical address has no valid entry
   */
  constructor(levels: readonly BbmLevel[], isEmpty: (root: number) => boolean) {
    this.#levels = levels;
    this.#isEmpty = isEmpty;
  }

  /** Those of a root of the lower half. */
  ofRoot(root: number): Set<number> {
    const known = this.#byRoot.get(root);
    if (known !== undefined) return known;
    const fresh = new Set<number>();
    this.#byRoot.set(root, fresh);
    return fresh;
  }

  /** CPUs, each as its context of ASID 0: the upper half is the same in every ASID. */
  get upper(): ReadonlySet<number> {
    return this.#upper;
  }

  /** The least level of FEAT_BBM that a CPU with these contexts claims. */
  levelOf(held: Iterable<number>): BbmLevel {
    let least: BbmLevel = 3;
    for (const context of held) {
      const claimed = this.#levels[cpuOf(context)] ?? 0;
      if (claimed < least) least = claimed;
    }
    return least;
  }

  forget(root: number): void {
    this.#byRoot.delete(root);
  }

  mmu(cpu: number, on: boolean): void {
    this.#of(cpu).mmu = on;
    this.#use(cpu);
  }

  asidSelect(cpu: number, upper: boolean): void {
    this.#of(cpu).asidOfUpper = upper;
    this.#use(cpu);
  }

  root(cpu: number, upper: boolean, root: number, asid: number): void {
    const state = this.#of(cpu);
    state.roots[upper ? 1 : 0] = root;
    state.asids[upper ? 1 : 0] = asid;
    this.#use(cpu);
  }

  /** A root got its first entry. */
  filled(): void {
    for (const cpu of this.#cpus.keys()) this.#use(cpu);
  }

  /** All translations are invalid. @param cpu undefined for every CPU */
  flushed(cpu: number | undefined): void {
    const gone = (context: number) => cpu === undefined || cpuOf(context) === cpu;
    for (const contexts of [this.#upper, ...this.#byRoot.values()])
      for (const context of contexts) if (gone(context)) contexts.delete(context);
    if (cpu === undefined) this.filled();
    else this.#use(cpu);
  }

  #of(cpu: number): Cpu {
    let known = this.#cpus[cpu];
    if (known === undefined) {
      known = { mmu: undefined, roots: [0, 0], asids: [0, 0], asidOfUpper: false };
      this.#cpus[cpu] = known;
    }
    return known;
  }

  #use(number: number): void {
    const cpu = this.#cpus[number];
    if (cpu === undefined || cpu.mmu === false) return;
    const [lower, upper] = cpu.roots;
    if (upper !== 0 && !this.#isEmpty(upper)) this.#upper.add(contextOf(number, 0));
    if (lower !== 0 && !this.#isEmpty(lower))
      this.ofRoot(lower).add(contextOf(number, cpu.asids[cpu.asidOfUpper ? 1 : 0]));
  }
}
