// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { sha256 } from '../../host/cache.ts';

/** The rooms whose tests are asked. */
export const rooms = ['vmsa', 'linux', 'scenario', 'evidence', 'model', 'diff', 'compare'] as const;

/** What answers about recorded boots and rules. */
const bootSources = ['test/model/golden.ts', 'test/model/rules.ts'];

/** Names those who can notice a mutant, by what they are now: a changed one has another name. */
export class Witnesses {
  readonly #root: string;
  readonly #digests = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** All recorded boots and rules together. */
  get boots(): string {
    return `boots@${this.#digestOf(bootSources)}`;
  }

  /** A test file, by its path in the project. */
  test(file: string): string {
    return `${file}@${this.#digestOf([file])}`;
  }

  /** Of some files, of all that they import, and of the recorded data beside them. */
  #digestOf(files: readonly string[]): string {
    const name = files.join();
    const known = this.#digests.get(name);
    if (known !== undefined) return known;
    const all = new Set<string>();
    for (const file of files) {
      this.#addImports(file, all);
      for (const data of globSync(`${dirname(file)}/**/*.{gz,json,txt}`, { cwd: this.#root }))
        all.add(data);
    }
    const contents = [...all]
      .sort()
      .map((file) => `${file} ${sha256(readFileSync(join(this.#root, file)))}`);
    const digest = sha256(contents.join('\n')).slice(0, 16);
    this.#digests.set(name, digest);
    return digest;
  }

  #addImports(file: string, all: Set<string>): void {
    if (all.has(file) || !existsSync(join(this.#root, file))) return;
    all.add(file);
    const source = readFileSync(join(this.#root, file), 'utf8');
    for (const [, path = ''] of source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g))
      this.#addImports(normalize(join(dirname(file), path)), all);
  }
}
