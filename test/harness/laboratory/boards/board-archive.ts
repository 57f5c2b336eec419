// SPDX-License-Identifier: GPL-2.0-only
import { gzipSync } from 'node:zlib';
import { geometryOf, levelShift } from '../../../../src/linux/geometry.ts';
import type { CheckpointPrediction } from '../../../../src/model/types.ts';
import type { Granule } from '../../../../src/vmsa/types.ts';
import type { DescriptorRun } from '../../../../src/vmsa/walk-runs.ts';

/** A member of a tar file; all but `name` and `bytes` serves to make what no `collect` would. */
export interface Member {
  name: string;
  bytes: Uint8Array;
  /** Type of POSIX ustar: '0' a file, '2' a symbolic link, … */
  type?: string;
  link?: string;
  /** The size that the header gives, where it lies. */
  size?: number;
}

/** A POSIX ustar file, written by hand: a library would refuse half of what the tests need. */
export function tarOf(members: readonly Member[]): Buffer {
  const blocks = members.flatMap(({ name, bytes, type = '0', link = '', size }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100, 'latin1');
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write(type, 156);
    header.write(link, 157, 100, 'latin1');
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function archiveOf(members: ReadonlyMap<string, Uint8Array>): Buffer {
  return packed(tarOf([...members].map(([name, bytes]) => ({ name, bytes }))));
}

/** As `collect` packs it, but for the effort: tests pack thousands. */
export const packed = (bytes: Uint8Array): Buffer => gzipSync(bytes, { level: 1 });

/** The members of a tar file that tarOf(), or `collect`, wrote. */
export function membersOfTar(tar: Buffer): Map<string, Buffer> {
  const members = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const name = tar.toString('latin1', at, at + 100).replace(/\0.*/s, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    members.set(name, tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return members;
}

/** The text of `descriptors`. */
export function descriptorsText(
  root: { pa: number; entries: number },
  runs: readonly DescriptorRun[],
): Buffer {
  const hex = (value: bigint | number): string => value.toString(16);
  const lines = runs.map(
    ({ level, va, count, descriptor, stride }) =>
      `${level} ${hex(va)} ${hex(count)} ${hex(BigInt.asUintN(64, descriptor))} ${hex(BigInt.asUintN(64, stride))}\n`,
  );
  return Buffer.from(`root ${hex(root.pa)} ${root.entries}\n${lines.join('')}`);
}

/** Writes the lines of `descriptors` back into runs. */
export function parseDescriptors(text: string): DescriptorRun[] {
  return text
    .split('\n')
    .slice(1, -1)
    .map((line) => {
      const [level, ...rest] = line.split(' ');
      const [va = 0n, count, descriptor = 0n, stride = 0n] = rest.map((field) =>
        BigInt(`0x${field}`),
      );
      return {
        level: Number(level) as DescriptorRun['level'],
        va,
        count: Number(count),
        descriptor,
        stride,
      };
    });
}

/**
 * The descriptors of a predicted linear map, as a kernel that follows the prediction would leave
 * them.
 * @param tables physical address from which on the tables lie, one after the other
 */
export function runsOfPrediction(
  { leaves, tables }: Pick<CheckpointPrediction, 'leaves' | 'tables'>,
  granule: Granule,
  firstTable: number,
): DescriptorRun[] {
  const geometry = geometryOf(granule);
  const sizeOf = (level: number) => 2 ** levelShift(geometry, level as 3);
  const runs: DescriptorRun[] = leaves.map(({ level, va, size, attributes, pa }) => ({
    ...{ level, va, count: size / sizeOf(level) },
    descriptor: attributes | addressOf(BigInt(pa)),
    stride: BigInt(sizeOf(level)),
  }));
  let next = BigInt(firstTable);
  for (const { level, va, attributes } of tables) {
    const above = (level - 1) as DescriptorRun['level'];
    runs.push({ level: above, va, count: 1, descriptor: attributes | addressOf(next), stride: 0n });
    next += BigInt(granule);
  }
  return joinRuns(inOrder(runs), sizeOf);
}

/** The address of a descriptor with LPA2 (DDI 0487 D8.3.1); below 2^50 it is the address itself. */
const addressOf = (pa: bigint): bigint => (pa % 2n ** 50n) + ((pa >> 50n) << 8n);

export function inOrder(runs: readonly DescriptorRun[]): DescriptorRun[] {
  return [...runs].sort((a, b) => a.level - b.level || (a.va < b.va ? -1 : 1));
}

function joinRuns(
  runs: readonly DescriptorRun[],
  sizeOf: (level: number) => number,
): DescriptorRun[] {
  const joined: DescriptorRun[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    const end = last && last.va + BigInt(last.count * sizeOf(last.level));
    if (last && last.level === run.level && end === run.va) {
      const following = last.descriptor + last.stride * BigInt(last.count);
      if (last.count === 1 && run.count === 1) {
        last.stride = run.descriptor - last.descriptor;
        last.count = 2;
        continue;
      }
      if (following === run.descriptor && (run.count === 1 || run.stride === last.stride)) {
        last.count += run.count;
        continue;
      }
    }
    joined.push({ ...run });
  }
  return joined;
}
