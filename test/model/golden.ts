import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseWalk } from '../../harness/leaf-text.ts';
import { diffLeaves } from '../../src/diff/compare.ts';
import { compareProbes, compareRegisters, compareTables, compareVariables } from '../../src/diff/compare-state.ts';
import { runsIn } from '../../src/diff/runs.ts';
import type { Capture, ProbeResult } from '../../src/linux/capture.ts';
import { predict, type Question } from '../../src/model/predict.ts';
import { revive } from '../../src/report/revive.ts';

/** A recorded real boot: what the model was asked, and what the tables, registers and variables of the guest were. */
export interface GoldenBoot {
  /** Kernel release and scenario it was recorded from, with the emulator. */
  from: string;
  question: Omit<Question, 'symbolOffset'>;
  symbolOffsets: Record<string, number>;
  captures: (Omit<Capture, 'ttbr1' | 'ttbr0'> & { walk: string })[];
  probes: ProbeResult[];
}

const folder = join(import.meta.dirname, 'fixtures');

/** Names of the recorded boots. */
export function goldenNames(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json.gz'))
    .sort();
}

export function readGolden(name: string): GoldenBoot {
  return revive(JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString())) as GoldenBoot;
}

/** The question of a recorded boot, as predict() wants it. */
export function questionOfGolden({ question, symbolOffsets }: GoldenBoot): Question {
  return { ...question, symbolOffset: (name) => symbolOffsets[name] };
}

/** Everything in which the model differs from a recorded boot, a line each; empty when it is exact. */
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
      ...compareTables(predicted.tables, capture.ttbr1.tables, prediction.linearRegion, granule, rest.checkpoint),
      ...compareRegisters(predicted.registers, capture, image),
      ...compareVariables(predicted.variables, capture),
    ];
    const lines = leaves.map(
      ({ expected, actual }) => `${rest.checkpoint}: leaf ${(expected ?? actual)?.va.toString(16)}`,
    );
    return [...lines, ...findings.map(({ id }) => id)];
  });
  return [...perCheckpoint, ...compareProbes(prediction.probes, golden.probes).map(({ id }) => id)];
}
