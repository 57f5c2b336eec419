// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from '../evidence/capture.ts';
import { nameOf } from '../evidence/recorded-names.ts';
import { type OpenCall, RecordedOperations } from '../evidence/recorded-operations.ts';
import { RecordingReader } from '../evidence/recording-reader.ts';
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

/** A call, and what it owes: it, or the innermost one around it that must invalidate. */
interface OwingCall extends OpenCall {
  owed: Owed | undefined;
}

/**
 * Checks every change of a table against the architecture's rules, for all levels of FEAT_BBM at
 * once.
 * @param levels of FEAT_BBM, as each CPU claims it
 * @returns the commonest first
 * @throws PtdiffError('harness') for a damaged recording
 */
export function checkUpdates(recording: Recording, levels: readonly BbmLevel[]): UpdateSite[] {
  const operations = new RecordedOperations<OwingCall>();
  const names = recording.functions.map(({ name }) => name);
  const owes = names.map((name) => invalidating.has(name) || name === resetting.owes);
  /** By site, or by what owes: an instruction breaks few rules. */
  const found = new Map<number | string, UpdateSite[]>();
  let owing: string | undefined;
  const rules = new UpdateRules(levels, (violation) => {
    const place = owing ?? reader.site;
    const sites = found.get(place) ?? [];
    found.set(place, sites);
    let known = sites.find(
      ({ reason, missing }) => reason === violation.reason && missing === violation.missing,
    );
    if (known === undefined) {
      known = siteOf(recording, violation, reader, operations);
      if (owing !== undefined) Object.assign(known, { site: owing, chain: known.chain.slice(1) });
      sites.push(known);
    }
    count(known, violation);
  });
  const nameOfOwing = ({ call }: Owed) => names[call.listed];
  const settle = (owed: Owed) => {
    owing = nameOfOwing(owed);
    rules.isDue(owed);
    owed.entries.length = 0;
    owing = undefined;
  };
  const insnAt = () => reader.sites[reader.site]?.insn ?? 0;
  const reader: RecordingReader = new RecordingReader(recording.functions, recording.ramBase, {
    enter: (call, args) => {
      const outer = operations.innermost(reader.cpu)?.owed;
      if (outer && names[call.listed] === resetting.before && nameOfOwing(outer) === resetting.owes)
        settle(outer);
      const owed = owes[call.listed] ? { call, entries: [] } : outer;
      operations.enter(reader.cpu, { call, args, owed });
    },
    leave: (call) => {
      const owed = operations.innermost(reader.cpu)?.owed;
      if (owed?.call === call && nameOfOwing(owed) !== resetting.owes) settle(owed);
      operations.leave(reader.cpu);
    },
    switch: (previous, next) => operations.switch(reader.cpu, previous, next),
    mark: () => operations.mark(reader.cpu),
    unmark: () => operations.unmark(reader.cpu),
    table: (table) => rules.linked(table),
    unlink: (table) => rules.unlinked(table, reader.cpu),
    tlbi: (operand) => rules.invalidated(insnAt(), operand, reader.cpu),
    barrier: () => rules.barrier(insnAt(), reader.cpu),
    register: (value) => rules.register(insnAt(), value, reader.cpu),
    store: (table, index, low, high) => {
      const owed = low & 1 ? undefined : operations.innermost(reader.cpu)?.owed;
      rules.stored(table, index, low, high, reader.cpu, owed);
    },
  });
  reader.read(recording.events);
  return [...found.values()].flat().sort((left, right) => right.counts[0] - left.counts[0]);
}

function count(site: UpdateSite, { upTo, claimed }: Violation): void {
  for (let level = 0; level <= upTo; level++) site.counts[level as BbmLevel]++;
  if (claimed <= upTo) site.claimed++;
}

function siteOf(
  recording: Recording,
  { reason, missing, page, level, oldLow, oldHigh, low, high }: Violation,
  { site, cpu, time }: RecordingReader,
  operations: RecordedOperations<OwingCall>,
): UpdateSite {
  const chain = operations.chain(cpu).map(({ call }) => nameOf(recording, call));
  const va = BigInt.asUintN(64, BigInt(page) * 4096n);
  return {
    site: recording.sites[site] ?? '?',
    chain,
    reason,
    missing,
    counts: [0, 0, 0, 0],
    claimed: 0,
    example: { va, level, old: join(oldLow, oldHigh), new: join(low, high), cpu, time },
  };
}
