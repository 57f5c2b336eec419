// SPDX-License-Identifier: GPL-2.0-only
import { bbmLevels } from '../../src/diff/bbm-levels.ts';
import { type BestFit, fitAssumptions, isNoAnswer } from '../../src/diff/fit-assumptions.ts';
import { judge } from '../../src/diff/judge.ts';
import type { KnownIssue } from '../../src/diff/match-known.ts';
import { onlyWhatIsKnown } from '../../src/diff/not-known.ts';
import { RecordingJudges } from '../../src/diff/recording-judges.ts';
import type { BootFacts } from '../../src/evidence/boot-facts.ts';
import { type Evidence, liveCapture } from '../../src/evidence/capture.ts';
import { bootFactsOf } from '../../src/evidence/read-boot-facts.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { predict, predictNothing, stateInOperation } from '../../src/model/predict.ts';
import type { Depth } from '../../src/scenario/depth.ts';
import { hiddenRegisters } from '../../src/scenario/id-overrides.ts';
import { exerciseWord, type Scenario } from '../../src/scenario/types.ts';
import { type BoardHistory, historyOf } from './boards/board-history.ts';
import { bootContextOf } from './boot-context.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import { questionOf } from './question.ts';

/** The conclusions from one boot. */
export interface JudgedCase extends Pick<BestFit, 'prediction' | 'judgement' | 'notes'> {
  facts: BootFacts;
  /** Of a board whose linear map is predicted: what it must have split while it ran. */
  history?: BoardHistory;
}

/** A recorded boot goes on until init has exercised its tables, if it was asked to. */
function hasExercised({ recording, files }: Evidence): boolean {
  return recording !== undefined && files['/proc/cmdline']?.includes(exerciseWord) === true;
}

/** A sentence about something that is not known about a kernel. */
const notKnown = (what: string): string => `Not known of this kernel: ${what}.`;

/**
 * Predicts an observed boot, and judges it. For what the kernel does not show, all hypotheses are
 * tried; where the model has no answer at all, only the invariants are checked.
 * @param depth how far the case was booted
 */
export function judgeCase(
  kernel: LoadedKernel,
  scenario: Scenario,
  evidence: Evidence,
  knownIssues: KnownIssue[],
  depth: Depth = 'full',
): JudgedCase {
  const { symbols, assumptions } = kernel;
  const live = liveCapture(evidence) !== undefined;
  // A board shows what an emulator hides.
  const hidden = live ? [] : hiddenRegisters(scenario.machine);
  const factsByTraits = new Map<KernelTraits, BootFacts>();
  const factsFor = (traits: KernelTraits): BootFacts => {
    const facts = factsByTraits.get(traits) ?? bootFactsOf({ evidence, traits, symbols, hidden });
    factsByTraits.set(traits, facts);
    return facts;
  };
  const histories = new Map<KernelTraits, BoardHistory>();
  const exercised = hasExercised(evidence);
  const said = new Set(kernel.notKnown);
  const recorded =
    evidence.recording &&
    new RecordingJudges(
      bootContextOf(kernel, scenario, { evidence, facts: factsFor(kernel.traits) }),
      evidence.recording,
      bbmLevels(factsFor(kernel.traits).idRegisters),
    );
  const attempt =
    (answer: typeof predict) =>
    (traits: KernelTraits): Pick<BestFit, 'prediction' | 'judgement'> => {
      const candidate = { ...kernel, traits };
      const facts = factsFor(traits);
      const question = {
        ...questionOf(candidate, scenario, facts, depth, exercised),
        ...(live && { live }),
      };
      const known = onlyWhatIsKnown(answer(question), evidence, { symbols, traits });
      for (const each of known.notKnown) said.add(each);
      const history = live ? historyOf(question, known.prediction, evidence) : undefined;
      const prediction = history?.prediction ?? known.prediction;
      if (history) histories.set(traits, history);
      const boot = bootContextOf(candidate, scenario, { evidence, facts });
      const { release } = kernel.image;
      const kernelState =
        answer === predict ? stateInOperation(question, prediction.decisions) : undefined;
      const judgement = judge({
        ...{ prediction, boot, release, scenario, knownIssues },
        ...recorded?.judge(boot, kernelState),
      });
      return { prediction, judgement };
    };
  const fit = (answer: typeof predict, tried: LoadedKernel['assumptions']): BestFit =>
    fitAssumptions({ traits: kernel.traits, assumptions: tried, evidence }, attempt(answer));
  let best: BestFit;
  try {
    best = fit(predict, assumptions);
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    said.add(`what its linear map must be: ${error.message.replace(/\.$/, '')}`);
    best = fit(predictNothing, []);
  }
  const { traits, prediction, judgement, notes } = best;
  const history = histories.get(traits);
  return {
    ...(history && { history }),
    facts: factsFor(traits),
    prediction,
    judgement,
    notes: [...[...said].map(notKnown), ...notes],
  };
}
