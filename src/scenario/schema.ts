import { z } from 'zod';
import { PtdiffError } from '../errors.ts';
import { cpus } from './cpus.ts';
import { deviceNames } from './devices.ts';
import { RAM_BASE, ramRanges } from './memory.ts';
import { type Machine, type MemoryRange, probeNames, type Scenario } from './types.ts';

const MIB = 2 ** 20;
const page = (value: number): boolean => value % 4096 === 0;

const cpuName = z.enum(cpus.map(({ name }) => name) as [string, ...string[]]);

const range = z.strictObject({
  start: z.int().refine(page, 'must be page-aligned'),
  size: z.int().positive().refine(page, 'must be whole pages'),
});

const machine = z.strictObject({
  cpu: cpuName,
  cpus: z.int().min(1).max(8).default(1),
  memory: z.int().min(256).max(65536).default(1024),
  holes: z.array(range).default([]),
  nodes: z.array(z.array(range).nonempty()).nonempty().optional(),
  world: z.enum(['normal', 'realm']).default('normal'),
  firmware: z.enum(['monitor', 'monitor-rme']).optional(),
  others: z.array(cpuName).optional(),
  late: z.literal(true).optional(),
  its: z.literal(false).optional(),
  devices: z.array(z.enum(deviceNames)).nonempty().optional(),
});

const scenario = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9._+-]{1,80}$/, "may have letters, digits, '.', '_', '+' and '-' only"),
    machine,
    rodata: z.enum(['default', 'noalias', 'off']).default('default'),
    kfenceSampleInterval: z.int().nonnegative().optional(),
    kaslr: z.boolean().default(false),
    // A parameter with white space would become two on the command line.
    parameters: z.array(z.string().regex(/^[^\s]+$/, 'must be one word each')).default([]),
    probes: z.array(z.enum(probeNames)).default(['memfd_secret']),
  })
  .refine(monitorWhereNeeded, {
    path: ['machine', 'firmware'],
    message: "must be 'monitor' or 'monitor-rme' for a realm or for others, of which there are fewer than cpus",
  })
  .refine(({ machine }) => !machine.late || machine.cpus > 1, {
    path: ['machine', 'late'],
    message: 'is for the CPUs after the first, of which the machine has none',
  })
  .refine(({ machine: { devices } }) => new Set(devices).size === (devices?.length ?? 0), {
    path: ['machine', 'devices'],
    message: 'must not name a device twice',
  })
  .refine(nodesInside, {
    path: ['machine', 'nodes'],
    message: 'must begin with the first 256 MiB of the memory, lie inside it, and not overlap',
  })
  .refine(fitTheMonitor, {
    path: ['machine', 'nodes'],
    message:
      "need a firmware, since QEMU's boot loader knows one node only, and must be 8 pieces of whole 2 MiB at most",
  })
  .refine(holesInside, { path: ['machine', 'holes'], message: 'must lie inside the memory, behind its first 256 MiB' });

/** Only the monitor can make a realm, or CPUs that differ. */
function monitorWhereNeeded({
  machine,
}: {
  machine: { world: string; firmware?: string; others?: string[]; cpus: number };
}): boolean {
  const needed = machine.world === 'realm' || machine.others !== undefined;
  return (!needed || machine.firmware !== undefined) && (machine.others?.length ?? 0) < machine.cpus;
}

/** The boot loader needs the start of RAM for the kernel, and the kernel its own initial RAM disk. */
const loaded = 256 * MIB;

type Memory = { machine: Pick<Machine, 'memory' | 'holes' | 'nodes' | 'firmware'> };

function nodesInside({ machine }: Memory): boolean {
  const ranges = (machine.nodes?.flat() ?? []).sort((a, b) => a.start - b.start);
  if (ranges.length === 0) return true;
  const end = ({ start, size }: MemoryRange): number => start + size;
  const [first] = ramRanges(machine);
  return (
    first.start === RAM_BASE &&
    first.size >= loaded &&
    ranges.every((each, index) => index === 0 || end(ranges[index - 1]) <= each.start) &&
    ranges.every((each) => end(each) <= RAM_BASE + machine.memory * MIB)
  );
}

/** arm_load_dtb() of QEMU's hw/arm/boot.c replaces the memory nodes; what the monitor holds: guest/monitor/parameters.h, stage2.c. */
function fitTheMonitor({ machine }: Memory): boolean {
  if (machine.nodes === undefined) return true;
  if (machine.firmware === undefined) return false;
  const ranges = ramRanges(machine);
  return ranges.length <= 8 && ranges.every(({ start, size }) => start % (2 * MIB) === 0 && size % (2 * MIB) === 0);
}

function holesInside({ machine }: Memory): boolean {
  const ram = ramRanges(machine);
  const inside = (hole: MemoryRange): boolean =>
    ram.some(({ start, size }) => hole.start >= start && hole.start + hole.size <= start + size);
  return machine.holes.every((hole) => hole.start >= RAM_BASE + loaded && inside(hole));
}

/**
 * Checks scenarios read from a file: one, or a list.
 * @param data the parsed YAML or JSON
 * @param file its name, for the message
 * @throws PtdiffError(usage) that names every wrong field
 */
export function parseScenarios(data: unknown, file: string): Scenario[] {
  const list = Array.isArray(data) ? data : [data];
  return list.map((item, index) => {
    const result = scenario.safeParse(item);
    if (result.success) return result.data;
    const where = list.length > 1 ? `${file}, scenario ${index + 1}` : file;
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'scenario'}: ${message}`);
    throw new PtdiffError('usage', `${where} is not a valid scenario: ${problems.join('; ')}.`);
  });
}
