// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import type { SystemRegisters } from '../../src/vmsa/types.ts';
import { readFixture } from '../fixture.ts';

/**
 * A guest's own dump, and every table page and register that was read from outside while it stood
 * still after it.
 */
export interface Recorded {
  schema: 1;
  from: string;
  registers: Record<keyof SystemRegisters, string>;
  tables: { pa: number; content: string }[];
  dump: string;
}

/** @param name a76 or v3: see fixtures/README.md */
export function recorded(name: string): Recorded {
  const path = join(import.meta.dirname, 'fixtures', `ptdump-7.3.4-${name}.json.gz`);
  return readFixture<Recorded>(path, 1);
}
