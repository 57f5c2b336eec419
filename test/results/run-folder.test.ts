// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { writeEvidence } from '../../results/evidence-files.ts';
import {
  caseFiles,
  parseCaseLines,
  readDossier,
  readRunFolder,
  readRunRecord,
  runFiles,
} from '../../results/run-folder.ts';
import { runRecordSchema } from '../../results/schema.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { CaseDossier } from '../../src/report/types.ts';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { scenarioSchema } from '../../src/scenario/types.ts';
import { stableJson } from '../../src/stable-json.ts';
import { given } from '../given.ts';
import { sampleReport } from '../report/sample-run.ts';

const report = sampleReport(0.1);
const lines = `${report.cases.map((result) => stableJson(result)).join('\n')}\n`;

async function writeCase(folder: string, dossier: CaseDossier): Promise<void> {
  const at = join(folder, runFiles.caseFolders, dossier.case);
  await mkdir(at, { recursive: true });
  const first = given(dossier.drawings[0]);
  const checkpoints = Object.fromEntries(
    dossier.drawings.map(({ checkpoint, predicted }) => [checkpoint, { leaves: predicted }]),
  );
  const { derivation, decisions } = dossier;
  const prediction = {
    newerThanKnown: false,
    derivation,
    decisions,
    checkpoints,
    probes: dossier.predictedProbes,
    linearRegion: first.linearRegion,
  };
  const captures = dossier.drawings.map(({ checkpoint, actual, registers }) => ({
    checkpoint,
    cpus: [{ online: true, registers }],
    ttbr1: { leaves: actual, tables: [], malformed: [] },
    ...(checkpoint === 'init' && { ttbr0: { leaves: [], tables: [], malformed: [] } }),
    variables: {},
  }));
  await writeFile(join(at, caseFiles.prediction), stableJson(prediction));
  writeEvidence(at, {
    captures,
    probes: dossier.probes ?? [],
    splitRequests: [],
    files: {},
    console: dossier.consoleTail ?? '',
    end: { kind: 'completed' },
    image: { pa: 0x4020_0000, slide: 0n },
    idRegisters: [],
  });
  await writeFile(join(at, caseFiles.repro), '#!/bin/sh\n');
}

async function writeRun(folder: string): Promise<void> {
  await writeFile(join(folder, runFiles.run), stableJson(report.run, 2));
  await writeFile(join(folder, runFiles.cases), lines);
}

t.test('a run folder is read back as it was written', async (t) => {
  const folder = t.testdir();
  await writeRun(folder);
  const dossier = report.dossiers.get(given(report.cases[0]).case);
  if (dossier === undefined) throw new Error('the sample has dossiers');
  await writeCase(folder, dossier);
  const read = readRunFolder(folder, report.knownIssues);
  t.same(read.run, report.run);
  t.same(read.cases, report.cases);
  const back = read.dossiers.get(dossier.case);
  t.same(back?.drawings, dossier.drawings);
  t.same(back?.derivation, dossier.derivation);
  t.same(back?.decisions, dossier.decisions);
  t.match(back?.repro, /^sh .*repro\.sh$/);
  t.same(
    read.dossiers.get(given(report.cases[1]).case)?.drawings,
    [],
    'a case without files has no drawings',
  );
});

t.test(
  'every member of a scenario is read back, and one that is not known is not passed over',
  async (t) => {
    for (const scenario of builtInScenarios)
      t.same(scenarioSchema.parse(scenario), scenario, scenario.name);
    const scenario = given(builtInScenarios[0]);
    t.throws(
      () => scenarioSchema.parse({ ...scenario, machine: { ...scenario.machine, gic: 4 } }),
      /gic/,
    );
  },
);

t.test('a run folder says what shape its scenarios have; an older one does not', async (t) => {
  const { scenarioVersion: version, ...older } = JSON.parse(stableJson(report.run));
  t.equal(version, 1);
  t.same(runRecordSchema.parse(older), runRecordSchema.parse({ ...older, scenarioVersion: 1 }));
  t.equal(runRecordSchema.safeParse({ ...older, scenarioVersion: 2 }).success, false);
});

t.test('cases come in the order of the plan, however they ended', async (t) => {
  const folder = t.testdir();
  await writeRun(folder);
  const reversed = [...report.cases].reverse().map((result) => stableJson(result));
  await writeFile(join(folder, runFiles.cases), `${reversed.join('\n')}\n`);
  const read = readRunFolder(folder, []);
  t.same(
    read.cases.map((result) => result.case),
    report.cases.map((result) => result.case),
  );
});

t.test('wherever cases.jsonl is cut, the whole lines count', async (t) => {
  const bytes = new TextEncoder().encode(lines);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length }), (length) => {
      const text = new TextDecoder().decode(bytes.subarray(0, length));
      return parseCaseLines(text, 'cases.jsonl').length === text.split('\n').length - 1;
    }),
  );
  t.pass();
});

t.test('a case that was run again counts once, by its last result', async (t) => {
  const first = given(report.cases[0]);
  const again = stableJson({ ...first, verdict: 'error', reason: 'QEMU was killed.' });
  const cases = parseCaseLines(`${again}\n${lines}`, 'cases.jsonl');
  t.equal(cases.length, report.cases.length);
  t.equal(cases.find((result) => result.case === first.case)?.verdict, first.verdict);
});

t.test('a broken line in the middle is named', async (t) => {
  const broken = lines.replace('"verdict":"pass"', '"verdict":"fine"');
  t.throws(() => parseCaseLines(broken, 'run/cases.jsonl'), {
    fault: 'usage',
    message: /run\/cases\.jsonl line 1 is not a case: verdict/,
  });
});

t.test('a case name that leads out of the folder is refused', async (t) => {
  for (const name of ['..', '../x', 'a/b', '', 'a\u0000b']) {
    const line = `${stableJson({ ...report.cases[0], case: name })}\n`;
    t.throws(() => parseCaseLines(line, 'cases.jsonl'), PtdiffError, JSON.stringify(name));
  }
});

t.test('what is no run folder, or another version wrote, is refused in one sentence', async (t) => {
  const folder = t.testdir();
  const refused = (message: RegExp) =>
    t.throws(() => readRunRecord(folder), { fault: 'usage', message });
  refused(/is not a run folder: it has no run\.json/);
  await writeFile(join(folder, runFiles.run), stableJson({ ...report.run, schema: 2 }));
  refused(/has schema 2, this ptdiff reads 1/);
  await writeFile(join(folder, runFiles.run), '{"schema":1,');
  refused(/run\.json cannot be used/);
  const { emulator: _, ...incomplete } = report.run;
  await writeFile(join(folder, runFiles.run), stableJson(incomplete));
  refused(/run\.json cannot be used: emulator/);
});

t.test('what the judge found to differ is taken from the case, not found again', async (t) => {
  const folder = t.testdir();
  const dossier = given(
    [...sampleReport(1).dossiers.values()].find(({ drawings }) =>
      drawings.some(({ differences }) => differences.length > 0),
    ),
  );
  await writeCase(folder, dossier);
  const at = join(folder, runFiles.caseFolders, dossier.case, caseFiles.differences);
  const [init] = dossier.drawings.slice(-1);
  const differencesAt = (read: CaseDossier) => read.drawings.map(({ differences }) => differences);
  t.same(
    differencesAt(readDossier(folder, dossier.case)),
    differencesAt(dossier),
    'a folder of an older version: they are computed',
  );
  const [kept] = given(init).differences;
  const checkpoints = { paging_init: [], free_initmem: [], init: [kept] };
  await writeFile(at, stableJson({ schema: 1, checkpoints }));
  t.same(differencesAt(readDossier(folder, dossier.case)), [[], [], [kept]]);
  for (const broken of ['{"schema":1,', stableJson({ schema: 2, checkpoints })]) {
    await writeFile(at, broken);
    const read = readDossier(folder, dossier.case);
    t.match(read.unreadable?.[0], /differences\.json cannot be used: .+\.$/);
    t.same(differencesAt(read), differencesAt(dossier), 'and computed instead');
  }
});

t.test('a file of a case that is broken is said to be, and the others are used', async (t) => {
  const folder = t.testdir();
  const dossier = report.dossiers.get(given(report.cases[0]).case);
  if (dossier === undefined) throw new Error('the sample has dossiers');
  await writeCase(folder, dossier);
  const at = join(folder, runFiles.caseFolders, dossier.case);
  await writeFile(join(at, caseFiles.registers), '{"captures":[{"checkpoint":"init"');
  const read = readDossier(folder, dossier.case);
  t.same(read.derivation, dossier.derivation);
  t.same(read.drawings, []);
  t.match(read.unreadable?.[0], /^The evidence in .* cannot be used: .+\.$/);
  await rm(at, { recursive: true });
  t.same(readDossier(folder, dossier.case).unreadable, undefined);
});
