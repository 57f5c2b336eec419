// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { z } from 'zod';
import { bigintReviver } from '../../src/bigint-json.ts';
import { diffLeaves } from '../../src/diff/compare.ts';
import { compareRsi } from '../../src/diff/compare-rsi.ts';
import {
  compareProbes,
  compareRegisters,
  compareTables,
  compareVariables,
} from '../../src/diff/compare-state.ts';
import { runsIn } from '../../src/diff/runs.ts';
import type { Capture } from '../../src/evidence/capture.ts';
import { parseWalk } from '../../src/evidence/leaf-text.ts';
import { everyBrokenDbm } from '../../src/linux/broken-dbm.ts';
import { lifeOfLeaf } from '../../src/model/leaf-life.ts';
import { predict } from '../../src/model/predict.ts';
import type { Question } from '../../src/model/question.ts';
import { given } from '../given.ts';
import { goldenSchema } from './golden-schema.ts';

/**
 * A recorded real boot: what the model was asked, and what the tables, registers and variables of
 * the guest were.
 */
export interface GoldenBoot extends Omit<z.infer<typeof goldenSchema>, 'question' | 'captures'> {
  question: Omit<Question, 'symbolOffset'>;
  captures: (Omit<Capture, 'ttbr1' | 'ttbr0'> & { walk: string })[];
}

/** Where the recorded boots lie. */
export const goldenFolder = join(import.meta.dirname, 'fixtures');

/** Names of the recorded boots. */
export function goldenNames(): string[] {
  return readdirSync(goldenFolder)
    .filter((name) => name.endsWith('.json.gz'))
    .sort();
}

/**
 * In place of each trait that a recording does not know: whoever asks for it is told so, and gets
 * no answer that could pass for one.
 */
function refuseUnrecorded(name: string, data: GoldenBoot): void {
  for (const path of data.unrecorded) {
    const parts = path.split('.');
    const key = parts.pop() as string;
    const owner = parts.reduce<object>(
      (object, part) => Reflect.get(object, part),
      data.question.traits,
    );
    const get = () => {
      throw new Error(
        `${name} was recorded before the trait ${path} was: record it again to ask for that.`,
      );
    };
    // Not enumerable: a copy of the traits knows as little.
    Object.defineProperty(owner, key, { get, enumerable: false });
  }
}

/**
 * Checks a recording. A trait that is missing would be taken for false.
 * @throws Error that names the recording and the first key that is missing, superfluous or wrong
 */
export function parseGolden(name: string, data: unknown): GoldenBoot {
  const { error } = goldenSchema.safeParse(data);
  const unrecorded = (data as Partial<GoldenBoot>).unrecorded ?? [];
  const issue = error?.issues.find(({ path, code }) => {
    const [question, traits, ...rest] = path;
    const isTrait = question === 'question' && traits === 'traits';
    return !(isTrait && code === 'invalid_type' && unrecorded.includes(rest.join('.')));
  });
  if (issue) {
    const at = issue.path.join('.') || 'the whole';
    throw new Error(
      `The recorded boot ${name} cannot be used: ${at}: ${issue.message}. Record it again (npm run record:golden).`,
    );
  }
  refuseUnrecorded(name, data as GoldenBoot);
  return data as GoldenBoot;
}

/** A recording from its text. */
export function goldenFrom(name: string, text: string): GoldenBoot {
  const data = JSON.parse(text, bigintReviver) as { question?: { traits?: object } };
  // JSON has no undefined: a kernel before 6.18 has no such variable, which the schema checks
  // against its capability. Recordings without a list are of Debian's kernels, which have all of it,
  // or of CPUs that are in none.
  const absent = { requiresSymbol: undefined, brokenDbm: everyBrokenDbm };
  if (data.question?.traits) data.question.traits = { ...absent, ...data.question.traits };
  return parseGolden(name, data);
}

export function readGolden(name: string): GoldenBoot {
  return goldenFrom(name, gunzipSync(readFileSync(join(goldenFolder, name))).toString());
}

const shared = new Map<string, GoldenBoot>();

/** The same, read once in a process: for those who change nothing in it. */
export function sharedGolden(name: string): GoldenBoot {
  const golden = shared.get(name) ?? readGolden(name);
  shared.set(name, golden);
  return golden;
}

/**
 * The question of a recorded boot, as predict() wants it. What was recorded without _end has its
 * kernel far from the end of the linear region, where __bss_stop, shortly before it, does as well.
 */
export function questionOfGolden({ question, symbolOffsets }: GoldenBoot): Question {
  const all: Record<string, number | undefined> = {
    _end: symbolOffsets.__bss_stop,
    ...symbolOffsets,
  };
  return { ...question, symbolOffset: (name) => given(all[name]) };
}

/** What is predicted of the variables that were read at all. */
function observed(
  predicted: Record<string, bigint>,
  { unobserved }: GoldenBoot,
): Record<string, bigint> {
  return Object.fromEntries(
    Object.entries(predicted).filter(([name]) => !unobserved.includes(name)),
  );
}

/**
 * Everything in which the model differs from a recorded boot, a line each; empty when it is exact.
 */
export function differences(golden: GoldenBoot): string[] {
  const prediction = predict(questionOfGolden(golden));
  const { start, end } = prediction.linearRegion;
  const { granule } = golden.question.traits.geometry;
  // No CPU of a recorded boot runs in the trampoline: every register counts.
  const image = { symbols: {}, slide: 0n, pa: 0 } as Parameters<typeof compareRegisters>[2];
  const perCheckpoint = golden.captures.flatMap(({ walk, ...rest }) => {
    const predicted = prediction.checkpoints[rest.checkpoint];
    if (!predicted) return [`${rest.checkpoint} is not predicted`];
    const capture: Capture = { ...rest, ttbr1: parseWalk(walk) };
    const leaves = diffLeaves(predicted.leaves, runsIn(capture.ttbr1.leaves, start, end));
    const findings = [
      ...compareTables(
        predicted.tables,
        capture.ttbr1.tables,
        prediction.linearRegion,
        granule,
        rest.checkpoint,
      ),
      ...compareRegisters(predicted.registers, capture, image),
      ...compareVariables(observed(predicted.variables, golden), capture),
    ];
    const lines = leaves.map(
      ({ expected, actual }) =>
        `${rest.checkpoint}: leaf ${(expected ?? actual)?.va.toString(16)}, ${expected?.why ?? 'not predicted'}`,
    );
    return [...lines, ...findings.map(({ id }) => id)];
  });
  const { captures, rsi, files = {} } = golden;
  const whole = [
    ...compareProbes(prediction.probes, golden.probes),
    ...compareRsi(
      prediction.rsi,
      { captures, files, sharing: golden.question.facts.sharing, ...(rsi && { rsi }) },
      granule,
    ),
  ];
  return [...perCheckpoint, ...whole.map(({ id }) => id)];
}

/**
 * differences(), and the kernel functions that made the first leaf that is other than recorded: one
 * of them, or one that is missing among them, is the rule that is wrong.
 */
export function explainedDifferences(golden: GoldenBoot): string[] {
  const found = differences(golden);
  const [va] = found.flatMap((line) => /: leaf ([0-9a-f]+), /.exec(line)?.[1] ?? []);
  if (va === undefined) return found;
  const life = lifeOfLeaf(questionOfGolden(golden), BigInt(`0x${va}`));
  const functions = [...new Set(life.map(({ step }) => step.where))];
  return [...found, ...functions.map((name) => `leaf ${va} is as ${name} made it`)];
}
