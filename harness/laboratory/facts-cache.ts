// SPDX-License-Identifier: GPL-2.0-only
import { utimes } from 'node:fs/promises';
import { z } from 'zod';
import { cachePath, sha256 } from '../../host/cache.ts';
import { readRecord, writeRecord } from '../../host/records.ts';
import { say } from '../../host/say.ts';
import { reviveBigints } from '../../src/bigint-json.ts';
import type { BootFacts } from '../../src/evidence/boot-facts.ts';
import { checkpointNames } from '../../src/evidence/capture.ts';
import { canonicalScenario } from '../../src/scenario/identity.ts';
import type { Scenario } from '../../src/scenario/types.ts';
import { stableJson } from '../../src/stable-json.ts';

/**
 * What facts depend on: the same three values give the same facts, except for what the kernel makes
 * random.
 */
interface FactsKey {
  kernelSha256: string;
  emulatorSha256: string;
  scenario: Scenario;
}

const ranges = z.array(z.strictObject({ start: z.number(), end: z.number() }));
const before = z.enum(checkpointNames);
const byCheckpoint = z.partialRecord(before, ranges);

/**
 * Every fact must be listed here, including optional ones: otherwise the facts of a boot would not
 * be found again.
 */
const shape = {
  idRegisters: z.array(z.record(z.string(), z.bigint())),
  image: z.strictObject({ pa: z.number(), slide: z.bigint() }),
  memstartAddr: z.bigint().exactOptional(),
  kfencePool: z.number().exactOptional(),
  crashKernel: z.number().exactOptional(),
  memblockReserved: ranges.exactOptional(),
  readOnlyVmalloc: byCheckpoint,
  freePages: byCheckpoint.exactOptional(),
  freeAtKpti: ranges.exactOptional(),
  splitRequests: z.array(
    z.strictObject({
      start: z.bigint(),
      end: z.bigint(),
      before,
      early: z.literal(true).exactOptional(),
    }),
  ),
  protectRequests: z.array(z.strictObject({ frames: ranges, before })).exactOptional(),
  sharing: z.array(
    z.strictObject({
      start: z.bigint(),
      pages: z.number(),
      direction: z.enum(['decrypt', 'encrypt']),
      capabilitiesFinal: z.boolean(),
      onlineCpus: z.number(),
      pageAllocator: z.boolean().exactOptional(),
      caller: z.string(),
      before,
    }),
  ),
  ipaBits: z.number().exactOptional(),
  probePages: z.array(z.number()),
} satisfies { [name in keyof BootFacts]-?: z.ZodType };
const factsSchema: z.ZodType<BootFacts> = z.strictObject(shape);

/** As stored in the cache: numbers above 2^53 are text. */
const storedFacts = z.looseObject({}).transform(reviveBigints).pipe(factsSchema);

function pathOf({ kernelSha256, emulatorSha256, scenario }: FactsKey): string {
  return cachePath(
    'facts',
    `${sha256(`${kernelSha256} ${emulatorSha256} ${canonicalScenario(scenario)}`)}.json`,
  );
}

/** Facts that another machine sent; undefined for what are none. */
export function parseFacts(value: unknown): BootFacts | undefined {
  return storedFacts.safeParse(value).data;
}

/** Stores the facts of a boot, so that `predict` can answer without one. */
export async function keepFacts(key: FactsKey, facts: BootFacts): Promise<void> {
  await writeRecord(pathOf(key), JSON.parse(stableJson(facts)));
}

/**
 * Facts of an earlier boot; undefined when there was none, or when the stored facts are damaged.
 */
export async function recallFacts(key: FactsKey): Promise<BootFacts | undefined> {
  const path = pathOf(key);
  const facts = await readRecord(path, storedFacts, say);
  // The file's time records when it was last used.
  if (facts !== undefined) await utimes(path, new Date(), new Date()).catch(() => {});
  return facts;
}
