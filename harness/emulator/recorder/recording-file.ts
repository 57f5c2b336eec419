// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { onHost } from '../../../host/host-file.ts';
import { PtdiffError } from '../../../src/errors.ts';

/** Bytes of the file before the events (log.c). */
const headerBytes = 4096;
const magic = 'ptdrec01';
/** Room for events, in bytes: forty boots. Only what is written takes space. */
export const recordingRoom = 2 ** 28;

/**
 * The file into which the recorder writes, mapped into QEMU: what it holds while the machine is
 * stopped is all that happened.
 */
export class RecordingFile {
  readonly #descriptor: number;
  #read = 0;

  /** Makes the file, before QEMU starts. */
  constructor(path: string) {
    this.#descriptor = onHost(path, () => {
      const descriptor = openSync(path, 'wx+', 0o600);
      ftruncateSync(descriptor, headerBytes + recordingRoom);
      return descriptor;
    });
  }

  /**
   * The events since the last call; for a machine that is stopped.
   * @returns undefined when there was no room for all of them
   * @throws PtdiffError(harness) when the recorder never began
   */
  readNew(): Buffer | undefined {
    const header = this.#bytes(0, 24);
    if (header.toString('latin1', 0, 8) !== magic)
      throw new PtdiffError('harness', 'The recorder did not begin to record.');
    if (header.readBigUInt64LE(16) !== 0n) return undefined;
    const head = Number(header.readBigUInt64LE(8));
    const events = this.#bytes(headerBytes + this.#read, head - this.#read);
    this.#read = head;
    return events;
  }

  #bytes(at: number, count: number): Buffer {
    const buffer = Buffer.allocUnsafe(count);
    return buffer.subarray(0, readSync(this.#descriptor, buffer, 0, count, at));
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
