// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { hostToolchain } from '../../../images/toolchain/toolchain.ts';

const sources = join(import.meta.dirname, '../../../harness/emulator/recorder');

/** Text of a source file of the recorder, and what takes its place. */
export type RecorderChange = readonly [file: string, from: string, to: string];

/**
 * The recorder with something changed in it, compiled as the real one is.
 * @param added source files beside its own, by their names
 */
export async function changedRecorder(
  t: Test,
  changes: readonly RecorderChange[],
  added: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = t.testdir();
  const texts = new Map(Object.entries(added));
  for (const name of readdirSync(sources).filter((each) => /\.[ch]$/.test(each)))
    texts.set(name, readFileSync(join(sources, name), 'utf8'));
  for (const [file, from, to] of changes) {
    const text = texts.get(file) ?? '';
    const changed = text.replace(from, to);
    t.not(changed, text, `${file} has ${from}`);
    texts.set(file, changed);
  }
  for (const [name, text] of texts) writeFileSync(join(folder, name), text);
  const output = join(folder, 'recorder.so');
  const toolchain = await hostToolchain();
  await toolchain.compileShared({
    sources: [...texts.keys()]
      .filter((name) => name.endsWith('.c'))
      .map((name) => join(folder, name)),
    includeDirs: [folder],
    output,
    flags: ['-std=gnu11', '-fvisibility=hidden'],
  });
  return output;
}
