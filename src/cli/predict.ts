// SPDX-License-Identifier: GPL-2.0-only
import { recallFacts } from '../../harness/laboratory/facts-cache.ts';
import { chooseEmulator } from '../../harness/laboratory/laboratory.ts';
import { loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { scenariosNamed } from '../../harness/laboratory/plan.ts';
import { questionOf } from '../../harness/laboratory/question.ts';
import { say } from '../../host/say.ts';
import { withPatches } from '../../images/kernel-spec.ts';
import { PtdiffError } from '../errors.ts';
import type { CheckpointName } from '../evidence/capture.ts';
import { lifeOfLeaf } from '../model/leaf-life.ts';
import { predict } from '../model/predict.ts';
import type { Prediction } from '../model/types.ts';
import { first } from '../present.ts';
import { paintOptions } from '../report/colour.ts';
import { runCommand } from '../report/export/mail-layout.ts';
import { formatPredictedMaps } from '../report/terminal-map.ts';
import { formatLeafLife, formatPrediction, type Subject } from '../report/terminal-prediction.ts';
import { stableJson } from '../stable-json.ts';
import { addressOf, collect, patchHelp, type Verb } from './verb.ts';

/** Options of `ptdiff predict` as parsed. */
interface PredictOptions {
  kernel: string;
  patch?: string[];
  scenario: string;
  qemu?: string;
  json?: boolean;
  at?: bigint;
  map?: boolean;
  checkpoint?: CheckpointName;
}

/**
 * `ptdiff predict`: the model's answer for one kernel and scenario, from the facts of an earlier
 * boot.
 */
async function predictCommand(options: PredictOptions, signal: AbortSignal): Promise<number> {
  const spec = first(withPatches([options.kernel], options.patch ?? []));
  const kernel = await loadKernel(spec, { progress: say, signal });
  const { image, traits } = kernel;
  const [scenario, ...others] = await scenariosNamed(options.scenario);
  if (!scenario || others.length > 0)
    throw new PtdiffError('usage', 'predict answers for one scenario; name one.');
  const emulator = await chooseEmulator(options.qemu);
  const facts = await recallFacts({
    kernelSha256: image.sha256,
    emulatorSha256: emulator.sha256,
    scenario,
  });
  if (!facts) {
    throw new PtdiffError(
      'usage',
      `It is not known at which addresses this kernel is loaded; boot it once: ${runCommand(spec, options.scenario)}`,
    );
  }
  const question = questionOf(kernel, scenario, facts);
  const subject = {
    kernel: image.release,
    scenario: scenario.name,
    granule: traits.geometry.granule,
  };
  const paint = paintOptions(process.stdout, process.env);
  const { at: va, json } = options;
  if (va === undefined) {
    const prediction = predict(question);
    process.stdout.write(
      json ? `${stableJson(prediction, 1)}\n` : predictionText(prediction, subject, options),
    );
  } else {
    const life = lifeOfLeaf(question, va);
    process.stdout.write(
      json ? `${stableJson(life, 1)}\n` : formatLeafLife(life, { ...subject, va }, paint),
    );
  }
  return 0;
}

function predictionText(
  prediction: Prediction,
  subject: Subject,
  { map, checkpoint }: PredictOptions,
): string {
  const paint = paintOptions(process.stdout, process.env);
  if (!map && checkpoint === undefined) return formatPrediction(prediction, subject, paint);
  const known = Object.keys(prediction.checkpoints);
  if (checkpoint !== undefined && !known.includes(checkpoint))
    throw new PtdiffError(
      'usage',
      `Nothing is predicted for a checkpoint '${checkpoint}', only for ${known.join(', ')}.`,
    );
  return formatPredictedMaps(prediction, { ...paint, ...(checkpoint && { checkpoint }) });
}

export const addPredict: Verb = (command, { signal, finish }) => {
  command
    .requiredOption('--kernel <spec>', 'as for run')
    .option('--patch <file>', patchHelp, collect)
    .requiredOption('--scenario <name|file>', 'as for run')
    .option('--qemu <path>', 'as for run')
    .option(
      '--at <address>',
      'the rules that made the leaf of one address, step by step',
      addressOf,
    )
    .option('--map', 'its linear map in the style of ptdump')
    .option('--checkpoint <name>', 'that map at this checkpoint only')
    .option('--json', 'print the prediction as JSON')
    .action(async (options) => finish(await predictCommand(options, signal)));
};
