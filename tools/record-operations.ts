// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bootContextOf } from '../harness/laboratory/boot-context.ts';
import { loadKernel } from '../harness/laboratory/loaded-kernel.ts';
import { questionOf, symbolOffset } from '../harness/laboratory/question.ts';
import { readEvidence } from '../results/evidence-files.ts';
import { readRecording, writeRecording } from '../results/recording-file.ts';
import { readCaseLines, readRunRecord } from '../results/run-folder.ts';
import { bootFactsOf } from '../src/evidence/read-boot-facts.ts';
import { first } from '../src/present.ts';
import { hiddenRegisters } from '../src/scenario/id-overrides.ts';
import { stableJson } from '../src/stable-json.ts';
import {
  type RecordedKernel,
  recordedFolder,
  withoutFixmaps,
} from '../test/diff/refinement/recorded-kernel.ts';
import { root, tellChanges, wordsOf, writePacked } from './script.ts';

/** Records boots for the tests of the refinement check, from a recorded run. */
const usage = 'npm run record:operations -- RUNFOLDER CASE...';

const [folder = '', ...names] = wordsOf(usage, 2);
const run = await readRunRecord(folder);
for (const name of names) {
  const result = readCaseLines(folder).find((each) => each.case === name);
  const scenario = run.scenarios.find((each) => each.name === result?.scenario);
  const from = join(folder, 'cases', name);
  const recording = readRecording(from);
  if (!result || !scenario || !recording) throw new Error(`${folder} has no recorded case ${name}`);
  const kernel = await loadKernel(result.kernel.spec);
  const { traits, symbols } = kernel;
  const evidence = readEvidence(from);
  const facts = bootFactsOf({
    evidence,
    traits,
    symbols,
    hidden: hiddenRegisters(scenario.machine),
  });
  const { symbolOffset: _, ...question } = questionOf(kernel, scenario, facts);
  const { image, aliasBit } = bootContextOf(kernel, scenario, { evidence, facts });
  const needed = ['_text', '_stext', '__init_begin', '__init_end', '__bss_stop', 'swapper_pg_dir'];
  const data: RecordedKernel = {
    schema: 1,
    question,
    symbolOffsets: Object.fromEntries(
      needed.map((symbol) => [symbol, symbolOffset(symbols, symbol)]),
    ),
    registers: first(first(evidence.captures).cpus).registers,
    image,
    aliasBit,
  };
  const to = join(recordedFolder, name);
  mkdirSync(to, { recursive: true });
  writeRecording(to, withoutFixmaps(recording));
  writePacked(join(to, 'kernel.json.gz'), stableJson(data));
  await tellChanges(relative(root, to));
}
