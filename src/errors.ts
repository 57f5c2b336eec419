// SPDX-License-Identifier: GPL-2.0-only
/**
 * Who is to blame for a failure. The kernel's faults never travel as exceptions: they are verdicts
 * and findings.
 * - `usage`: something that the user typed or wrote in a file;
 * - `image`: a kernel, firmware or guest image is missing, truncated or not what it claims to be;
 * - `host`: the machine ptdiff runs on (disk, tools, network);
 * - `emulator`: QEMU refused to start, was killed, or does not behave as expected;
 * - `harness`: a defect of ptdiff itself.
 */
export type Fault = 'usage' | 'image' | 'host' | 'emulator' | 'harness';

/** An error for the user: one clear sentence that says what, where, and what to do. */
export class PtdiffError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PtdiffError';
    this.fault = fault;
  }
}

/**
 * The one-sentence message of anything thrown, for code that reports an error instead of throwing
 * it again.
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
