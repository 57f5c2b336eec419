import { z } from 'zod';
import { checkpointNames, type ProbeResult } from '../src/linux/capture.ts';
import type { DrawnCapture, DrawnPrediction } from '../src/report/dossier.ts';
import type { LeafRun } from '../src/vmsa/types.ts';

/**
 * What the reports read of cases/CASE/prediction.json and cases/CASE/evidence.json: members that they do not need are dropped
 * while reading. Both files are stable JSON: bigint is a string '0x…'.
 */

const hexadecimal = z
  .string()
  .regex(/^0x[0-9a-f]+$/)
  .transform((text) => BigInt(text));

const leafRun = z.object({
  va: hexadecimal,
  pa: z.number(),
  size: z.number(),
  level: z.union([z.literal(-1), z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  contiguous: z.boolean(),
  valid: z.boolean(),
  attributes: hexadecimal,
  tableAttributes: z.number(),
}) satisfies z.ZodType<LeafRun>;

const predictedRun = leafRun.extend({ why: z.string(), alternatives: z.array(hexadecimal) });

/** prediction.json: a `Prediction` of src/model. */
export const predictionSchema: z.ZodType<DrawnPrediction> = z.object({
  newerThanKnown: z.boolean(),
  derivation: z.array(z.object({ where: z.string(), source: z.string(), outcome: z.string() })),
  decisions: z.record(z.string(), z.boolean()),
  linearRegion: z.object({ start: hexadecimal, end: hexadecimal }),
  checkpoints: z.partialRecord(z.enum(checkpointNames), z.object({ leaves: z.array(predictedRun) })),
  probes: z.array(z.object({ probe: z.string(), errno: z.number(), why: z.string() })),
});

const registers = z.object({
  TTBR0_EL1: hexadecimal,
  TTBR1_EL1: hexadecimal,
  TCR_EL1: hexadecimal,
  MAIR_EL1: hexadecimal,
  SCTLR_EL1: hexadecimal,
  TCR2_EL1: hexadecimal.optional(),
  PIR_EL1: hexadecimal.optional(),
});

const capture: z.ZodType<DrawnCapture> = z.object({
  checkpoint: z.enum(checkpointNames),
  cpus: z.array(z.object({ registers })),
  ttbr1: z.object({ leaves: z.array(leafRun) }),
});

const probe: z.ZodType<ProbeResult> = z.object({
  probe: z.string(),
  errno: z.number(),
  call: z.string(),
  pages: z.array(z.number()),
});

/** evidence.json: an `Evidence` of src/linux/capture.ts; console and files of the guest lie beside it. */
export const evidenceSchema = z.object({ captures: z.array(capture), probes: z.array(probe) });
