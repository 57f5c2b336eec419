// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The tail of a real console log, from the line before the first complaint on: see
 * fixtures/README.md for kernel, machine and how the complaint was provoked.
 */
export function recordedLog(name: string): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', 'splats', `${name}.log`), 'utf8');
}
