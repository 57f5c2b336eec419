// SPDX-License-Identifier: GPL-2.0-only
/** Options of `ptdiff compare` as parsed. */
export interface CompareOptions {
  scenario?: string[];
  jobs: number;
  out?: string;
  json?: boolean;
  qemu?: string;
  farm?: string;
  store?: string;
}
