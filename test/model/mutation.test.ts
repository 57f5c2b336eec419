// SPDX-License-Identifier: GPL-2.0-only
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { noticed } from './golden-check.ts';
import { mutations } from './mutations/index.ts';
import { broken, type Mutation } from './mutations/mutation.ts';

/** What the golden boots need of the repository. */
const needed = ['src', 'harness', 'test/model', 'test/given.ts', 'package.json'];
const root = join(import.meta.dirname, '..', '..');

/**
 * Runs the golden boots in a copy of the repository; true when a boot differs from the prediction,
 * or the model fails.
 * @throws Error for a mutation with which the model does not even load
 */
async function isNoticed(copy: string, mutation: Mutation): Promise<boolean> {
  const path = join(copy, mutation.file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(path, broken(original, mutation));
  try {
    const check = await execa(process.execPath, [join(copy, 'test/model/golden-check.ts')], {
      reject: false,
    });
    if (check.exitCode !== 0 && check.exitCode !== noticed)
      throw new Error(`With '${mutation.to}' the model does not load: ${check.stderr}`);
    return check.exitCode === noticed;
  } finally {
    writeFileSync(path, original);
  }
}

t.setTimeout(900_000);

t.test('a broken rule of the model is noticed', { timeout: 900_000 }, async (t) => {
  const scratch = await dir({ prefix: 'ptdiff-mutation-', unsafeCleanup: true });
  t.teardown(() => scratch.cleanup());
  for (const path of needed)
    cpSync(join(root, path), join(scratch.path, path), { recursive: true });
  mkdirSync(join(scratch.path, 'node_modules'), { recursive: true });
  symlinkSync(join(root, 'node_modules', 'zod'), join(scratch.path, 'node_modules', 'zod'));
  const { exitCode } = await execa(
    process.execPath,
    [join(scratch.path, 'test/model/golden-check.ts')],
    {
      reject: false,
    },
  );
  t.equal(exitCode, 0, 'the unbroken model is exact');
  for (const mutation of mutations)
    t.ok(await isNoticed(scratch.path, mutation), `${mutation.file}: ${mutation.rule}`);
});
