// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { bigintText } from '../src/bigint-json.ts';
import type { LeafDifferences } from '../src/diff/compare.ts';
import { checkpointNames } from '../src/evidence/capture.ts';
import type { DrawnPrediction } from '../src/report/dossier.ts';
import type { LeafRun } from '../src/vmsa/types.ts';

const leafRun = z.object({
  va: bigintText,
  pa: z.number(),
  size: z.number(),
  level: z.union([z.literal(-1), z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  contiguous: z.boolean(),
  valid: z.boolean(),
  attributes: bigintText,
  tableAttributes: z.number(),
}) satisfies z.ZodType<LeafRun>;

const predictedRun = leafRun.extend({ why: z.string(), alternatives: z.array(bigintText) });

/** differences.json of a case: how its linear map differs, according to the judge. */
export const differencesSchema = z.object({
  schema: z.literal(1),
  checkpoints: z.partialRecord(
    z.enum(checkpointNames),
    z.array(z.object({ expected: predictedRun.optional(), actual: leafRun.optional() })),
  ) satisfies z.ZodType<LeafDifferences>,
});

/**
 * What the reports read of cases/CASE/prediction.json: a `Prediction` of src/model as stable JSON,
 * where bigint is a string '0x…'. Members that the reports do not need are dropped.
 */
export const predictionSchema: z.ZodType<DrawnPrediction> = z.object({
  newerThanKnown: z.boolean(),
  derivation: z.array(z.object({ where: z.string(), source: z.string(), outcome: z.string() })),
  decisions: z.record(z.string(), z.boolean()),
  linearRegion: z.object({ start: bigintText, end: bigintText }),
  checkpoints: z.partialRecord(
    z.enum(checkpointNames),
    z.object({ leaves: z.array(predictedRun) }),
  ),
  probes: z.array(z.object({ probe: z.string(), errno: z.number(), why: z.string() })),
});
