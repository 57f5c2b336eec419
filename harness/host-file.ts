import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { messageOf, PtdiffError } from '../src/errors.ts';

/** Runs file operations of ours; what fails is the host's fault and says which file. */
export function onHost<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const advice = code === 'ENOSPC' || code === 'EDQUOT' ? 'no space left on the disk; free some and run again' : '';
    throw new PtdiffError('host', `Cannot use ${path}: ${advice || messageOf(error)}.`, { cause: error });
  }
}

/** Writes a whole file. */
export function writeText(path: string, content: string, mode?: number): void {
  onHost(path, () => writeFileSync(path, content, { mode }));
}

/** Writes a whole file so that there is the old one or the new one at any instant. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  onHost(path, () => {
    writeFileSync(`${path}.new`, content, { flush: true });
    renameSync(`${path}.new`, path);
  });
}

/** Appends, and returns when it is on the disk. When that fails the file is as before, not a part longer. */
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
