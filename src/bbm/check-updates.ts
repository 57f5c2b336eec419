// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from '../evidence/capture.ts';
import {
  chainOf,
  followRecording,
  type RecordedMoment,
  type RecordedOperation,
  type RecordingFollower,
} from '../evidence/follow-recording.ts';
import type { RecordedTable } from '../evidence/recording-reader.ts';
import { present } from '../present.ts';
import { join } from '../vmsa/descriptor-layout.ts';
import type { BbmLevel, Reason } from './needs-break.ts';
import { invalidating, type Owed, resetting } from './owed.ts';
import type { Missing } from './tables.ts';
import { UpdateRules, type Violation } from './update-rules.ts';

/** A way in which one instruction changes entries that the architecture does not allow. */
export interface UpdateSite {
  /** The instruction, as function+offset; or the function that owes an invalidation. */
  site: string;
  /** The recorded functions that it belongs to, the innermost first. */
  chain: string[];
  reason: Reason;
  /** What is not done before; undefined where the entry was not broken at all. */
  missing: Missing | undefined;
  /** How often CPUs of FEAT_BBM level 0, 1, 2 and 3 do not allow it. */
  counts: [number, number, number, number];
  /** How often the CPUs that had translations at that moment do not, by what they claim. */
  claimed: number;
  /** The first one. */
  example: { va: bigint; level: number; old: bigint; new: bigint; cpu: number; time: number };
}

/**
 * Checks every change of a table against the architecture's rules, for all levels of FEAT_BBM at
 * once, while a recording is read.
 */
export class UpdateCheck implements RecordingFollower {
  readonly #recording: Recording;
  readonly #rules: UpdateRules;
  /** By the number of an instruction, or by what owes: it breaks few rules. */
  readonly #found = new Map<number | string, UpdateSite[]>();
  /** By the place in the list of functions. */
  readonly #owes: readonly boolean[];
  readonly #owed = new Map<RecordedOperation, Owed>();
  /** That of the table that is linked, or changes, or of the call that must have invalidated. */
  #now: RecordedMoment | undefined;
  #due: RecordedOperation | undefined;

  /** @param levels of FEAT_BBM, as each CPU claims it */
  constructor(recording: Recording, levels: readonly BbmLevel[]) {
    this.#recording = recording;
    this.#owes = recording.functions.map(
      ({ name }) => invalidating.has(name) || name === resetting.owes,
    );
    this.#rules = new UpdateRules(levels, (violation) => this.#note(violation));
  }

  /** What was found, the commonest first. */
  get sites(): UpdateSite[] {
    const all = [...this.#found.values()].flat();
    return all.sort((left, right) => right.counts[0] - left.counts[0]);
  }

  linked(table: RecordedTable, now: RecordedMoment): void {
    this.#now = now;
    this.#rules.linked(table);
  }

  unlinked(table: RecordedTable, { cpu }: RecordedMoment): void {
    this.#rules.unlinked(table, cpu);
  }

  tlbi(operand: bigint, { insn, cpu }: RecordedMoment): void {
    this.#rules.invalidated(insn, operand, cpu);
  }

  barrier({ insn, cpu }: RecordedMoment): void {
    this.#rules.barrier(insn, cpu);
  }

  register(value: bigint, { insn, cpu }: RecordedMoment): void {
    this.#rules.register(insn, value, cpu);
  }

  store(table: RecordedTable, index: number, low: number, high: number, now: RecordedMoment): void {
    this.#now = now;
    const owed = low & 1 ? undefined : this.#owedBy(this.#owing(now.operation));
    this.#rules.stored(table, index, low, high, now.cpu, owed);
  }

  entered({ name, parent }: RecordedOperation, now: RecordedMoment): void {
    if (name !== resetting.before) return;
    const outer = this.#owing(parent);
    if (outer?.name === resetting.owes) this.#settle(outer, now);
  }

  left(operation: RecordedOperation, now: RecordedMoment): void {
    if (!this.#owed.has(operation)) return;
    if (operation.name !== resetting.owes) this.#settle(operation, now);
    this.#owed.delete(operation);
  }

  /** The innermost call that must invalidate what is made invalid within it. */
  #owing(operation: RecordedOperation | undefined): RecordedOperation | undefined {
    let each = operation;
    while (each && !this.#owes[each.call.listed]) each = each.parent;
    return each;
  }

  #owedBy(operation: RecordedOperation | undefined): Owed | undefined {
    if (operation === undefined) return undefined;
    const owed = this.#owed.get(operation) ?? { entries: [] };
    this.#owed.set(operation, owed);
    return owed;
  }

  /** From now on nothing of what a call made invalid may be in a TLB. */
  #settle(operation: RecordedOperation, now: RecordedMoment): void {
    const owed = this.#owed.get(operation);
    if (owed === undefined) return;
    [this.#now, this.#due] = [now, operation];
    this.#rules.isDue(owed);
    owed.entries.length = 0;
    this.#due = undefined;
  }

  #note(violation: Violation): void {
    const now = present(this.#now, 'moment of a violation');
    const place = this.#due?.name ?? now.site;
    const sites = this.#found.get(place) ?? [];
    this.#found.set(place, sites);
    let known = sites.find(
      ({ reason, missing }) => reason === violation.reason && missing === violation.missing,
    );
    if (known === undefined) {
      known = siteOf(this.#recording, violation, now, this.#due);
      sites.push(known);
    }
    count(known, violation);
  }
}

/**
 * Checks the updates of a whole recording: see UpdateCheck.
 * @throws PtdiffError('harness') for a damaged recording
 */
export function checkUpdates(recording: Recording, levels: readonly BbmLevel[]): UpdateSite[] {
  const check = new UpdateCheck(recording, levels);
  followRecording(recording, check);
  return check.sites;
}

function count(site: UpdateSite, { upTo, claimed }: Violation): void {
  for (let level = 0; level <= upTo; level++) site.counts[level as BbmLevel]++;
  if (claimed <= upTo) site.claimed++;
}

function siteOf(
  recording: Recording,
  { reason, missing, page, level, oldLow, oldHigh, low, high }: Violation,
  { site, cpu, time, operation }: RecordedMoment,
  due: RecordedOperation | undefined,
): UpdateSite {
  const chain = chainOf(due ? due.parent : operation).map(({ name }) => name);
  const va = BigInt.asUintN(64, BigInt(page) * 4096n);
  return {
    site: due?.name ?? recording.sites[site] ?? '?',
    chain,
    reason,
    missing,
    counts: [0, 0, 0, 0],
    claimed: 0,
    example: { va, level, old: join(oldLow, oldHigh), new: join(low, high), cpu, time },
  };
}
