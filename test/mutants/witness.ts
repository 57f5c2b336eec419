// SPDX-License-Identifier: GPL-2.0-only
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../host/cache.ts';

/** The rooms whose tests are asked, and those that these import (see docs/architecture.md). */
export const rooms = ['vmsa', 'linux', 'scenario', 'evidence', 'model', 'diff', 'compare'] as const;

/** What the answers of all witnesses hang on: the sources, and what their tests share. */
function sharedDigest(root: string): string {
  const files = rooms.flatMap((room) => [
    ...globSync(`src/${room}/**/*.ts`, { cwd: root }),
    ...globSync(`test/${room}/**/*.{ts,gz,json}`, { cwd: root }),
  ]);
  const shared = [...files, ...globSync(['src/*.ts', 'test/*.ts'], { cwd: root })]
    .filter((file) => !file.endsWith('.test.ts'))
    .sort();
  return sha256(
    shared.map((file) => `${file} ${sha256(readFileSync(join(root, file)))}`).join('\n'),
  );
}

/** Names those who can notice a mutant, by what they are now: a changed one has another name. */
export class Witnesses {
  readonly #root: string;
  readonly #shared: string;

  constructor(root: string) {
    this.#root = root;
    this.#shared = sharedDigest(root);
  }

  /** All recorded boots and rules together. */
  get boots(): string {
    return `boots@${this.#shared.slice(0, 16)}`;
  }

  /** A test file, by its path in the project. */
  test(file: string): string {
    const content = sha256(readFileSync(join(this.#root, file)));
    return `${file}@${sha256(this.#shared + content).slice(0, 16)}`;
  }
}
