// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName, Recording } from './capture.ts';
import type { RecordingReader } from './recording-reader.ts';

/**
 * Reads all events of a recording.
 * @param goOn is told, before those that come next, which checkpoint follows them; undefined before
 * those after the last one
 * @throws PtdiffError('harness') for a damaged recording
 */
export function readByMoments(
  { moments, events }: Recording,
  reader: RecordingReader,
  goOn: (before: CheckpointName | undefined) => void,
): void {
  let at = 0;
  for (const { checkpoint, bytes } of moments) {
    goOn(checkpoint);
    reader.read(events.subarray(at, bytes));
    at = bytes;
  }
  goOn(undefined);
  reader.read(events.subarray(at));
}
