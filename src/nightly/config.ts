// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { PtdiffError } from '../errors.ts';

/** A time such as '2h', '90m' or '1h30m', in seconds. */
export const duration = z
  .string()
  .regex(/^(?=.)(\d{1,3}h)?(\d{1,4}m)?$/, "must be a time such as '2h', '90m' or '1h30m'")
  .transform((text) => {
    const [, hours = '0h', minutes = '0m'] = /^(\d+h)?(\d+m)?$/.exec(text) ?? [];
    return Number.parseInt(hours, 10) * 3600 + Number.parseInt(minutes, 10) * 60;
  })
  .refine((seconds) => seconds > 0, 'must be more than nothing');

const suite = z.strictObject({
  suite: z.string().regex(/^[a-z][a-z-]*$/, 'must be a Debian suite, e.g. sid'),
  flavours: z
    .array(z.enum(['arm64', '16k', 'cloud', 'rt']))
    .min(1)
    .default(['arm64']),
});

const config = z.strictObject({
  kernels: z.array(z.union([z.string().min(1), suite])).min(1),
  scenarios: z.array(z.string().min(1)).min(1).default(['all']),
  budget: duration,
  nights: z.int().min(1).max(365).default(7),
  /** Percent of the budget for machines made at random. */
  explore: z.int().min(0).max(90).default(10),
  jobs: z.int().min(1).max(1024).optional(),
  store: z.string().min(1).optional(),
  out: z.string().min(1).optional(),
});

/** What a night watches and how long it may take; times in seconds. */
export type NightConfig = z.infer<typeof config>;

/** Something to watch: the spec of a kernel, or the newest kernels of a Debian suite. */
export type Watch = NightConfig['kernels'][number];

/** One kernel to watch, with the name that reports use. */
export type SingleWatch = { watch: string } & (
  | { spec: string }
  | { suite: string; flavour: string }
);

/** The watches one by one: if a suite lacks one flavour, that says nothing about the others. */
export function singleWatches(watches: readonly Watch[]): SingleWatch[] {
  return watches.flatMap((each): SingleWatch[] =>
    typeof each === 'string'
      ? [{ watch: each, spec: each }]
      : each.flavours.map((flavour) => ({
          watch: `${each.suite} ${flavour}`,
          suite: each.suite,
          flavour,
        })),
  );
}

/**
 * Checks the configuration of the nights.
 * @param data the parsed YAML
 * @param file its name, for the message
 * @throws PtdiffError(usage) that names every wrong field
 */
export function parseNightConfig(data: unknown, file: string): NightConfig {
  const result = config.safeParse(data);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
  );
  throw new PtdiffError(
    'usage',
    `${file} is not a configuration for nightly: ${problems.join('; ')}.`,
  );
}
