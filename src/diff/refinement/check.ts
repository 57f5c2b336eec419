// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from '../../evidence/capture.ts';
import {
  followRecording,
  type RecordedMoment,
  type RecordedOperation,
  type RecordingFollower,
} from '../../evidence/follow-recording.ts';
import { LinkedTables } from '../../evidence/recorded-tables.ts';
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { PTE_GP } from '../../linux/pgprot.ts';
import { argumentsOf } from '../../linux/recorded-functions.ts';
import { kernelProt } from '../../model/arch/arm64/include/asm/pgtable-prot.ts';
import type { BootState } from '../../model/boot-state.ts';
import { PredictedBug } from '../../model/bug.ts';
import type { Operation, OperationState, Registers } from '../../model/operation.ts';
import { operations } from '../../model/operations.ts';
import type { Stage1Regime } from '../../vmsa/regime.ts';
import { type ImageLayout, imageVa } from '../context.ts';
import { type Invalidated, invalidatedBy } from './covers.ts';
import type { Deviation, Predicted } from './deviation.ts';
import { Expectation, type Witness } from './expectation.ts';
import { UnknownTable } from './mirror-table.ts';
import { type MapSource, RecordedMap } from './recorded-map.ts';

/** The kernel whose operations are checked, in one boot. */
export interface CheckedKernel {
  /** What its functions read of what it has decided; see stateInOperation(). */
  state: BootState;
  /** How TTBR1 translates, as at the first checkpoint. */
  regime: Stage1Regime;
  image: ImageLayout;
  /** In a realm, the address bit of shared memory, as a number; 0 elsewhere. */
  aliasBit: number;
}

/** What became of the operations of a recording. */
export interface Refinement {
  deviations: Deviation[];
  /** How many operations were compared with their predictions, by function. */
  checked: Map<string, number>;
  /** And how many could not be predicted. */
  unchecked: Map<string, number>;
}

/** setup_system_features() calls one of them once the CPU capabilities are final. */
const afterCapabilities = new Set([
  'linear_map_maybe_split_to_ptes',
  'kpti_install_ng_mappings',
  'mark_linear_text_alias_ro',
]);

/**
 * Compares each operation that the model knows with what the model says of it, given its arguments
 * and the tables before it: which entries change, in which order, and what it returns.
 */
export function checkRefinement(recording: Recording, kernel: CheckedKernel): Refinement {
  const check = new RefinementCheck(recording, kernel);
  followRecording(recording, check);
  return check.refinement;
}

/** A recorded function, and how many of its calls were compared with the model. */
interface Known {
  /** Absent where the model knows nothing of it. */
  model: Operation | undefined;
  arity: number;
  checked: number;
  unchecked: number;
}

/** An operation with what is expected of it, and a moment that may belong to one. */
type Followed = RecordedOperation<Expectation>;
type Moment = RecordedMoment<Expectation>;

/** Does so while a recording is read. */
export class RefinementCheck implements Witness, RecordingFollower<Expectation> {
  readonly #recording: Recording;
  readonly #kernel: CheckedKernel;
  readonly #deviations: Deviation[] = [];
  /** By the number of a function in the recorder's list. */
  readonly #known: Known[] = [];
  readonly #tables = new LinkedTables();
  readonly #maps = new Map<number, RecordedMap>();
  /** Invalidations by their instructions and operands: most are the same few. */
  readonly #tlbis = new Map<number, Map<bigint, Invalidated | undefined>>();
  readonly #cpus = new Set<number>();
  readonly #swapperPa: number;
  #swapper: RecordedMap | undefined;
  #capabilitiesFinal = false;
  #state: OperationState | undefined;
  /** How many there were so far, and how many by each CPU. */
  #stores = 0;
  readonly #storesOf: number[] = [];
  /** That of the event that is looked at. */
  #time = 0;

  constructor(recording: Recording, kernel: CheckedKernel) {
    this.#recording = recording;
    this.#kernel = kernel;
    const { image, state } = kernel;
    this.#swapperPa = image.pa + state.question.symbolOffset('swapper_pg_dir');
  }

  /** What has been found so far. */
  get refinement(): Refinement {
    const counts = (what: 'checked' | 'unchecked') =>
      new Map(
        this.#known
          .map(
            (known, listed) =>
              [this.#recording.functions[listed]?.name ?? '', known[what]] as const,
          )
          .filter(([, count]) => count > 0),
      );
    const [checked, unchecked] = [counts('checked'), counts('unchecked')];
    return { deviations: this.#deviations, checked, unchecked };
  }

  store(table: RecordedTable, index: number, low: number, high: number, now: Moment): void {
    this.#time = now.time;
    for (let each = now.operation?.note; each; each = each.outer) {
      this.#refresh(each);
      each.store(table, index, low, high);
    }
    this.#stores++;
    this.#storesOf[now.cpu] = (this.#storesOf[now.cpu] ?? 0) + 1;
    for (const map of this.#maps.values()) map.follow(table, index, low, high);
  }

  linked(table: RecordedTable, now: Moment): void {
    this.#time = now.time;
    this.#tables.linked(table);
    for (let each = now.operation?.note; each; each = each.outer) each.linked(table);
  }

  unlinked(table: RecordedTable): void {
    this.#tables.unlinked(table);
    for (const map of this.#maps.values()) map.forget(table);
    this.#maps.delete(table.id);
  }

  tlbi(operand: bigint, { insn, operation }: Moment): void {
    const what = operation?.note && this.#decode(insn, operand);
    if (what === undefined) return;
    for (let each = operation?.note; each; each = each.outer) each.tlbi(what);
  }

  report(operation: RecordedOperation, deviation: Omit<Deviation, 'operation' | 'time'>): void {
    this.#deviations.push({ ...deviation, operation, time: this.#time });
  }

  #decode(insn: number, operand: bigint): Invalidated | undefined {
    let known = this.#tlbis.get(insn);
    if (known === undefined) {
      known = new Map();
      this.#tlbis.set(insn, known);
    }
    let what = known.get(operand);
    if (what === undefined) {
      what = invalidatedBy(insn, operand, this.#kernel.regime);
      known.set(operand, what);
    }
    return what;
  }

  entered(operation: Followed): void {
    this.#time = operation.entered;
    const { name, cpu, parent } = operation;
    this.#cpus.add(cpu);
    if (!this.#capabilitiesFinal && afterCapabilities.has(name)) {
      this.#capabilitiesFinal = true;
      this.#state = undefined;
    }
    const { listed } = operation.call;
    let known = this.#known[listed];
    if (known === undefined) {
      known = { model: operations[name], arity: argumentsOf(name), checked: 0, unchecked: 0 };
      this.#known[listed] = known;
    }
    const { model } = known;
    if (model === undefined) return;
    const calling = parent?.note;
    const outer = calling?.model?.parts?.includes(name) ? calling : undefined;
    // Otherwise the compiler has changed how it is called.
    const isWhole = operation.args.length >= known.arity;
    const predicted = isWhole ? this.#predict(operation, model) : undefined;
    if (predicted === undefined) known.unchecked++;
    else known.checked++;
    const expected = this.#unlessStopped(operation, predicted);
    operation.note = new Expectation(operation, outer, expected, this, this.#foreignTo(cpu));
  }

  left(operation: Followed): void {
    this.#time = operation.returned ?? 0;
    if (operation.name === '__kpti_install_ng_mappings' && operation.cpu === 0)
      this.#useNgMappings();
    if (operation.note) this.#refresh(operation.note);
    operation.note?.end(operation.result);
    // What an operation finds is what it has prepared by calling others.
    const calling = operation.parent?.note;
    if (calling?.isPreparing) this.#predictAgain(calling);
  }

  /**
   * An operation that has waited for a lock, as split_kernel_leaf_mapping() for pgtable_split_lock
   * (arch/arm64/mm/mmu.c), finds the tables as others have left them.
   */
  #refresh(expectation: Expectation): void {
    const now = this.#foreignTo(expectation.operation.cpu);
    if (now === expectation.foreign || !expectation.isOpen) return;
    expectation.foreign = now;
    this.#predictAgain(expectation);
  }

  #predictAgain(expectation: Expectation): void {
    const { operation, model } = expectation;
    if (model === undefined) return;
    const predicted = this.#predict(operation, model);
    expectation.predictAgain(this.#unlessStopped(operation, predicted));
  }

  #unlessStopped(
    operation: RecordedOperation,
    predicted: Predicted | 'stops' | undefined,
  ): Predicted | undefined {
    if (predicted !== 'stops') return predicted;
    this.report(operation, { difference: 'stops' });
    return undefined;
  }

  /** How many stores there were by other CPUs. */
  #foreignTo(cpu: number): number {
    return this.#stores - (this.#storesOf[cpu] ?? 0);
  }

  #predict(operation: RecordedOperation, model: Operation): Predicted | 'stops' | undefined {
    const { cpu } = operation;
    // Those that the function has are there: entered() has counted them.
    const args = operation.args as Registers;
    const map = this.#mapFor(model, args);
    if (map === undefined) return undefined;
    this.#state ??= this.#stateOn(map);
    const state = this.#state;
    state.map = map;
    state.cpu = cpu;
    state.time.onlineCpus = this.#cpus.size;
    try {
      const { steps, answer, physBase } = map.predict(model, state, args);
      return { model, map, steps, answer, physBase };
    } catch (error) {
      if (error instanceof PredictedBug) return 'stops';
      if (error instanceof UnknownTable) return undefined;
      throw error;
    }
  }

  /** What the kernel knows by now. */
  #stateOn(map: RecordedMap): OperationState {
    const { state, image } = this.#kernel;
    const { decisions } = state;
    const final = this.#capabilitiesFinal;
    const text = map.leafAt(map.offsetOfVa(imageVa(image, '_stext')))?.attributes ?? 0n;
    return {
      ...state,
      map,
      decisions: { ...decisions, systemBbml: decisions.systemBbml && final },
      prot: kernelProt(state.traits, decisions),
      time: { capabilitiesFinal: final, onlineCpus: 1 },
      cpu: 0,
      bti: (text & PTE_GP) !== 0n,
    };
  }

  #useNgMappings(): void {
    if (this.#state === undefined) return;
    const { traits, decisions } = this.#kernel.state;
    this.#state.prot = kernelProt(traits, { ...decisions, useNgMappings: true });
  }

  /** The tables that an operation changes; undefined where the kernel does not use them yet. */
  #mapFor(model: Operation, args: Registers): RecordedMap | undefined {
    const root = model.root?.(args);
    const pa = root === undefined ? this.#swapperPa : this.#physical(root);
    if (pa !== this.#swapperPa) return this.#mapAt(pa, 8);
    // A root that is smaller than its page may be anywhere in it.
    this.#swapper ??= this.#mapAt(pa, this.#kernel.regime.granule);
    return this.#swapper;
  }

  #mapAt(pa: number, within: number): RecordedMap | undefined {
    const root = this.#tables.rootIn(pa, within);
    if (root === undefined) return undefined;
    const map = this.#maps.get(root.id) ?? new RecordedMap(this.#source(), root);
    this.#maps.set(root.id, map);
    return map;
  }

  #source(): MapSource {
    const { state, regime, aliasBit } = this.#kernel;
    const { traits, memblock } = state;
    const tableAt = (pa: number) => this.#tables.at(pa);
    const { geometry } = traits;
    return { geometry, regime, physBase: memblock.physBase, aliasBit, tableAt };
  }

  /** Of an address in the image or in the linear map. */
  #physical(va: bigint): number {
    const { image, state } = this.#kernel;
    const [text, end] = [imageVa(image, '_text'), imageVa(image, '_end')];
    return va >= text && va < end
      ? image.pa + Number(va - text)
      : state.memblock.physBase + state.map.offsetOfVa(va);
  }
}
