// SPDX-License-Identifier: GPL-2.0-only

import type { Capture, Evidence, GuestFiles, RsiCall } from '../evidence/capture.ts';
import { isBefore } from '../evidence/capture.ts';
import { overlap } from '../linux/physical-range.ts';
import { parseVmallocinfo } from '../linux/vmallocinfo.ts';
import type { PredictedRsiCall } from '../model/types.ts';
import { firstLines } from './compare-state.ts';
import { findingId } from './finding-id.ts';
import { callText, expectedText, isRequested, remainder, resemblance } from './rsi-calls.ts';
import { detailOf, hex } from './text.ts';
import type { Finding } from './types.ts';

/** The parts of a boot that the comparison needs. */
export type RsiEvidence = Pick<Evidence, 'rsi' | 'sharing' | 'files'> & {
  captures: readonly Pick<Capture, 'checkpoint' | 'cpus'>[];
};

/** A call with its number in the record. */
type Numbered = readonly [number: number, call: RsiCall];

/** Calls that match no prediction yet, by their numbers. */
type Unused = Map<number, RsiCall>;

/** A predicted call with the first and the last call that match it. */
interface Matched {
  predicted: PredictedRsiCall;
  first: Numbered;
  last: Numbered;
}

/** Lines of one kind, which become one finding. */
type Report = (
  step: PredictedRsiCall['step'] | 'device' | 'other',
  nature: keyof typeof titles,
  line: string,
) => void;

const titles = {
  missing: 'a call to the RMM that this kernel must make is missing',
  short: 'a range was not asked for to its end',
  order: 'calls to the RMM come in another order than predicted',
  range: 'the RMM is asked for another range than predicted',
  state: 'the RMM is asked for another state than predicted',
  flags: 'the RMM is asked with other flags than predicted',
  argument: 'a call to the RMM has another argument than predicted',
  extra: 'a call to the RMM that is not predicted',
  refused: 'the RMM refused a call',
};

/**
 * Compares a realm's calls to the RMM, according to the monitor's record, with the calls that it
 * must make. Requests of several CPUs may overtake each other: order counts only within
 * arm64_rsi_init(), and for requests about the same memory. A boot that ended early is not blamed
 * for calls it had not reached; a record with gaps proves nothing (missingCalls()).
 * @param pageSize of the kernel, in bytes
 */
export function compareRsi(
  predicted: readonly PredictedRsiCall[] | undefined,
  evidence: RsiEvidence,
  pageSize: number,
): Finding[] {
  const { rsi } = evidence;
  if (predicted === undefined || rsi === undefined || rsi.lost > 0) return [];
  const lines = new Map<string, { title: string; found: string[] }>();
  const report: Report = (step, nature, line) => {
    const id = findingId('mismatch', ['rsi', step, nature]);
    lines.set(id, { title: titles[nature], found: [...(lines.get(id)?.found ?? []), `  ${line}`] });
  };
  compareRequests(predicted, evidence, rsi.calls, report);
  compareDevices(evidence.files, pageSize, rsi.calls, report);
  return [...lines].map(([id, { title, found }]) => {
    return { id, kind: 'mismatch', title, detail: detailOf([`${title}:`, ...firstLines(found)]) };
  });
}

/** Why the calls of a realm cannot be compared, in one sentence; undefined where they can. */
export function missingCalls(
  predicted: readonly PredictedRsiCall[] | undefined,
  { rsi }: Pick<Evidence, 'rsi'>,
): string | undefined {
  if (predicted === undefined || predicted.length === 0) return undefined;
  if (rsi === undefined)
    return 'The kernel is a realm, but its calls to the RMM were not recorded.';
  return rsi.lost === 0
    ? undefined
    : `The realm monitor lost ${rsi.lost} calls before they were read, so what the kernel asked was not compared.`;
}

/** Everything except calls about devices, which are compared with what was mapped. */
function compareRequests(
  predicted: readonly PredictedRsiCall[],
  evidence: RsiEvidence,
  calls: readonly RsiCall[],
  report: Report,
): void {
  const unused: Unused = new Map(calls.entries().filter(([, { rsi }]) => rsi !== 'IPA_STATE_GET'));
  const matched: Matched[] = [];
  const unmatched: PredictedRsiCall[] = [];
  for (const each of predicted) {
    const first = unused.entries().find(([, call]) => isRequested(each, call));
    if (first === undefined) unmatched.push(each);
    else matched.push({ predicted: each, first, last: follow(each, first, unused, report) });
  }
  const owed = unmatched.filter((each) => isOwed(each, predicted, evidence));
  for (const each of unmatched) {
    const found = nearest(each, unused);
    if (found !== undefined) {
      unused.delete(found.number);
      report(
        each.step,
        found.nature,
        `${callText(found.call)} instead of ${expectedText(each)}, by ${sourceOf(each)}`,
      );
    } else if (owed.includes(each))
      report(each.step, 'missing', `${expectedText(each)}, by ${sourceOf(each)}`);
  }
  for (const call of unused.values()) {
    // Without a record of the requests, any call may have been requested.
    if (call.rsi === 'IPA_STATE_SET' && evidence.sharing === undefined) continue;
    report('other', 'extra', `${callText(call)}, answered with ${hex(call.results[0])}`);
  }
  compareOrder(matched, report);
}

const sourceOf = ({ where, source }: PredictedRsiCall): string => `${where} (${source})`;

/**
 * Takes the further calls of a change of state that the RMM did in parts (rsi_set_memory_range());
 * returns the last one.
 */
function follow(each: PredictedRsiCall, first: Numbered, unused: Unused, report: Report): Numbered {
  unused.delete(first[0]);
  for (let last = first; ; ) {
    const rest = remainder(each, last[1]);
    if (rest === undefined) return last;
    const next = unused
      .entries()
      .find(([number, call]) => number > last[0] && isRequested(rest, call));
    if (next === undefined) {
      report(
        each.step,
        'short',
        `${expectedText(rest)} was left of ${expectedText(each)}, by ${sourceOf(each)}`,
      );
      return last;
    }
    unused.delete(next[0]);
    last = next;
  }
}

/** The call that is closest to one that was not made as predicted, and how it differs. */
function nearest(
  each: PredictedRsiCall,
  unused: Unused,
):
  | { number: number; call: RsiCall; nature: NonNullable<ReturnType<typeof resemblance>> }
  | undefined {
  for (const [number, call] of unused) {
    const nature = resemblance(each, call);
    if (nature !== undefined) return { number, call, nature };
  }
  return undefined;
}

/**
 * Whether a kernel should have made a call that is missing: it reached the checkpoint after it. At
 * the last checkpoint, any CPU that did not reach it itself may still be between its request to
 * share and the call.
 */
function isOwed(
  each: PredictedRsiCall,
  predicted: readonly PredictedRsiCall[],
  { captures }: RsiEvidence,
): boolean {
  const reached = captures.at(-1);
  if (reached === undefined || isBefore(reached.checkpoint, each.before)) return false;
  const others = reached.cpus.filter(({ online }) => online).length - 1;
  const inFlight =
    others === 0
      ? []
      : predicted.slice(-others).filter(({ before }) => before === reached.checkpoint);
  return !inFlight.includes(each);
}

/**
 * Calls of arm64_rsi_init() come first, in order; changes of the same memory come in the order of
 * the requests.
 */
function compareOrder(matched: readonly Matched[], report: Report): void {
  for (const [number, later] of matched.entries()) {
    const overtaken = matched
      .slice(0, number)
      .find(
        (earlier) =>
          mustPrecede(earlier.predicted, later.predicted) && earlier.last[0] > later.first[0],
      );
    if (overtaken) {
      const [early, late] = [later.first[1], overtaken.last[1]];
      report(later.predicted.step, 'order', `${callText(early)} comes before ${callText(late)}`);
    }
  }
}

function mustPrecede(earlier: PredictedRsiCall, later: PredictedRsiCall): boolean {
  if (
    earlier.rsi !== 'IPA_STATE_SET' ||
    later.rsi !== 'IPA_STATE_SET' ||
    earlier.step === 'setup-memory'
  )
    return true;
  return overlap(earlier, later);
}

/**
 * realm_ioremap_hook() (arch/arm64/kernel/rsi.c) asks the RMM for the state of a device before the
 * device is mapped: everything that /proc/vmallocinfo shows as mapped by ioremap() must have been
 * asked for, in granules of 4 KiB, while the kernel maps pages of its own size.
 */
function compareDevices(
  files: GuestFiles,
  pageSize: number,
  calls: readonly RsiCall[],
  report: Report,
): void {
  const asked = calls.filter(({ rsi }) => rsi === 'IPA_STATE_GET');
  for (const call of asked.filter(({ results }) => results[0] !== 0n))
    report('device', 'refused', callText(call));
  const page = BigInt(pageSize);
  for (const { start, end, phys, flags } of parseVmallocinfo(files['/proc/vmallocinfo'] ?? '')) {
    if (phys === undefined || !flags.includes('ioremap')) continue;
    // The area ends with a guard page.
    const beyond = phys + (end - start) - page;
    const isAsked = asked.some(({ arguments: [base, top] }) => {
      return base - (base % page) === phys && top > beyond - page && top <= beyond;
    });
    if (!isAsked)
      report(
        'device',
        'missing',
        `RSI_IPA_STATE_GET(${hex(phys)} to ${hex(beyond)}), which is mapped`,
      );
  }
}
