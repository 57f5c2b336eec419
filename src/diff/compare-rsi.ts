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

/** What the comparison needs of a boot. */
export type RsiEvidence = Pick<Evidence, 'rsi' | 'sharing' | 'files'> & {
  captures: readonly Pick<Capture, 'checkpoint' | 'cpus'>[];
};

/** A call with its number in the record. */
type Numbered = readonly [number: number, call: RsiCall];

/** Calls that no predicted one has taken, by their numbers. */
type Unused = Map<number, RsiCall>;

/** What a predicted call became: the first and the last call that it took. */
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
 * Compares what a realm asked of the RMM with what it must ask, by the monitor's record of all its
 * calls. Requests of several CPUs may overtake each other: the order counts where one is part of
 * arm64_rsi_init(), or where they are about the same memory. A boot that ended early is not blamed
 * for what it had not come to; a record with gaps says nothing at all (missingCalls()).
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

/** In one sentence, why the calls of a realm cannot be compared; undefined where they can. */
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

/** Everything but questions about devices, which are compared with what was mapped. */
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
    // Whatever is not known to have been asked may have been.
    if (call.rsi === 'IPA_STATE_SET' && evidence.sharing === undefined) continue;
    report('other', 'extra', `${callText(call)}, answered with ${hex(call.results[0])}`);
  }
  compareOrder(matched, report);
}

const sourceOf = ({ where, source }: PredictedRsiCall): string => `${where} (${source})`;

/**
 * Takes the calls that a change of state goes on with, where the RMM did only a part of it
 * (rsi_set_memory_range()); the last one.
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

/** The call that comes closest to one that was not made as predicted, and in what it differs. */
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
 * Whether a kernel that has not made a call should have: it came to the checkpoint after it. At the
 * last checkpoint, each CPU that did not reach it itself may still be between its request to share
 * and the call.
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
 * Calls of arm64_rsi_init() come first, in their order; changes of the same memory come in the
 * order of the requests.
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
 * realm_ioremap_hook() (arch/arm64/kernel/rsi.c) asks for the state of a device before it is
 * mapped: what /proc/vmallocinfo shows as mapped by ioremap() was asked for, in granules of 4 KiB
 * where the kernel maps pages of its own size.
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
    // The area ends with a page that guards it.
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
