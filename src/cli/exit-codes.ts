// SPDX-License-Identifier: GPL-2.0-only
/** Exit codes of every verb; --help and the README list them. */
export const exitCodes = { pass: 0, findings: 1, usage: 2, errors: 3, interrupted: 130 } as const;

/**
 * What git bisect run understands (git-bisect(1)). A code above 127 ends the bisection; `trouble`
 * must do so, since it is not an answer.
 */
export const bisectRunCodes = { old: 0, new: 1, skip: 125, trouble: 128 } as const;
