// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { reasons } from '../src/bbm/needs-break.ts';
import { missingSteps } from '../src/bbm/tables.ts';
import {
  type CaseResult,
  findingKinds,
  type LinearMapSizes,
  type Verdict,
} from '../src/diff/types.ts';
import { checkpointNames } from '../src/evidence/capture.ts';
import { type RunRecord, runSchemaVersion } from '../src/report/types.ts';
import { depthChoices, depths } from '../src/scenario/depth.ts';
import { scenarioSchema, scenarioVersion } from '../src/scenario/types.ts';

/**
 * Schemas of run.json and cases.jsonl, as a reader requires them. Members that this version does
 * not know are dropped, so that a later version may add some; a change to existing members raises
 * `runSchemaVersion`.
 */

/** A name that is also a folder below cases/: it must not lead anywhere else. */
const caseName = z.string().regex(/^(?!\.{1,2}$)[^/\\\p{Cc}]+$/u);
const sha256 = z.string();
const count = z.number().int().nonnegative();
const verdicts = ['pass', 'fail', 'known', 'hang', 'crash', 'error'] as const satisfies Verdict[];
const checkpoint = z.enum(checkpointNames);

const depth = z.enum(depths);
const plannedCase = z.object({
  case: caseName,
  kernel: z.string(),
  scenario: z.string(),
  depth: depth.optional(),
  notLookedAt: z.array(z.object({ what: z.string(), toldBy: caseName.optional() })).optional(),
});

/** Files of older versions do not have it. */
export const keptScenarioVersion = z.literal(scenarioVersion).default(scenarioVersion);

const variation = z.object({
  seed: count.optional(),
  plain: z.literal(true).optional(),
  onlyKaslr: z.literal(true).optional(),
  parameters: z.array(z.string()).optional(),
});

/** run.json. */
export const runRecordSchema: z.ZodType<RunRecord> = z.object({
  schema: z.literal(runSchemaVersion),
  ptdiff: z.object({ version: z.string(), commit: z.string().optional() }),
  command: z.array(z.string()),
  asked: z.object({
    kernels: z.array(z.string()),
    scenarios: z.array(z.string()),
    jobs: count,
    depth: z.enum(depthChoices).optional(),
    budget: z.number().positive().optional(),
    variation: variation.optional(),
  }),
  scenarioVersion: keptScenarioVersion,
  scenarios: z.array(scenarioSchema),
  emulator: z.object({
    version: z.string(),
    sha256,
    origin: z.string(),
    notes: z.array(z.string()),
  }),
  kernels: z.array(
    z.object({
      spec: z.string(),
      release: z.string(),
      version: z.string(),
      flavour: z.string(),
      sha256,
      commit: z.string().optional(),
    }),
  ),
  unavailable: z.array(z.object({ spec: z.string(), reason: z.string() })),
  initramfs: z.object({ sha256 }),
  monitor: z.object({ sha256 }).optional(),
  generations: z.array(z.string()),
  host: z.object({ cpu: z.string(), cores: count, kernel: z.string(), os: z.string() }),
  started: z.iso.datetime(),
  ended: z.iso.datetime().optional(),
  planned: z.array(plannedCase),
  awaited: z.array(z.string()).optional(),
  leftOut: z.array(plannedCase),
  // Folders of older runs do not have it.
  unfit: z
    .array(z.object({ kernel: z.string(), scenario: z.string(), reason: z.string() }))
    .default([]),
  counts: z.record(z.enum(verdicts), count),
});

const sizes: z.ZodType<LinearMapSizes> = z.object({
  page: count,
  contPte: count,
  pmd: count,
  contPmd: count,
  pud: count,
  invalid: count,
});

/** One line of cases.jsonl. */
export const caseResultSchema: z.ZodType<CaseResult> = z.object({
  case: caseName,
  kernel: z.object({
    spec: z.string(),
    release: z.string(),
    flavour: z.string(),
    sha256,
    generation: z.string(),
  }),
  scenario: z.string(),
  depth: depth.optional(),
  verdict: z.enum(verdicts),
  findings: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(findingKinds),
      checkpoint: checkpoint.optional(),
      title: z.string(),
      detail: z.string(),
      known: z.string().optional(),
    }),
  ),
  linearMap: z.partialRecord(checkpoint, sizes),
  symbols: z.record(z.string(), z.string()),
  updates: z
    .array(
      z.object({
        site: z.string(),
        chain: z.array(z.string()),
        reason: z.enum(reasons),
        missing: z.enum(missingSteps).optional(),
        counts: z.tuple([count, count, count, count]),
        claimed: count,
      }),
    )
    .optional(),
  seconds: z.number().nonnegative(),
  reason: z.string().optional(),
  notes: z.array(z.string()).optional(),
  worker: z.string().optional(),
});
