// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { z } from 'zod';
import { readTextIfAny, replaceFile } from '../host/host-file.ts';
import { PtdiffError } from '../src/errors.ts';
import { depths } from '../src/scenario/depth.ts';
import { scenarioSchema } from '../src/scenario/types.ts';
import { stableJson } from '../src/stable-json.ts';
import { complaint } from './run-folder.ts';

/** Version of the shape below. */
const explorationSchemaVersion = 1;

const machine = z.object({
  scenario: scenarioSchema,
  /** Spec of the kernel. */
  kernel: z.string(),
  /** Which draw it was, see src/scenario/random/draw.ts. */
  from: z.object({ seed: z.int(), index: z.int().nonnegative() }),
});
/** A scenario that was drawn at random, and the kernel that it is for. */
export type DrawnMachine = z.infer<typeof machine>;

const difference = z.object({
  /** Id of the finding. */
  finding: z.string(),
  kernel: z.string(),
  /** Name of the scenario that showed it first. */
  machine: z.string(),
  /** Whether a second boot of that showed it again; absent where there was none. */
  again: z.boolean().optional(),
  /** The smallest scenario that still shows it, and the boots that it took to find it. */
  smallest: z.object({ scenario: scenarioSchema, file: z.string(), boots: z.int() }).optional(),
});
/** A finding that no known issue explains. */
export type FoundDifference = z.infer<typeof difference>;

const exploration = z.object({
  schema: z.literal(explorationSchemaVersion),
  seed: z.int(),
  /** Specs as the user named them. */
  asked: z.array(z.string()),
  /** Those that could be had when it began. */
  kernels: z.array(z.string()),
  /** How far each machine is booted; absent is in full. */
  depth: z.enum(depths).optional(),
  /** Machines of each part, in the order in which they were drawn. */
  parts: z.array(z.array(machine)),
  differences: z.array(difference),
});
/** What an exploration has done so far: what exploration.json of its folder holds. */
export type Exploration = z.infer<typeof exploration>;

const pathOf = (folder: string): string => join(folder, 'exploration.json');

export function newExploration(
  begun: Pick<Exploration, 'seed' | 'asked' | 'kernels' | 'depth'>,
): Exploration {
  return { schema: explorationSchemaVersion, ...begun, parts: [], differences: [] };
}

/**
 * Reads exploration.json of a folder.
 * @returns undefined where none began there
 * @throws PtdiffError(usage) for a file that cannot be used
 */
export function readExploration(folder: string): Exploration | undefined {
  const path = pathOf(folder);
  const text = readTextIfAny(path);
  if (text === undefined) return undefined;
  try {
    return exploration.parse(JSON.parse(text));
  } catch (error) {
    throw new PtdiffError(
      'usage',
      `${path} cannot be used: ${complaint(error)}; begin another exploration in a new --out.`,
      { cause: error },
    );
  }
}

export function writeExploration(folder: string, data: Exploration): void {
  replaceFile(pathOf(folder), `${stableJson(data, 1)}\n`);
}

/** Name of the folder of a part, from 1. */
export function partFolder(folder: string, number: number): string {
  return join(folder, String(number).padStart(4, '0'));
}
