// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';

/**
 * The part of KCIDB's I/O schema 5.3 that reports may be made of, restated from
 * kcidb_io/schema/v05_03.py of kernelci/kcidb-io (commit 8971c0269a80; Draft 7 JSON Schema):
 * nothing that is not named there is allowed, and nothing may be null.
 */
const origin = z.string().regex(/^[a-z0-9_]+$/);
const id = z.string().regex(/^[a-z0-9_]+:[^\0]*$/);
const text = z.string().regex(/^[^\0]*$/);
const path = z.string().regex(/^([a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*)?$/);
const excerpt = text.max(16_384);
const time = z.iso.datetime({ offset: true });
const misc = z.record(z.string(), z.unknown());
const status = z.enum(['FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP']);
const resources = z.array(z.strictObject({ name: z.string().regex(/^[^/\0]+$/), url: z.url() }));
const version = z.int().nonnegative();

const checkout = z.strictObject({
  id,
  origin,
  tree_name: text.optional(),
  git_repository_url: z.url({ protocol: /^https$/ }).optional(),
  git_commit_hash: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
  git_commit_name: text.optional(),
  git_commit_tags: z.array(text).optional(),
  git_commit_message: text.optional(),
  git_repository_branch: text.optional(),
  git_repository_branch_tip: z.boolean().optional(),
  patchset_files: resources.optional(),
  patchset_hash: z
    .string()
    .regex(/^([0-9a-f]{64})?$/)
    .optional(),
  message_id: z.email().optional(),
  comment: text.optional(),
  start_time: time.optional(),
  origin_builds_finish_time: time.optional(),
  origin_tests_finish_time: time.optional(),
  log_url: z.url().optional(),
  log_excerpt: excerpt.optional(),
  valid: z.boolean().optional(),
  misc: misc.optional(),
});

const build = z.strictObject({
  checkout_id: id,
  id,
  origin,
  comment: text.optional(),
  start_time: time.optional(),
  duration: z.number().optional(),
  architecture: z
    .string()
    .regex(/^[a-z0-9_]*$/)
    .optional(),
  command: text.optional(),
  compiler: text.optional(),
  input_files: resources.optional(),
  output_files: resources.optional(),
  config_name: text.optional(),
  config_url: z.url().optional(),
  log_url: z.url().optional(),
  log_excerpt: excerpt.optional(),
  status: status.optional(),
  misc: misc.optional(),
});

const test = z.strictObject({
  build_id: id,
  id,
  origin,
  environment: z
    .strictObject({
      compatible: z.array(z.string().regex(/^[^ \0]+(,[^ \0]+)*$/)).optional(),
      comment: text.optional(),
      misc: misc.optional(),
    })
    .optional(),
  path: path.optional(),
  comment: text.optional(),
  log_url: z.url().optional(),
  log_excerpt: excerpt.optional(),
  status: status.optional(),
  number: z
    .strictObject({
      value: z.number(),
      unit: text.optional(),
      prefix: z.enum(['metric', 'binary']).optional(),
    })
    .optional(),
  start_time: time.optional(),
  duration: z.number().optional(),
  input_files: resources.optional(),
  output_files: resources.optional(),
  misc: misc.optional(),
});

const issue = z.strictObject({
  id,
  version,
  origin,
  categories: z.array(path).optional(),
  report_url: z.url().optional(),
  report_subject: text.optional(),
  culprit: z
    .strictObject({
      code: z.boolean().optional(),
      tool: z.boolean().optional(),
      harness: z.boolean().optional(),
    })
    .optional(),
  comment: text.optional(),
  misc: misc.optional(),
});

const incident = z.strictObject({
  id,
  origin,
  issue_id: id,
  issue_version: version,
  build_id: id.optional(),
  test_id: id.optional(),
  present: z.boolean().optional(),
  comment: text.optional(),
  misc: misc.optional(),
});

export const kcidbReport = z.strictObject({
  version: z.strictObject({ major: z.literal(5), minor: z.int().min(0).max(3).optional() }),
  checkouts: z.array(checkout).optional(),
  builds: z.array(build).optional(),
  tests: z.array(test).optional(),
  issues: z.array(issue).optional(),
  incidents: z.array(incident).optional(),
});
