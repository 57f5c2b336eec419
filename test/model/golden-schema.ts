// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import type { BootFacts } from '../../src/evidence/boot-facts.ts';
import { checkpointNames, type ProbeResult, type RsiCall } from '../../src/evidence/capture.ts';
import { rsiFunctions } from '../../src/evidence/monitor-report.ts';
import type { CpuCapability } from '../../src/linux/cpu-capabilities.ts';
import type { Geometry } from '../../src/linux/geometry.ts';
import type { KernelConfig } from '../../src/linux/kernel-config.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';

/**
 * Version of the recorded boots; raised when a reader of the old shape would misread the new one.
 */
export const goldenVersion = 3;

const int = z.int();
const yes = z.boolean();
const granule = z.union([z.literal(4096), z.literal(16384), z.literal(65536)]);
const checkpoint = z.enum(checkpointNames);
const range = z.strictObject({ start: z.number(), end: z.number() });
const registers = z.record(z.string(), z.bigint());

// Each schema is checked against the model's own type: a trait that is new there and not here does
// not compile.
const geometry: z.ZodType<Geometry> = z.strictObject({
  granule,
  pageShift: int,
  tableBits: int,
  CONT_PTE_SIZE: int,
  PMD_SIZE: int,
  CONT_PMD_SIZE: int,
  PUD_SIZE: int,
  pudSectSupported: yes,
});

const config: z.ZodType<KernelConfig> = z.strictObject({
  granule,
  vaBits: int,
  paBits: int,
  lpa2: yes,
  kfence: yes,
  kfenceEarlyInit: yes,
  kfenceNumObjects: int,
  rodataFull: yes,
  strictKernelRwx: yes,
  debugPagealloc: yes,
  debugPageallocDefault: yes,
  crashReserve: yes,
  hotplugCpu: yes,
  randomizeBase: yes,
  unmapKernelAtEl0: yes,
  e0pd: yes,
  hwAfdbm: yes,
  haft: yes,
  mte: yes,
  fujitsuErratum010001: yes,
  secretmem: yes,
});

const midrs = z.array(z.strictObject({ model: int, from: int, to: int }));
const cpuCapability: z.ZodType<CpuCapability> = z.strictObject({
  number: int,
  description: z.string(),
  type: int,
  match: z.union([
    z.strictObject({ midrs }),
    z.strictObject({ bbml: z.enum(['bbml2', 'bbml3']), listed: midrs.exactOptional() }),
  ]),
});

const traits: z.ZodType<KernelTraits> = z
  .strictObject({
    release: z.strictObject({ major: int, minor: int, patch: int, rc: int.exactOptional() }),
    generation: z.string(),
    newerThanKnown: yes,
    geometry,
    config,
    rodataFullSpelling: z.enum(['full', 'on']),
    bbml: z.enum(['none', 'bbml2', 'bbml3']),
    // JSON has no undefined: absent before 6.18.
    requiresSymbol: z.union([z.string(), z.undefined()]),
    splitAsksRequires: yes,
    knowsRealms: yes,
    // Recordings are of kernels that probe late: none of them was asked.
    rsiBeforePagingInit: yes.default(false),
    aliasStart: z.enum(['_text', '_stext']),
    mapsKernelFirst: yes,
    keepsTables: yes,
    keepsSingleLeaves: yes,
    contiguousMayChange: yes,
    protectsContiguously: yes,
    mapsWholePagesOnly: yes,
    dataAlias: z.enum(['writable', 'readOnly', 'invalid']),
    kernelDirty: yes,
    presentInvalid: yes,
    tableAccessFlag: yes,
    randomLinearMap: yes,
    aliasOfWholeArea: yes,
    cpuCapabilities: z.array(cpuCapability),
    brokenDbm: midrs,
    builtInDrivers: z.array(z.string()),
  })
  .refine(({ bbml, requiresSymbol }) => (bbml === 'none') === (requiresSymbol === undefined), {
    path: ['requiresSymbol'],
    error: 'belongs to a kernel with a BBM capability, and to each of them',
  });

const facts: z.ZodType<BootFacts> = z.strictObject({
  idRegisters: z.array(registers).min(1),
  image: z.strictObject({ pa: z.number(), slide: z.bigint() }),
  memstartAddr: z.bigint().exactOptional(),
  kfencePool: z.number().exactOptional(),
  crashKernel: z.number().exactOptional(),
  memblockReserved: z.array(range).exactOptional(),
  readOnlyVmalloc: z.partialRecord(checkpoint, z.array(range)),
  freePages: z.partialRecord(checkpoint, z.array(range)).exactOptional(),
  freeAtKpti: z.array(range).exactOptional(),
  splitRequests: z.array(
    z.strictObject({
      start: z.bigint(),
      end: z.bigint(),
      before: checkpoint,
      early: z.literal(true).exactOptional(),
    }),
  ),
  protectRequests: z
    .array(z.strictObject({ frames: z.array(range), before: checkpoint }))
    .exactOptional(),
  sharing: z.array(
    z.strictObject({
      start: z.bigint(),
      pages: int,
      direction: z.enum(['decrypt', 'encrypt']),
      capabilitiesFinal: yes,
      onlineCpus: int,
      pageAllocator: yes.exactOptional(),
      caller: z.string(),
      before: checkpoint,
    }),
  ),
  ipaBits: int.exactOptional(),
  probePages: z.array(z.number()),
});

const rsiCall: z.ZodType<RsiCall> = z.strictObject({
  rsi: z.enum(rsiFunctions),
  arguments: z.tuple([z.bigint(), z.bigint(), z.bigint(), z.bigint()]),
  results: z.tuple([z.bigint(), z.bigint(), z.bigint()]),
  cpu: int,
  before: checkpoint,
});

const piece = z.strictObject({ start: z.number(), size: z.number() });
/** What no machine is without; what only some have stays as it is. */
const machine = z.looseObject({
  cpu: z.string(),
  cpus: int,
  memory: int,
  holes: z.array(piece),
  world: z.enum(['normal', 'realm']),
});

const probe: z.ZodType<ProbeResult> = z.strictObject({
  probe: z.string(),
  errno: int,
  call: z.string(),
  pages: z.array(z.number()),
  data: z.string().exactOptional(),
});

const capture = z.looseObject({
  checkpoint,
  cpus: z.array(z.strictObject({ online: yes, registers })).min(1),
  variables: registers,
  walk: z.string().min(1),
});

/** A recorded boot, whole. */
export const goldenSchema = z.strictObject({
  schema: z.literal(goldenVersion),
  /** Kernel release and scenario it was recorded from, with the emulator. */
  from: z.string(),
  /** SHA-256 of the Image; recordings of kernels that were built before it was kept lack it. */
  image: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
  /**
   * Paths of traits that nobody asked the Image for when the boot was recorded, and that cannot be
   * had any more: the model must not ask for them.
   */
  unrecorded: z.array(z.string()),
  /**
   * Kernel variables that nobody read when the boot was recorded: what the model says of them is
   * not compared.
   */
  unobserved: z.array(z.string()),
  question: z.strictObject({
    traits,
    machine,
    parameters: z.array(z.string()),
    kaslr: yes,
    probes: z.array(z.string()),
    facts,
  }),
  symbolOffsets: z.record(z.string(), int),
  captures: z.array(capture).min(1),
  probes: z.array(probe),
  /**
   * Of a realm: what it asked of the RMM, and its files that tell what it mapped; older recordings
   * lack them.
   */
  rsi: z.strictObject({ calls: z.array(rsiCall), lost: int }).exactOptional(),
  files: z.record(z.string(), z.string()).exactOptional(),
});
