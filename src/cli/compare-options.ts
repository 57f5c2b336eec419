// SPDX-License-Identifier: GPL-2.0-only
import type { MannerOptions } from './manner-options.ts';

/** Options of `ptdiff compare` as parsed. */
export interface CompareOptions extends MannerOptions {
  scenario?: string[];
  jobs: number;
  out?: string;
  json?: boolean;
  store?: string;
}
