/** Exit codes of every verb; --help and the README list them. */
export const exitCodes = { pass: 0, findings: 1, usage: 2, errors: 3, interrupted: 130 } as const;
