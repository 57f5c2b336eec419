// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { sizedRange } from '../linux/physical-range.ts';
import { capturedVariables, maximumBitmapBytes, unsignedInteger } from '../linux/variables.ts';
import type { Level } from '../vmsa/types.ts';
import type { DescriptorRun } from '../vmsa/walk-runs.ts';
import {
  type Board,
  type BoardCpu,
  type BoardOverride,
  type BoardRange,
  type BoardRegion,
  boardBounds,
  boardFiles,
  boardMembers,
  boardSources,
  type Collected,
  lockdownStates,
} from './board.ts';
import { boardLines, damagedBoard, printable } from './board-lines.ts';
import { readVmcoreInfo } from './read-vmcoreinfo.ts';

const collectedSchema: z.ZodType<Collected> = z.strictObject({
  schema: z.literal(1),
  collector: z.string().max(64),
  source: z.enum(boardSources),
  walks: z.int().nonnegative(),
  settled: z.boolean(),
  uptime: z.number().nonnegative().nullable(),
  lockdown: z.enum(lockdownStates).nullable(),
  lost: z.array(z.string().max(1000)).max(256),
});

/**
 * Reads an archive of `collect`, member by member. Nothing in it is trusted: what is not exactly as
 * it must be ends in one sentence.
 * @param members contents by name
 * @throws PtdiffError(usage)
 */
export function readBoard(members: ReadonlyMap<string, Uint8Array>): Board {
  for (const name of members.keys()) {
    if (!boardMembers.has(name)) throw damagedBoard(`it has a member '${printable(name)}'`);
  }
  const member = <T>(name: string, read: (bytes: Uint8Array) => T): T | undefined => {
    const bytes = members.get(name);
    return bytes && read(bytes);
  };
  const collected = member('collect.json', readCollected);
  if (collected === undefined)
    throw damagedBoard('it has no collect.json, so that it is no archive of ptdiff collect');
  const [vmcoreinfo, fdt, image] = [
    member('vmcoreinfo', readVmcoreInfo),
    members.get('fdt'),
    members.get('Image'),
  ];
  return {
    collected,
    ...(vmcoreinfo && { vmcoreinfo }),
    descriptors: [],
    ...member('descriptors', readDescriptors),
    unsettled: member('unsettled', readUnsettled) ?? [],
    variables: member('variables', readVariables) ?? {},
    ...member('memblock', readMemblock),
    cpus: member('cpus', readCpus) ?? [],
    overrides: member('overrides', readOverrides) ?? [],
    secret: member('secret', readSecret) ?? [],
    files: Object.fromEntries(
      Object.entries(boardFiles).flatMap(([name, path]) => {
        const bytes = members.get(name);
        return bytes === undefined ? [] : [[path, new TextDecoder().decode(bytes)]];
      }),
    ),
    ...(fdt && { fdt }),
    ...(image && { image }),
  };
}

function readCollected(bytes: Uint8Array): Collected {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw damagedBoard('collect.json is not JSON');
  }
  const written = z.object({ schema: z.number() }).safeParse(value).data?.schema;
  if (written !== undefined && written !== 1)
    throw damagedBoard(`it has schema ${written}, and this ptdiff reads 1; use a newer one`);
  const { data, error } = collectedSchema.safeParse(value);
  if (data !== undefined) return data;
  const issue = error.issues[0];
  const where = issue && issue.path.length > 0 ? `'${printable(issue.path.join('.'))}' ` : '';
  throw damagedBoard(`${where}in collect.json is wrong: ${printable(issue?.message ?? '', 200)}`);
}

/** Line 1: `root PA ENTRIES`; then `LEVEL VA COUNT DESCRIPTOR STRIDE`. */
function readDescriptors(bytes: Uint8Array): Pick<Board, 'root' | 'descriptors'> {
  const descriptors: DescriptorRun[] = [];
  let root: Board['root'];
  for (const line of boardLines('descriptors', bytes, boardBounds.runs + 1)) {
    if (root === undefined) {
      line.count(3);
      line.word(0, ['root']);
      root = { pa: line.physical(1), entries: line.decimal(2, 1, 2 ** 13) };
      continue;
    }
    line.count(5);
    const level = line.decimal(0, -1, 3) as Level;
    const run = { level, va: line.hex(1), count: Number(line.hex(2)) };
    if (run.count < 1 || run.count > 2 ** 40) line.fail('counts no entries, or too many');
    descriptors.push({ ...run, descriptor: line.hex(3), stride: line.hex(4) });
  }
  if (root === undefined) throw damagedBoard('descriptors names no root');
  return { root, descriptors };
}

function readUnsettled(bytes: Uint8Array): BoardRange[] {
  return [...boardLines('unsettled', bytes, boardBounds.regions)].map((line) => {
    line.count(2);
    const range = { start: line.hex(0), end: line.hex(1) };
    return range.start < range.end ? range : line.fail('is an empty range');
  });
}

function readVariables(bytes: Uint8Array): Record<string, bigint> {
  const variables: Record<string, bigint> = {};
  const names = Object.keys(capturedVariables);
  for (const line of boardLines('variables', bytes, names.length)) {
    line.count(2);
    const name = line.text(0);
    if (!names.includes(name)) line.fail('names no variable that anybody asked for');
    if (name in variables) line.fail('is there twice');
    const digits = line.text(1);
    const size = capturedVariables[name] || undefined;
    const most = size ?? maximumBitmapBytes;
    if (!/^([0-9a-f]{2})+$/.test(digits) || digits.length > 2 * most)
      line.fail(`does not have the bytes of ${name}`);
    if (size !== undefined && digits.length !== 2 * size)
      line.fail(`has ${digits.length / 2} bytes, not ${size}`);
    variables[name] = unsignedInteger(Buffer.from(digits, 'hex'));
  }
  return variables;
}

/** `memory|reserved START SIZE FLAGS NID`. */
function readMemblock(bytes: Uint8Array): Required<Pick<Board, 'memory' | 'reserved'>> {
  const found: Record<'memory' | 'reserved', BoardRegion[]> = { memory: [], reserved: [] };
  for (const line of boardLines('memblock', bytes, 2 * boardBounds.regions)) {
    line.count(5);
    const regions = found[line.word(0, ['memory', 'reserved'])];
    const range = sizedRange(line.physical(1), line.physical(2));
    if (range.end <= range.start || range.end > 2 ** 52) line.fail('is no range of memory');
    if (range.start < (regions.at(-1)?.end ?? 0)) line.fail('overlaps the region before it');
    if (regions.length >= boardBounds.regions) line.fail('is one region too many');
    const flags = Number(BigInt.asUintN(32, line.hex(3)));
    regions.push({ ...range, flags, node: Number(BigInt.asIntN(32, line.hex(4))) });
  }
  return found;
}

/** `CPU online|offline NAME=VALUE …`. */
function readCpus(bytes: Uint8Array): BoardCpu[] {
  const cpus: BoardCpu[] = [];
  for (const line of boardLines('cpus', bytes, boardBounds.cpus)) {
    const cpu = line.decimal(0, cpus.length === 0 ? 0 : (cpus.at(-1)?.cpu ?? 0) + 1, 2 ** 16);
    const online = line.word(1, ['online', 'offline']) === 'online';
    const registers: Record<string, bigint> = {};
    for (const field of line.fields.slice(2)) {
      const [, name = '', value = ''] =
        /^([A-Z][A-Z0-9_]{2,30})=([0-9a-f]{1,16})$/.exec(field) ?? [];
      if (name === '' || name in registers) line.fail(`has no register in '${printable(field)}'`);
      registers[name] = BigInt(`0x${value}`);
    }
    cpus.push({ cpu, online, registers });
  }
  return cpus;
}

/** `NAME VALUE MASK`. */
function readOverrides(bytes: Uint8Array): BoardOverride[] {
  return [...boardLines('overrides', bytes, 256)].map((line) => {
    line.count(3);
    const register = line.text(0);
    if (!/^[A-Z][A-Z0-9_]{2,30}$/.test(register)) line.fail('names no register');
    return { register, value: line.hex(1), mask: line.hex(2) };
  });
}

function readSecret(bytes: Uint8Array): Board['secret'] {
  let total = 0;
  return [...boardLines('secret', bytes, boardBounds.regions)].map((line) => {
    line.count(2);
    const range = { start: line.physical(0), end: line.physical(1) };
    if (range.start >= range.end) line.fail('is an empty range');
    total += range.end - range.start;
    if (total > boardBounds.secret) line.fail('makes more memory secret than anybody may lock');
    return range;
  });
}
