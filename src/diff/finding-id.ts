// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName } from '../evidence/capture.ts';
import type { FindingKind } from './types.ts';

/**
 * One part of a finding's id from readable text: lower case, words joined by '-'. Everything that
 * differs between days or machines is dropped: numbers, addresses, sizes and kernel versions (every
 * word that starts with a digit), and anything after the first clause.
 */
export function slug(text: string): string {
  const [clause = ''] = text.split(/[:;,(]/);
  const words = clause
    .toLowerCase()
    .replace(/['’]/g, '')
    .split(/[^a-z0-9_.]+/)
    .map((word) => word.replace(/\.+$/, '').replaceAll('.', '-'))
    .filter((word) => word !== '' && !/^v?\d/.test(word));
  return words.join('-') || 'unnamed';
}

/**
 * Stable id of a finding: kind, rule, nature and checkpoint, e.g.
 * 'mismatch/linear-map/kernel-text-alias/writable@init'. `parts` must come from code or from the
 * model's fixed words (through slug), never from addresses or counts.
 */
export function findingId(
  kind: FindingKind,
  parts: readonly string[],
  checkpoint?: CheckpointName,
): string {
  return `${kind}/${parts.join('/')}${checkpoint === undefined ? '' : `@${checkpoint}`}`;
}
