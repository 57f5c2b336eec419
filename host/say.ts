// SPDX-License-Identifier: GPL-2.0-only
/**
 * Prints a line for the user about work in progress; results go to stdout, everything else goes
 * here.
 */
export function say(line: string): void {
  process.stderr.write(`ptdiff: ${line}\n`);
}
