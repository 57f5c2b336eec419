// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTextIfAny } from '../../../host/host-file.ts';
import { buildLog, type KernelRecipe } from '../../../images/source/build-kernel.ts';
import { PtdiffError } from '../../../src/errors.ts';
import { mostLog } from './protocol.ts';

/** A kernel that does not build: its own fault, or that of who configured it. */
export class FailedBuild extends PtdiffError {
  /** The end of what make and the compiler said. */
  readonly log: string;

  constructor(message: string, log: string, options?: ErrorOptions) {
    super('image', message, options);
    this.name = 'FailedBuild';
    this.log = log;
  }
}

/** How a message of buildKernel() names the log. */
const naming = (path: string): string => `; the log is ${path}`;

/**
 * What a build on this host failed of, for whoever asked for it: with the end of the log, and
 * without its path, which says nothing elsewhere.
 */
export function withLog(error: PtdiffError, recipe: KernelRecipe): FailedBuild {
  const path = buildLog(recipe);
  const log = readTextIfAny(path) ?? '';
  const message = error.message.replace(naming(path), '');
  return new FailedBuild(message, log.slice(-mostLog), { cause: error });
}

/** The same as if the kernel had been built here: the log lies where its own would be. */
export async function takeInLog(error: FailedBuild, recipe: KernelRecipe): Promise<PtdiffError> {
  const { message, log } = error;
  if (log === '') return error;
  const path = buildLog(recipe);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, log);
  const told = `${message.replace(/\.$/, '')}${naming(path)}.`;
  return new PtdiffError('image', told, { cause: error });
}
