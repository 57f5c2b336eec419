// SPDX-License-Identifier: GPL-2.0-only
import { join, relative } from 'node:path';
import { loadKernel } from '../harness/laboratory/loaded-kernel.ts';
import { questionOf, symbolOffset } from '../harness/laboratory/question.ts';
import { readEvidence } from '../results/evidence-files.ts';
import { readCaseLines, readRunRecord } from '../results/run-folder.ts';
import type { Evidence } from '../src/evidence/capture.ts';
import { formatWalk } from '../src/evidence/leaf-text.ts';
import { bootFactsOf } from '../src/evidence/read-boot-facts.ts';
import { predict } from '../src/model/predict.ts';
import { hiddenRegisters } from '../src/scenario/id-overrides.ts';
import { stableJson } from '../src/stable-json.ts';
import { goldenFolder, goldenFrom } from '../test/model/golden.ts';
import { goldenVersion } from '../test/model/golden-schema.ts';
import { root, tellChanges, wordsOf, writePacked } from './script.ts';

/**
 * Records golden boots for the model's tests from a run folder. A recording of a case with findings
 * would fail the tests, which require the model to be exact.
 */
const usage = 'npm run record:golden -- RUNFOLDER CASE...';

const [folder = '', ...names] = wordsOf(usage, 2);
const run = await readRunRecord(folder);
for (const name of names) {
  const result = readCaseLines(folder).find((each) => each.case === name);
  const scenario = run.scenarios.find((each) => each.name === result?.scenario);
  if (!result || !scenario) throw new Error(`${folder} has no case ${name}`);
  const kernel = await loadKernel(result.kernel.spec);
  const evidence = readEvidence(join(folder, 'cases', name));
  const hidden = hiddenRegisters(scenario.machine);
  const facts = bootFactsOf({ evidence, traits: kernel.traits, symbols: kernel.symbols, hidden });
  const { symbolOffset: _, ...question } = questionOf(kernel, scenario, facts);
  const { start, end } = predict(questionOf(kernel, scenario, facts)).linearRegion;
  const inside = ({ va }: { va: bigint }): boolean => va >= start && va < end;
  const symbols = [
    '_text',
    '_stext',
    '__init_begin',
    '__init_end',
    '__bss_stop',
    '_end',
    'swapper_pg_dir',
  ];
  const golden = {
    schema: goldenVersion,
    image: kernel.image.sha256,
    unrecorded: [],
    unobserved: [],
    from: `${result.kernel.release} × ${scenario.name} on QEMU ${run.emulator.version}`,
    question,
    symbolOffsets: Object.fromEntries(
      symbols.map((symbol) => [symbol, symbolOffset(kernel.symbols, symbol)]),
    ),
    captures: evidence.captures.map(({ ttbr1, ttbr0: _user, freePages: _fact, ...rest }) => ({
      ...rest,
      walk: formatWalk({
        leaves: ttbr1.leaves.filter(inside),
        tables: ttbr1.tables.filter(inside),
        malformed: [],
      }),
    })),
    probes: evidence.probes,
    ...(evidence.rsi && {
      rsi: evidence.rsi,
      files: { '/proc/vmallocinfo': ioremapped(evidence) },
    }),
  };
  const text = stableJson(golden);
  goldenFrom(name, text);
  const path = join(goldenFolder, `${name}.json.gz`);
  writePacked(path, text);
  await tellChanges(relative(root, path));
}

/** The lines of /proc/vmallocinfo about devices. */
function ioremapped({ files }: Evidence): string {
  const lines = (files['/proc/vmallocinfo'] ?? '').split('\n');
  return lines.filter((line) => line.endsWith(' ioremap')).join('\n');
}
