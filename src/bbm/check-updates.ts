// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from '../evidence/capture.ts';
import { nameOf } from '../evidence/recorded-names.ts';
import { RecordedOperations } from '../evidence/recorded-operations.ts';
import { RecordingReader } from '../evidence/recording-reader.ts';
import { join } from '../vmsa/descriptor-layout.ts';
import type { BbmLevel, Reason } from './needs-break.ts';
import type { Missing } from './tables.ts';
import { UpdateRules, type Violation } from './update-rules.ts';

/** A way in which one instruction changes entries that the architecture does not allow. */
export interface UpdateSite {
  /** The instruction, as function+offset. */
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
 * once.
 * @param levels of FEAT_BBM, as each CPU claims it
 * @returns the commonest first
 * @throws PtdiffError('harness') for a damaged recording
 */
export function checkUpdates(recording: Recording, levels: readonly BbmLevel[]): UpdateSite[] {
  const operations = new RecordedOperations();
  /** By site: an instruction breaks few rules. */
  const found = new Map<number, UpdateSite[]>();
  const rules = new UpdateRules(levels, (violation) => {
    const sites = found.get(reader.site) ?? [];
    found.set(reader.site, sites);
    let known = sites.find(
      ({ reason, missing }) => reason === violation.reason && missing === violation.missing,
    );
    if (known === undefined) {
      known = siteOf(recording, violation, reader, operations);
      sites.push(known);
    }
    count(known, violation);
  });
  const insnAt = () => reader.sites[reader.site]?.insn ?? 0;
  const reader: RecordingReader = new RecordingReader(recording.functions, recording.ramBase, {
    enter: (call, args) => operations.enter(reader.cpu, { call, args }),
    leave: () => operations.leave(reader.cpu),
    switch: (previous, next) => operations.switch(reader.cpu, previous, next),
    mark: () => operations.mark(reader.cpu),
    unmark: () => operations.unmark(reader.cpu),
    table: (table) => rules.linked(table),
    unlink: (table) => rules.unlinked(table, reader.cpu),
    tlbi: (operand) => rules.invalidated(insnAt(), operand, reader.cpu),
    barrier: () => rules.barrier(insnAt(), reader.cpu),
    register: (value) => rules.register(insnAt(), value, reader.cpu),
    store: (table, index, low, high) => rules.stored(table, index, low, high, reader.cpu),
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
  operations: RecordedOperations,
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
