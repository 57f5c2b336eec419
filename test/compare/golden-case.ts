// SPDX-License-Identifier: GPL-2.0-only
import type { ComparedCase } from '../../src/compare/types.ts';
import type { Finding } from '../../src/diff/types.ts';
import type { Capture, Evidence } from '../../src/evidence/capture.ts';
import { parseWalk } from '../../src/evidence/leaf-text.ts';
import { linearMapSizes } from '../../src/linux/leaf-kind.ts';
import { predict } from '../../src/model/predict.ts';
import type { Question } from '../../src/model/question.ts';
import type { Prediction } from '../../src/model/types.ts';
import { given } from '../given.ts';
import { questionOfGolden, readGolden } from '../model/golden.ts';

function caseOf(
  name: string,
  evidence: Evidence,
  prediction: Prediction,
  findings: Finding[] = [],
): ComparedCase {
  return {
    result: {
      case: name,
      kernel: {
        spec: name,
        release: given(name.split('@')[0]),
        flavour: 'arm64',
        sha256: name,
        generation: prediction.generation,
      },
      scenario: name.split('@')[1] ?? name,
      verdict: findings.length > 0 ? 'fail' : 'pass',
      findings,
      linearMap: Object.fromEntries(
        evidence.captures.map(({ checkpoint, ttbr1 }) => [
          checkpoint,
          linearMapSizes(ttbr1.leaves),
        ]),
      ),
      symbols: {},
      seconds: 1,
    },
    evidence,
    prediction,
  };
}

function evidenceOf(
  { facts }: Question,
  captures: Capture[],
  probes: Evidence['probes'],
): Evidence {
  return {
    captures,
    splitRequests: facts.splitRequests,
    protectRequests: facts.protectRequests ?? [],
    sharing: facts.sharing,
    files: {},
    probes,
    console: '',
    end: { kind: 'completed' },
    image: facts.image,
    idRegisters: facts.idRegisters,
  };
}

/** A recorded real boot of test/model/fixtures as one side of a comparison. */
export function goldenCase(name: string): ComparedCase {
  const golden = readGolden(`${name}.json.gz`);
  const question = questionOfGolden(golden);
  const captures = golden.captures.map(
    ({ walk, ...rest }): Capture => ({ ...rest, ttbr1: parseWalk(walk) }),
  );
  return caseOf(name, evidenceOf(question, captures, golden.probes), predict(question));
}

/**
 * A recorded boot with another question: its tables are what the model says that this kernel would
 * make of it, so that a rule or a place can be changed alone. Registers and variables stay those of
 * the recording.
 */
export function changedCase(name: string, change: (question: Question) => Question): ComparedCase {
  const golden = readGolden(`${name}.json.gz`);
  const question = change(questionOfGolden(golden));
  const prediction = predict(question);
  const captures = golden.captures.map(({ walk: _, ...rest }): Capture => {
    const leaves = prediction.checkpoints[rest.checkpoint]?.leaves ?? [];
    return { ...rest, ttbr1: { leaves, tables: [], malformed: [] } };
  });
  return caseOf(name, evidenceOf(question, captures, golden.probes), prediction);
}
