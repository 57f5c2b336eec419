// SPDX-License-Identifier: GPL-2.0-only
import type { Conclusion, Sign, Stage, Task, Trial, Witness } from '../bisect/types.ts';
import { countText } from '../diff/text.ts';
import { column, fit, hang, plainLine } from './plain-text.ts';
import { formatSeconds } from './units.ts';

const width = 100;

/** What a bisection's text says about a candidate. */
export interface CandidateText {
  name: string;
  about: string[];
  /** The command that boots the case again. */
  command: string;
}

/** A finished bisection as text for a reader. */
export interface BisectionText {
  task: Task;
  sign: Sign;
  conclusion: Conclusion;
  trials: readonly (Trial & { seconds: number })[];
  /** Candidates that could be the first on the new side, at the start. */
  suspects: number;
  candidates: ReadonlyMap<string, CandidateText>;
}

/** What is looked for, as a noun. */
export function describeSign(sign: Sign): string {
  if ('finding' in sign) return `the finding ${plainLine(sign.finding)}`;
  return sign.verdict === 'fail' ? 'the verdict fail' : 'a boot that does not complete';
}

/**
 * Maximum number of boots for a search among so many suspects, if every one of them can be tested.
 */
export function searchBound(suspects: number): number {
  return Math.ceil(Math.log2(Math.max(1, suspects)));
}

/** A progress line: the outcome of a boot, and what remains. */
export function trialLine(
  number: number,
  trial: Trial,
  name: string,
  left: number | undefined,
): string {
  const rest =
    left === undefined ? trial.stage : `${trial.stage}; ${countText(left, 'suspect')} left`;
  const start = `${column(String(number), 3, 'right')}  ${column(trial.outcome, 11)}  `;
  const end = `  ${rest}`;
  return start + column(plainLine(name), Math.max(20, width - start.length - end.length)) + end;
}

function witnessLine(
  { candidate, expected, tally, holds }: Witness,
  names: BisectionText['candidates'],
): string[] {
  const { present, absent, unavailable, unusable, reason } = tally;
  const boots = present + absent;
  const name = names.get(candidate)?.name ?? candidate;
  const seen = `${expected} in ${expected === 'present' ? present : absent} of ${countText(boots, 'boot')}`;
  const trouble =
    unavailable || unusable > 0 ? ` (${plainLine(reason ?? 'could not be tested')})` : '';
  return hang(
    '  ',
    `${plainLine(name)}: ${seen}${trouble}${holds ? '' : '; this proves nothing'}`,
    width,
  );
}

function countBoots(trials: readonly Trial[], stage: Stage): number {
  return trials.filter((trial) => trial.stage === stage && trial.outcome !== 'unavailable').length;
}

/** How many boots it took, compared with what halving needs. */
function bootLine({ trials, suspects }: BisectionText): string[] {
  const [ends, search, proof] = [
    countBoots(trials, 'ends'),
    countBoots(trials, 'search'),
    countBoots(trials, 'proof'),
  ];
  const skipped = new Set(
    trials
      .filter(({ outcome }) => outcome === 'unusable' || outcome === 'unavailable')
      .map(({ candidate }) => candidate),
  ).size;
  const seconds = trials.reduce((sum, each) => sum + each.seconds, 0);
  const bound = `halving ${countText(suspects, 'suspect')} takes ${searchBound(suspects)} at most`;
  const left = skipped > 0 ? `, ${skipped} skipped` : '';
  return hang(
    'Boots: ',
    `${ends + search + proof}: ${ends} of the ends, ${search} to search (${bound}${left}), ${proof} to prove; ${formatSeconds(seconds)}.`,
    width,
  );
}

function rateLine({ trials, conclusion }: BisectionText): string[] {
  if (conclusion.kind !== 'found') return [];
  if (conclusion.confidence === undefined)
    return hang('Confidence: ', 'none, as the proof is not whole.', width);
  const showing = new Set(
    trials.filter(({ outcome }) => outcome === 'present').map(({ candidate }) => candidate),
  );
  const boots = trials.filter(
    ({ candidate, outcome }) =>
      showing.has(candidate) && (outcome === 'present' || outcome === 'absent'),
  );
  const shown = boots.filter(({ outcome }) => outcome === 'present').length;
  // Never rounded up: testing cannot give 100 %.
  const percent = (Math.floor(conclusion.confidence * 1000) / 10).toFixed(1);
  const why = `kernels that have it showed it in ${shown} of ${countText(boots.length, 'boot')}`;
  return hang('Confidence: ', `${percent} % that those without it are free of it: ${why}.`, width);
}

function reasonLines({ trials, candidates }: BisectionText): string[] {
  const skipped = trials.filter(
    ({ outcome }) => outcome === 'unusable' || outcome === 'unavailable',
  );
  const reasons = new Map(
    skipped.map(({ candidate, reason }) => [candidate, reason ?? 'no reason given']),
  );
  return [...reasons].flatMap(([candidate, reason]) =>
    hang(
      'Skipped: ',
      `${plainLine(candidates.get(candidate)?.name ?? candidate)}: ${plainLine(reason)}`,
      width,
    ),
  );
}

function commandLines(names: string[], candidates: BisectionText['candidates']): string[] {
  // A command is not broken: it is meant to be copied.
  return names
    .flatMap((name) => candidates.get(name)?.command ?? [])
    .map((command) => `  ${plainLine(command)}`);
}

function answerLines(text: BisectionText): string[] {
  const { conclusion, task, sign, candidates } = text;
  const turn = task.signSide === 'new' ? 'with' : 'without';
  if (conclusion.kind === 'wrong-end') return [];
  if (conclusion.kind === 'unclear') {
    const names = conclusion.candidates.map(
      (candidate) => `  ${plainLine(candidates.get(candidate)?.name ?? candidate)}`,
    );
    return [
      `The first ${turn} ${describeSign(sign)} is one of these; those before the last could not be tested:`,
      ...names,
    ];
  }
  const { name = conclusion.candidate, about = [] } = candidates.get(conclusion.candidate) ?? {};
  return [
    ...hang('', `The first ${turn} ${describeSign(sign)} is`, width),
    `  ${fit(plainLine(name), width - 2)}`,
    ...about.map((line) => `  ${fit(plainLine(line), width - 2)}`),
    conclusion.proven ? 'Proof:' : 'Not proven:',
    ...conclusion.witnesses.flatMap((witness) => witnessLine(witness, candidates)),
    'See it:',
    ...commandLines([...conclusion.witnesses.map(({ candidate }) => candidate)], candidates),
  ];
}

/**
 * The end of a bisection for a terminal, at most 100 columns wide except for commands. Ends with a
 * newline.
 */
export function formatBisection(text: BisectionText): string {
  return `${[...answerLines(text), ...reasonLines(text), ...rateLine(text), ...bootLine(text)].join('\n')}\n`;
}
