// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { digestSchema } from '../../../host/sealed-folder.ts';
import { compilers } from '../../../images/kernel-spec.ts';
import { depths } from '../../../src/scenario/depth.ts';
import { parseScenarios } from '../../../src/scenario/schema.ts';
import { type Scenario, scenarioSchema } from '../../../src/scenario/types.ts';
import type { Case } from '../boot-case.ts';

/** Everything of a farm lies below this prefix in its engine, so that an ACL can name it. */
export const keyPrefix = 'ptdiff';
/** Queues of BullMQ. */
export const queues = { cases: 'cases', kernels: 'kernels' } as const;
export type QueueName = (typeof queues)[keyof typeof queues];

/** Keys beside those of BullMQ's queues. */
export const keys = {
  /** Which ptdiff the farm runs, as long as one that gives it work lives. */
  version: `${keyPrefix}:farm:version`,
  /** Ids of workers; each has a key of its own that expires. */
  workers: `${keyPrefix}:farm:workers`,
  worker: (id: string) => `${keyPrefix}:farm:worker:${id}`,
  /** There as long as whoever gave out the run's jobs lives. */
  run: (run: string) => `${keyPrefix}:farm:run:${run}`,
  /** Hashes that workers ask a run for. */
  wanted: (run: string) => `${keyPrefix}:farm:wanted:${run}`,
  blob: (sha256: string) => `${keyPrefix}:farm:blob:${sha256}`,
  result: (job: string) => `${keyPrefix}:farm:result:${job}`,
  job: (queue: QueueName, job: string) => `${keyPrefix}:${queue}:${job}`,
} as const;

/** How long things live, and how often they are looked at, in milliseconds. */
export interface FarmTimes {
  /** A lock of a job that its worker does not renew; a lease of a run or worker. */
  lease: number;
  /** How often leases are renewed, stalled jobs and lost events looked for. */
  beat: number;
}

/** Without PTDIFF_FARM_LEASE: seconds after which whoever is not heard of counts as lost. */
const usualLease = 60;

/** A farm over bad lines wants longer leases; a test shorter ones. */
function timesOf(seconds: string | undefined): FarmTimes {
  const asked = Number(seconds);
  const lease = (seconds && asked >= 1 && asked <= 86_400 ? asked : usualLease) * 1000;
  return { lease, beat: lease / 6 };
}
export const farmTimes: FarmTimes = timesOf(process.env.PTDIFF_FARM_LEASE);

/** Times a job may stall: with the third worker that is lost, it counts as what they die of. */
export const mostStalls = 2;

/** How long a result waits for whoever asked for it, in milliseconds. */
export const resultLife = 24 * 3_600_000;
/** How long the engine keeps a file that workers asked for, in milliseconds. */
export const blobLife = 15 * 60_000;
/** Bytes of a result as it travels, and unpacked: a whole case has some hundred kilobytes. */
export const mostResultBytes = { packed: 64 * 2 ** 20, plain: 512 * 2 ** 20 } as const;

const runId = z.string().regex(/^[0-9a-f]{16}$/);
const text = z.string().max(4096);
/** As RunDirectory.caseDirectory() wants it. */
const caseName = z
  .string()
  .max(255)
  .regex(/^[\w+:~@-][\w.+:~@-]*$/);

/** What a case is, but for its kernel and what only its own process can have. */
export type CaseDescription = Omit<Case, 'kernel' | 'directory' | 'hold' | 'replay'>;

/** Each member has its place here: one that is new must not get lost on the way. */
const descriptionShape = {
  name: caseName,
  scenario: scenarioSchema,
  depth: z.enum(depths),
} satisfies { [name in keyof CaseDescription]-?: z.ZodType };

/** The kernel of a job: what it is, never where. */
const kernelSchema = z.strictObject({
  spec: text,
  release: text,
  version: text,
  flavour: text,
  sha256: digestSchema,
  source: text,
  commit: text.exactOptional(),
  tag: text.exactOptional(),
  hasModules: z.literal(true).exactOptional(),
  /** SHA-256 of its configuration, where there is one. */
  config: digestSchema.exactOptional(),
});
export type JobKernel = z.infer<typeof kernelSchema>;

/** What a case needs of a worker, all by hash: nothing in it is a command or a path. */
export const caseJobSchema = z.strictObject({
  schema: z.literal(1),
  /** Of the ptdiff that asks: see ownIdentity(). */
  ptdiff: digestSchema,
  run: runId,
  case: z.strictObject(descriptionShape),
  kernel: kernelSchema,
  emulator: digestSchema,
  initramfs: digestSchema,
  monitor: digestSchema.exactOptional(),
  /** Whether the boot is recorded. */
  record: z.literal(true).exactOptional(),
});
export type CaseJob = z.infer<typeof caseJobSchema>;

/** A git object's name. */
const treeId = z.string().regex(/^[0-9a-f]{40}$/);

/**
 * A kernel that a worker shall build: its source as a tree of git, and what else decides its bytes.
 * Building runs the makefiles of that source, so a worker does it only where it was told to.
 */
export const kernelJobSchema = z.strictObject({
  schema: z.literal(1),
  ptdiff: digestSchema,
  run: runId,
  /** For messages. */
  what: text,
  tree: treeId,
  /** What brings the tree: each pack wants those before it. */
  packs: z.array(z.strictObject({ tree: treeId, pack: digestSchema })).max(8),
  name: text,
  compiler: z.enum(compilers),
  complete: z.boolean(),
  options: z.array(
    z.tuple([text, z.strictObject({ value: text, line: text, optional: z.boolean(), from: text })]),
  ),
  /** See buildKey(): with other tools a worker would build another kernel. */
  key: digestSchema,
});
export type KernelJob = z.infer<typeof kernelJobSchema>;

/**
 * A scenario of a job within the bounds of one in a user's file.
 * @throws PtdiffError(usage) for one that no file may hold
 */
export function checkedScenario(scenario: Scenario): Scenario {
  const [checked] = parseScenarios([scenario], 'the job');
  return checked ?? scenario;
}

/** Characters of a failed build's log that travel: its end, where the errors are. */
export const mostLog = 16_384;

/** What the queue itself tells of a job that has ended; the result lies beside it. */
export const jobEndSchema = z.union([
  z.strictObject({ worker: text }),
  /** Whoever gave out the job was gone. */
  z.strictObject({ abandoned: z.literal(true) }),
]);
export type JobEnd = z.infer<typeof jobEndSchema>;

/** Why a job failed, as its `failedReason` holds it. */
export const jobFailureSchema = z.strictObject({
  fault: z.enum(['usage', 'image', 'host', 'emulator', 'harness']),
  message: z.string().max(20_000),
  worker: text,
  /** The end of a failed build's log. */
  log: z.string().max(mostLog).exactOptional(),
});
export type JobFailure = z.infer<typeof jobFailureSchema>;

/** What a worker tells of itself with each beat. */
export const workerSchema = z.strictObject({
  id: z.string().max(64),
  label: text,
  host: text,
  ptdiff: z.strictObject({ digest: digestSchema, text }),
  emulator: z.strictObject({ version: text, sha256: digestSchema }),
  jobs: z.int().positive().max(1024),
  /** Whether it builds kernels. */
  builds: z.boolean(),
  /** Of the last minute, as the host counts it; and its CPUs. */
  load: z.number().nonnegative(),
  cpus: z.int().positive(),
  /** Names of the cases at work. */
  running: z.array(text).max(1024),
  done: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  /** Seconds since it began. */
  age: z.number().nonnegative(),
});
export type WorkerInfo = z.infer<typeof workerSchema>;

/** Which ptdiff, with which emulator, the farm runs. */
export const versionSchema = z.strictObject({
  digest: digestSchema,
  text,
  emulator: z.strictObject({ version: text, sha256: digestSchema }),
});
export type FarmVersion = z.infer<typeof versionSchema>;

/** The value of JSON that another machine wrote; undefined for what is none of that shape. */
export function parseJson<T>(schema: z.ZodType<T>, json: string | null): T | undefined {
  if (json === null) return undefined;
  try {
    return schema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
