// SPDX-License-Identifier: GPL-2.0-only
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Mutant } from './find-mutants.ts';
import { type Ending, keyOf } from './outcomes.ts';

/**
 * The mutants that were noticed, kept while a long run goes on: one JSON array `[name, by]` a line.
 * A line that was cut short, and a mutant that is no more, count for nothing.
 */
export class NoticedFile {
  readonly #path: string | undefined;
  readonly #names: ReadonlyMap<number, string>;

  /** @param path undefined keeps nothing */
  constructor(path: string | undefined, mutants: readonly Mutant[]) {
    this.#path = path;
    this.#names = namesOf(mutants);
  }

  read(): Map<number, Ending> {
    if (this.#path === undefined || !existsSync(this.#path)) return new Map();
    const ids = new Map([...this.#names].map(([id, name]) => [name, id]));
    const found = new Map<number, Ending>();
    for (const line of readFileSync(this.#path, 'utf8').split('\n')) {
      const [name, by] = readLine(line);
      const id = ids.get(name);
      if (id !== undefined) found.set(id, { outcome: 'noticed', by });
    }
    return found;
  }

  add(id: number, { by }: Ending): void {
    if (this.#path === undefined) return;
    appendFileSync(this.#path, `\n${JSON.stringify([this.#names.get(id), by])}`);
  }
}

function readLine(line: string): [string, string] {
  try {
    return JSON.parse(line) as [string, string];
  } catch {
    return ['', ''];
  }
}

/** keyOf(), and a number where a function holds the same text twice. */
function namesOf(mutants: readonly Mutant[]): Map<number, string> {
  const seen = new Map<string, number>();
  return new Map(
    mutants.map((mutant) => {
      const key = keyOf(mutant);
      const count = (seen.get(key) ?? 0) + 1;
      seen.set(key, count);
      return [mutant.id, count === 1 ? key : `${key} #${count}`];
    }),
  );
}
