// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import type { CaseResult, LinearMapSizes, Verdict } from '../src/diff/types.ts';
import { checkpointNames } from '../src/evidence/capture.ts';
import { type RunRecord, runSchemaVersion } from '../src/report/types.ts';
import { deviceNames } from '../src/scenario/devices.ts';
import { type IdRegisterName, idRegisters } from '../src/scenario/id-registers.ts';
import { probeNames, type Scenario } from '../src/scenario/types.ts';

/**
 * The shapes of run.json and cases.jsonl, as a reader demands them. Members that this version does
 * not know are dropped, so that a later version may add some; one that changes what is here raises
 * `runSchemaVersion`.
 */

/** A name that is a folder below cases/: it must not lead anywhere else. */
const caseName = z.string().regex(/^(?!\.{1,2}$)[^/\\\p{Cc}]+$/u);
const sha256 = z.string();
const count = z.number().int().nonnegative();
const verdicts = ['pass', 'fail', 'known', 'hang', 'crash', 'error'] as const satisfies Verdict[];
const checkpoint = z.enum(checkpointNames);

const plannedCase = z.object({ case: caseName, kernel: z.string(), scenario: z.string() });

export const scenarioSchema: z.ZodType<Scenario> = z.object({
  name: z.string(),
  // Strict: a machine without a member that a later version added would be another one.
  machine: z.strictObject({
    cpu: z.string(),
    cpus: count,
    memory: count,
    holes: z.array(z.object({ start: count, size: count })),
    nodes: z.array(z.array(z.object({ start: count, size: count }))).optional(),
    world: z.enum(['normal', 'realm']),
    firmware: z.enum(['monitor', 'monitor-rme']).optional(),
    others: z.array(z.string()).optional(),
    idFields: z
      .array(
        z.object({
          register: z.enum(Object.keys(idRegisters) as IdRegisterName[]),
          bits: z.string(),
          value: count,
          cpus: z.array(count).optional(),
        }),
      )
      .optional(),
    late: z.literal(true).optional(),
    devices: z.array(z.enum(deviceNames)).optional(),
    its: z.literal(false).optional(),
  }),
  rodata: z.enum(['default', 'noalias', 'off']),
  kfenceSampleInterval: z.number().optional(),
  kaslr: z.boolean(),
  seed: count.optional(),
  plain: z.literal(true).optional(),
  parameters: z.array(z.string()),
  probes: z.array(z.enum(probeNames)),
});

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
    variation: variation.optional(),
  }),
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
  leftOut: z.array(plannedCase),
  // Folders of older runs do not say.
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
  verdict: z.enum(verdicts),
  findings: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(['mismatch', 'invariant', 'splat']),
      checkpoint: checkpoint.optional(),
      title: z.string(),
      detail: z.string(),
      known: z.string().optional(),
    }),
  ),
  linearMap: z.partialRecord(checkpoint, sizes),
  symbols: z.record(z.string(), z.string()),
  seconds: z.number().nonnegative(),
  reason: z.string().optional(),
  notes: z.array(z.string()).optional(),
});
