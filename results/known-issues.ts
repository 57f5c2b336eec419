// SPDX-License-Identifier: GPL-2.0-only
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { bootEndId, isBootEnd } from '../src/diff/boot-end.ts';
import type { KnownIssue } from '../src/diff/match-known.ts';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { earlyEnds } from '../src/evidence/capture.ts';
import { first } from '../src/present.ts';

const release = String.raw`\d+\.\d+(\.\d+)?`;

/** A pattern of ids of findings. */
const pattern = z
  .string()
  .regex(
    /^(mismatch|invariant|update|splat)\/[^*/@]+\/[^/@]+(\/[^/@]+)*(@[a-z_*]+)?$/,
    'a finding id whose first two parts have no "*"',
  )
  .refine((id) => !id.startsWith('splat/boot/') || isBootEnd(id), {
    error: `a boot ends in ${earlyEnds.map(bootEndId).join(', ')}`,
  });

/**
 * Front matter of one file; see known-issues/README.md. Unknown keys are refused: a typo must not
 * widen a condition.
 */
const frontMatter = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case words joined by "-"'),
  title: z.string().min(1).max(100),
  kernels: z
    .array(z.string().regex(new RegExp(`^${release}\\.\\.${release}$`), 'FROM..TO, e.g. 6.16..7.3'))
    .min(1),
  match: z.array(pattern).min(1),
  when: z
    .strictObject({
      finding: pattern.optional(),
      world: z.enum(['normal', 'realm']).optional(),
      cpu: z.array(z.string()).min(1).optional(),
      rodata: z
        .array(z.enum(['default', 'noalias', 'off']))
        .min(1)
        .optional(),
      kfence: z.enum(['set', 'unset']).optional(),
      mixed: z.boolean().optional(),
      devices: z.boolean().optional(),
      pagealloc: z.boolean().optional(),
      isolation: z.boolean().optional(),
      rodataOverruled: z.boolean().optional(),
    })
    .default({}),
  cause: z.string().min(1),
  references: z.array(z.string().min(1)).min(1),
});

/**
 * Parses one file of results/known-issues.
 * @throws PtdiffError(usage) that names the file and what is wrong in it.
 */
export function parseKnownIssue(file: string, text: string): KnownIssue {
  const parts = /^---\r?\n([\s\S]*?)\r?\n---\r?\n([\s\S]*)$/.exec(text);
  if (!parts)
    throw fault(file, 'it does not begin with YAML front matter between two lines of ---');
  const [, yaml = '', body = ''] = parts;
  let data: unknown;
  try {
    data = parse(yaml);
  } catch (error) {
    throw fault(file, `its front matter is not YAML (${messageOf(error).split('\n')[0]})`);
  }
  const parsed = frontMatter.safeParse(data);
  if (!parsed.success) {
    const { path, message } = first(parsed.error.issues);
    throw fault(file, `${path.join('.') || 'the front matter'}: ${message}`);
  }
  const name = basename(file, '.md');
  if (parsed.data.id !== name)
    throw fault(file, `its id is '${parsed.data.id}', but must be the file's name, '${name}'`);
  const explanation = body.trim();
  if (explanation === '') throw fault(file, 'it has no text below the front matter');
  return { ...parsed.data, explanation };
}

/** Reads every known issue in a folder (except README.md), in the order of their ids. */
export async function loadKnownIssues(folder: string): Promise<KnownIssue[]> {
  const files = (await readdir(folder))
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .sort();
  return Promise.all(
    files.map(async (file) => parseKnownIssue(file, await readFile(join(folder, file), 'utf8'))),
  );
}

function fault(file: string, what: string): PtdiffError {
  return new PtdiffError(
    'usage',
    `Known issue ${file}: ${what}; see results/known-issues/README.md.`,
  );
}
