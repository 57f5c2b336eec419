// SPDX-License-Identifier: GPL-2.0-only
/** A line for the user about what goes on; results go to stdout, everything else here. */
export function say(line: string): void {
  process.stderr.write(`ptdiff: ${line}\n`);
}
