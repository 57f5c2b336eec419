// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { CaseJob } from '../../../../harness/laboratory/farm/protocol.ts';
import type { CaseResult } from '../../../../src/diff/types.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A case as a worker sends it, before it is packed. */
export interface RecordedCase {
  schema: number;
  result: CaseResult;
  files: Record<string, string>;
}

/** A real case of a real farm, as packReturned() made it: realm+max on Debian's 7.3.4. */
export const recordedFile = join(import.meta.dirname, 'fixtures', 'realm+max.case.zst');

export async function recordedCase(): Promise<RecordedCase> {
  return JSON.parse((await decompress(readFileSync(recordedFile))).toString('utf8'));
}

/** Any value packed as a result is. */
export async function pack(value: unknown): Promise<Buffer> {
  return compress(Buffer.from(JSON.stringify(value)), {
    params: { [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/**
 * The recording under the name of another case, without what the boot was made of, which would be
 * that of the recorded one, and without the tables, which are most of it.
 */
export function repack(
  { schema, result, files }: RecordedCase,
  asked: Pick<CaseJob['case'], 'name' | 'scenario' | 'depth'>,
  kernel: Pick<CaseJob['kernel'], 'sha256'>,
): Promise<Buffer> {
  return pack({
    schema,
    result: {
      ...result,
      case: asked.name,
      scenario: asked.scenario.name,
      depth: asked.depth,
      kernel: { ...result.kernel, sha256: kernel.sha256 },
    },
    files: { 'console.log': files['console.log'] ?? '' },
  });
}

/** What a broken or hostile worker sends. */
export function mangle(packed: Buffer): Buffer {
  const broken = Buffer.from(packed);
  broken[Math.floor(broken.length / 2)] = (broken[Math.floor(broken.length / 2)] ?? 0) ^ 0xff;
  return broken;
}
