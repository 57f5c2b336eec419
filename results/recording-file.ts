// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { onHost } from '../host/host-file.ts';
import { messageOf, PtdiffError } from '../src/errors.ts';
import type { Recording } from '../src/evidence/capture.ts';
import { checkpointNames } from '../src/evidence/capture.ts';

/** In the folder of a case: a line of JSON, then the events, compressed by Zstandard. */
export const recordingName = 'recording.zst';
/** Bytes that a recording may have when it is unpacked: all that the recorder has room for. */
const most = 2 ** 28 + 2 ** 24;

const headSchema = z.object({
  schema: z.literal(1),
  functions: z.array(
    z.object({
      name: z.string(),
      role: z.enum(['operation', 'switch', 'pgd_free']),
      arguments: z.number().int().min(0).max(8),
      returns: z.boolean(),
    }),
  ),
  ramBase: z.number(),
  moments: z.array(z.object({ checkpoint: z.enum(checkpointNames), bytes: z.number().int() })),
  sites: z.array(z.string()),
  callers: z.array(z.string()),
});

/** @throws PtdiffError(host) when it cannot be written */
export function writeRecording(directory: string, { events, ...head }: Recording): void {
  const line = Buffer.from(`${JSON.stringify({ schema: 1, ...head })}\n`);
  const path = join(directory, recordingName);
  onHost(path, () => writeFileSync(path, zstdCompressSync(Buffer.concat([line, events]))));
}

/** Whether a boot was recorded. */
export function hasRecording(directory: string): boolean {
  return existsSync(join(directory, recordingName));
}

/**
 * The recording of a case; undefined where its boot was not recorded.
 * @throws PtdiffError(harness) when the file is damaged
 */
export function readRecording(directory: string): Recording | undefined {
  const path = join(directory, recordingName);
  if (!existsSync(path)) return undefined;
  try {
    return unpackRecording(readFileSync(path));
  } catch (error) {
    throw new PtdiffError('harness', `The recording ${path} is damaged: ${messageOf(error)}.`);
  }
}

/** @throws Error for what is no recording; what its events are is not looked at */
export function unpackRecording(packed: Uint8Array): Recording {
  const all = zstdDecompressSync(packed, { maxOutputLength: most });
  const end = all.indexOf(10);
  const { schema: _, ...head } = headSchema.parse(JSON.parse(all.toString('utf8', 0, end)));
  return { ...head, events: all.subarray(end + 1) };
}
