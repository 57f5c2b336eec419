// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { bigintText } from '../src/bigint-json.ts';
import type { CaseResult } from '../src/diff/types.ts';
import type { RunRecord } from '../src/report/types.ts';
import { scenarioSchema } from '../src/scenario/types.ts';
import type { CaseInputs } from './case-inputs.ts';
import { caseResultSchema, keptScenarioVersion } from './schema.ts';

const count = z.number().int().nonnegative();
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const monitor = z.object({
  places: z.object({ image: count, initramfs: count, deviceTree: count, memory: count }),
  memory: z.object({ base: count, size: count }),
  aliasBit: count.optional(),
  overrides: z.array(
    z.object({
      cpus: z.array(count),
      register: z.object({ crm: count, op2: count }),
      mask: bigintText,
      value: bigintText,
    }),
  ),
});

const kernel = z.object({
  spec: z.string(),
  release: z.string(),
  version: z.string(),
  flavour: z.string(),
  sha256: hash,
  source: z.string(),
});
const emulator = z.object({ version: z.string(), sha256: hash, origin: z.string() });

/** inputs.json of a case. */
export const caseInputsSchema: z.ZodType<CaseInputs> = z.object({
  schema: z.literal(1),
  kernel: kernel.extend({ imagePath: z.string(), configPath: z.string().optional() }),
  scenarioVersion: keptScenarioVersion,
  scenario: scenarioSchema,
  cpu: z.string(),
  commandLine: z.string(),
  initramfs: z.object({ path: z.string(), sha256: hash }),
  emulator,
  blobs: z.object({
    deviceTree: z.base64().optional(),
    monitor: monitor.extend({ flash: z.base64() }).optional(),
    deviceData: z.base64().optional(),
  }),
});

/**
 * case.json of a packed case: the meaning of the files beside it, and the result of the boot that
 * they come from.
 */
export interface ArchivedCase
  extends Pick<
    CaseInputs,
    'schema' | 'scenarioVersion' | 'scenario' | 'cpu' | 'commandLine' | 'emulator'
  > {
  ptdiff: RunRecord['ptdiff'];
  result: CaseResult;
  kernel: Omit<CaseInputs['kernel'], 'imagePath' | 'configPath'>;
  /** Where the realm monitor and what it starts are, if there is a monitor. */
  monitor?: Omit<NonNullable<CaseInputs['blobs']['monitor']>, 'flash'>;
  /** SHA-256 of every other file in the archive, by its path. */
  files: Record<string, string>;
}

export const archivedCaseSchema: z.ZodType<ArchivedCase> = z.object({
  schema: z.literal(1),
  ptdiff: z.object({ version: z.string(), commit: z.string().optional() }),
  result: caseResultSchema,
  scenarioVersion: keptScenarioVersion,
  scenario: scenarioSchema,
  kernel,
  cpu: z.string(),
  commandLine: z.string(),
  emulator,
  monitor: monitor.optional(),
  files: z.record(z.string().regex(/^(?!\/)(?!(.*\/)?\.{1,2}(\/|$))[^\\\p{Cc}]+$/u), hash),
});
