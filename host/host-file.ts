// SPDX-License-Identifier: GPL-2.0-only
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { messageOf, PtdiffError } from '../src/errors.ts';

/** Runs file operations of ptdiff itself; a failure is the host's fault and names the file. */
export function onHost<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const advice =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? 'no space left on the disk; free some and run again'
        : '';
    throw new PtdiffError('host', `Cannot use ${path}: ${advice || messageOf(error)}.`, {
      cause: error,
    });
  }
}

/** Writes a complete file. */
export function writeText(path: string, content: string, mode?: number): void {
  onHost(path, () => writeFileSync(path, content, { mode }));
}

/**
 * Writes a complete file, so that at any time there is either the old one or the new one, and
 * nothing else if writing fails.
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  // Unique to this process: a report may be written while the run writes its own.
  const fresh = `${path}.${process.pid}.new`;
  onHost(path, () => {
    try {
      writeFileSync(fresh, content, { flush: true });
      renameSync(fresh, path);
    } catch (error) {
      rmSync(fresh, { force: true });
      throw error;
    }
  });
}

/**
 * Appends, and returns when the data is on disk. If that fails the file is unchanged, without a
 * partial line.
 */
export function appendDurably(path: string, text: string): void {
  onHost(path, () => {
    const descriptor = openSync(path, 'a');
    const before = fstatSync(descriptor).size;
    try {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(descriptor, bytes, done);
      }
      fsyncSync(descriptor);
    } catch (error) {
      ftruncateSync(descriptor, before);
      throw error;
    } finally {
      closeSync(descriptor);
    }
  });
}

/** The text of a file; undefined when there is none. */
export function readTextIfAny(path: string): string | undefined {
  return onHost(path, () => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return undefined;
      }
      throw error;
    }
  });
}
