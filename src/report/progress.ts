// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import type { CaseResult, Verdict } from '../diff/types.ts';
import { depthOf } from '../scenario/depth.ts';
import { painter } from './colour.ts';
import { fit, plainLine } from './plain-text.ts';
import { formatSeconds } from './units.ts';
import { countVerdicts, verdictOrder, verdictStyles } from './verdicts.ts';

/** The cases of a run, and how many of them had been run before; open: more are to come. */
interface Extent {
  total: number;
  done: number;
  open?: boolean;
}

/** What happened in a run; `at` is in milliseconds of any steady clock. */
export type ProgressEvent =
  | ({ kind: 'run-started'; at: number; jobs: number } & Extent)
  | ({ kind: 'run-planned'; at: number } & Extent)
  | { kind: 'case-started'; at: number; case: string }
  | { kind: 'case-ended'; at: number; result: CaseResult }
  /** Whole lines for the user. */
  | { kind: 'said'; at: number; text: string }
  | { kind: 'tick'; at: number }
  | { kind: 'run-ended'; at: number };

/** The stream that progress is shown on. */
interface ProgressScreen {
  /**
   * A terminal: one line is rewritten in place. Otherwise: one plain line for each case that ends.
   */
  live: boolean;
  columns: number;
  colour: boolean;
}

interface State {
  total: number;
  done: number;
  open: boolean;
  jobs: number;
  startedAt: number;
  running: Map<string, number>;
  ended: { verdict: Verdict; seconds: number }[];
}

/**
 * Estimated seconds until the run ends: the remaining work at the mean cost of the finished cases,
 * divided among the jobs, minus what the running cases have already used; undefined before the
 * first case ends.
 */
export function estimateRemaining(state: {
  remaining: number;
  jobs: number;
  seconds: readonly number[];
  runningFor: readonly number[];
}): number | undefined {
  const { remaining, jobs, seconds, runningFor } = state;
  if (seconds.length === 0) return undefined;
  const mean = seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
  const spent = runningFor.reduce((sum, value) => sum + Math.min(value, mean), 0);
  return Math.max(0, (remaining * mean - spent) / Math.max(1, Math.min(jobs, remaining)));
}

function remainingOf(state: State, at: number): number | undefined {
  if (state.open) return undefined;
  return estimateRemaining({
    remaining: state.total - state.done,
    jobs: state.jobs,
    seconds: state.ended.map(({ seconds }) => seconds),
    runningFor: [...state.running.values()].map((startedAt) => (at - startedAt) / 1000),
  });
}

function statusLine(state: State, at: number, screen: ProgressScreen): string {
  const counts = countVerdicts(state.ended);
  const verdicts = verdictOrder
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${verdict}`);
  const remaining = remainingOf(state, at);
  const running = [...state.running.keys()].map((name) => plainLine(name)).join(', ');
  const parts = [
    `${state.done}/${state.total}${state.open ? '+' : ''} cases`,
    ...verdicts,
    remaining === undefined
      ? `${formatSeconds((at - state.startedAt) / 1000)} so far`
      : `about ${formatSeconds(remaining)} left`,
    ...(running === '' ? [] : [`running ${running}`]),
  ];
  // One column less than the terminal has: a terminal that wrapped the line would leave a copy of
  // it behind.
  return fit(parts.join(' · '), Math.max(1, screen.columns - 1));
}

function caseLine(state: State, result: CaseResult, screen: ProgressScreen): string {
  const paint = painter(screen);
  const { letter, sgr } = verdictStyles[result.verdict];
  const findings =
    result.findings.length > 0 ? `  ${countText(result.findings.length, 'finding')}` : '';
  const early = depthOf(result) === 'early' ? ' (early)' : '';
  const reason = result.reason === undefined ? '' : `  ${plainLine(result.reason)}`;
  const width = String(state.total).length;
  const head = `[${String(state.done).padStart(width)}/${state.total}] `;
  const verdict = `${letter} ${result.verdict.padEnd(5)}`;
  const tail = `  ${plainLine(result.case)}${early}  ${formatSeconds(result.seconds)}${findings}${reason}`;
  const room = screen.live
    ? screen.columns - head.length - verdict.length - 1
    : Number.POSITIVE_INFINITY;
  return `${head}${paint(sgr, verdict)}${fit(tail, room)}`;
}

function change(state: State, event: ProgressEvent): void {
  if (event.kind === 'run-started' || event.kind === 'run-planned') {
    state.total = event.total;
    state.done = event.done + state.ended.length;
    state.open = event.open === true;
  }
  if (event.kind === 'run-started') {
    state.jobs = event.jobs;
    state.startedAt = event.at;
  } else if (event.kind === 'case-started') {
    state.running.set(event.case, event.at);
  } else if (event.kind === 'case-ended') {
    state.running.delete(event.result.case);
    state.done++;
    state.ended.push({ verdict: event.result.verdict, seconds: event.result.seconds });
  }
}

const eraseLine = '\r\u001b[K';

/**
 * Progress of a run as text for stderr. Pass it every event; it returns the text to write. On a
 * terminal it rewrites one status line in place, with a line above it for every case that did not
 * simply pass; elsewhere each case that ends gets a line. Cases from an earlier run of the same
 * folder (`done`) count as done, but not for the time estimate.
 */
export function createProgress(screen: ProgressScreen): (event: ProgressEvent) => string {
  const state: State = {
    total: 0,
    done: 0,
    open: false,
    jobs: 1,
    startedAt: 0,
    running: new Map(),
    ended: [],
  };
  return (event) => {
    change(state, event);
    const permanent =
      event.kind === 'case-ended' && (!screen.live || event.result.verdict !== 'pass')
        ? `${caseLine(state, event.result, screen)}\n`
        : '';
    if (!screen.live) return event.kind === 'said' ? event.text : permanent;
    if (event.kind === 'run-ended') return eraseLine;
    const above = event.kind === 'said' ? event.text : permanent;
    return `${eraseLine}${above}${statusLine(state, event.at, screen)}`;
  };
}
