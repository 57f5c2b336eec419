// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runFiles } from '../../results/run-folder.ts';
import type { MatrixRequest } from './plan-matrix.ts';
import { type MatrixResult, runMatrix } from './run-matrix.ts';
import { feedStore } from './store-file.ts';

/** A matrix that was run, and whether the store has it. */
export interface StoredMatrix extends MatrixResult {
  stored: boolean;
}

/**
 * runMatrix(), and what came of it goes into the results store, whether or not the run came to its
 * end: a boot is evidence about its kernel, whatever it was made for.
 * @param store path of the results store, see storeFile()
 */
export async function runStored(
  request: MatrixRequest,
  store: string,
  signal: AbortSignal,
): Promise<StoredMatrix> {
  let ended = false;
  try {
    const result = await runMatrix(request, signal);
    ended = true;
    return { ...result, stored: await feedStore(store, request.out) };
  } finally {
    // The user is told why the run broke off; what it did must not wait for somebody to go on with
    // it.
    if (!ended && existsSync(join(request.out, runFiles.run))) await feedStore(store, request.out);
  }
}
