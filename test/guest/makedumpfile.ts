// SPDX-License-Identifier: GPL-2.0-only
/** The real makedumpfile, and what it reads in a crash kernel. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureLists } from '../../images/debian/apt.ts';
import { openKernelArchive } from '../../images/debian/kernel-catalogue.ts';
import { packageClosure } from '../../images/debian/package-closure.ts';
import { openToolArchive } from '../../images/toolchain/tool-archive.ts';
import { toolPrefix } from '../../images/toolchain/tool-prefix.ts';

/**
 * Debian's makedumpfile for arm64, which reads dumps of its own architecture alone, and the emulator
 * of programs that runs it here.
 */
const tools = () =>
  toolPrefix(
    'makedumpfile-arm64',
    async () => {
      const host = await openToolArchive('trixie', {});
      const target = await openKernelArchive({});
      await ensureLists(target, {});
      return {
        parts: [
          { archive: target, packages: await packageClosure(target, ['makedumpfile'], 'trixie') },
          { archive: host, packages: await packageClosure(host, ['qemu-user'], 'trixie') },
        ],
        notes: [],
      };
    },
    {},
  );

/** Runs makedumpfile on a dump, which is to be in the form of /proc/vmcore. */
export async function makedumpfile(options: string[], from: string, to: string): Promise<void> {
  const { tree } = await tools();
  const program = join(tree, 'usr/bin/makedumpfile');
  // It is linked statically.
  const command = [join(tree, 'usr/bin/qemu-aarch64'), '-L', tree, program, ...options, from];
  const isFlattened = options.includes('-F');
  await execa(command[0] as string, [...command.slice(1), ...(isFlattened ? [] : [to])], {
    stdout: isFlattened ? { file: to } : 'ignore',
  });
}

const headerBytes = 64;
const segmentBytes = 56;

/** A segment of an ELF core on 64 bits. */
interface Segment {
  type: number;
  offset: number;
  pa: bigint;
  bytes: number;
}

function segmentsOf(core: Buffer): Segment[] {
  const first = Number(core.readBigUInt64LE(32));
  return Array.from({ length: core.readUInt16LE(56) }, (_, index) => {
    const at = first + index * segmentBytes;
    return {
      type: core.readUInt32LE(at),
      offset: Number(core.readBigUInt64LE(at + 8)),
      pa: core.readBigUInt64LE(at + 24),
      bytes: Number(core.readBigUInt64LE(at + 32)),
    };
  });
}

/** A note of the type 0 (elf.h), padded to words. */
function note(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(name.length + 1);
  head.writeUInt32LE(content.length, 4);
  const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  return Buffer.concat([head, padded(Buffer.from(`${name}\0`)), padded(content)]);
}

/**
 * Writes QEMU's ELF core in the form of /proc/vmcore: QEMU 9 and later have their section headers
 * where makedumpfile looks for segments, and leave VMCOREINFO out.
 */
export function writeVmcore(qemus: string, vmcoreinfo: Buffer, to: string): void {
  const core = readFileSync(qemus);
  const [cpus, ...memory] = segmentsOf(core).sort((a, b) => Number(a.type < b.type) - 0.5);
  if (cpus === undefined || memory.length === 0) throw new Error(`no segments in ${qemus}`);
  const notes = Buffer.concat([
    core.subarray(cpus.offset, cpus.offset + cpus.bytes),
    note('VMCOREINFO', vmcoreinfo),
  ]);
  const header = Buffer.from(core.subarray(0, headerBytes));
  header.writeBigUInt64LE(BigInt(headerBytes), 32);
  header.writeBigUInt64LE(0n, 40);
  header.writeUInt16LE(headerBytes, 52);
  header.writeUInt16LE(memory.length + 1, 56);
  header.fill(0, 58);
  let offset = headerBytes + segmentBytes * (memory.length + 1);
  const segment = (type: number, pa: bigint, bytes: number): Buffer => {
    const made = Buffer.alloc(segmentBytes);
    made.writeUInt32LE(type);
    made.writeBigUInt64LE(BigInt(offset), 8);
    made.writeBigUInt64LE(pa, 24);
    made.writeBigUInt64LE(BigInt(bytes), 32);
    made.writeBigUInt64LE(BigInt(bytes), 40);
    offset += bytes;
    return made;
  };
  const segments = [
    segment(4, 0n, notes.length),
    ...memory.map(({ type, pa, bytes }) => segment(type, pa, bytes)),
  ];
  const contents = memory.map((each) => core.subarray(each.offset, each.offset + each.bytes));
  writeFileSync(to, Buffer.concat([header, ...segments, notes, ...contents]));
}
