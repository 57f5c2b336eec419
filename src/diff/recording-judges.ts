// SPDX-License-Identifier: GPL-2.0-only
import { UpdateCheck } from '../bbm/check-updates.ts';
import type { BbmLevel } from '../bbm/needs-break.ts';
import type { Recording } from '../evidence/capture.ts';
import { followRecording } from '../evidence/follow-recording.ts';
import type { BootState } from '../model/boot-state.ts';
import { type BootContext, checkpointContext } from './context.ts';
import { InstantRules } from './instants/index.ts';
import type { JudgeInput } from './judge.ts';
import { RefinementCheck } from './refinement/check.ts';
import { refinementFindings } from './refinement/findings.ts';

/** What a recording adds to what a case is judged by. */
type Judged = Pick<JudgeInput, 'updates' | 'instants' | 'refined'>;

/**
 * All that judges a recording: the rules of updates, those of every instant, and the model. Its
 * events are read once for all of them; and again for the model alone, where something else is
 * assumed of the kernel.
 */
export class RecordingJudges {
  readonly #boot: BootContext;
  readonly #recording: Recording;
  readonly #levels: readonly BbmLevel[];
  /** What does not depend on the model. */
  #always: Required<Pick<Judged, 'updates' | 'instants'>> | undefined;

  /**
   * @param boot whose facts say what addresses mean
   * @param levels of FEAT_BBM that the CPUs are judged by: bbmLevels()
   */
  constructor(boot: BootContext, recording: Recording, levels: readonly BbmLevel[]) {
    this.#boot = boot;
    this.#recording = recording;
    this.#levels = levels;
  }

  /**
   * @param boot as it is with what is assumed of the kernel
   * @param state what the kernel's functions read when they are called, where the model knows that
   * @throws PtdiffError('harness') for a damaged recording
   */
  judge(boot: BootContext, state: BootState | undefined): Judged {
    const model = state && this.#modelOf(boot, state);
    if (this.#always === undefined) this.#always = this.#follow(model);
    else if (model) followRecording(this.#recording, model);
    const deviations = model?.refinement.deviations ?? [];
    return { ...this.#always, refined: refinementFindings(this.#recording, deviations) };
  }

  #follow(model: RefinementCheck | undefined): Required<Pick<Judged, 'updates' | 'instants'>> {
    const recording = this.#recording;
    const { captures } = this.#boot.evidence;
    const levels = this.#levels;
    const updates = new UpdateCheck(recording, levels);
    // Without a checkpoint nothing says what addresses mean.
    const instants = captures.length === 0 ? undefined : new InstantRules(this.#boot, recording);
    followRecording(recording, updates, ...(instants ? [instants] : []), ...(model ? [model] : []));
    return { updates: { sites: updates.sites, levels }, instants: instants?.findings ?? [] };
  }

  #modelOf(boot: BootContext, state: BootState): RefinementCheck | undefined {
    const [capture] = boot.evidence.captures;
    if (capture === undefined) return undefined;
    const { regime, image, aliasBit } = checkpointContext(boot, capture);
    return new RefinementCheck(this.#recording, { state, regime, image, aliasBit });
  }
}
