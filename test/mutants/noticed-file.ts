// SPDX-License-Identifier: GPL-2.0-only
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../host/host-file.ts';
import type { Mutant } from './find-mutants.ts';
import { type Ending, keyOf } from './outcomes.ts';

const root = join(import.meta.dirname, '..', '..');

/** A line of the file: who noticed a mutant, or (null) what let it pass. */
type Line = [name: string, by: string | null, passedBy?: string];

/** What an earlier run found out. */
export interface Known {
  /** The mutants that were noticed. */
  endings: Map<number, Ending>;
  /** What let a mutant pass. */
  passed: Map<number, Set<string>>;
}

/**
 * What came of mutants, kept while a long run goes on: one JSON array a line. A line that was cut
 * short, a mutant that is no more, and the answer of a test file that is no more count for nothing.
 */
export class NoticedFile {
  readonly #path: string | undefined;
  readonly #names: ReadonlyMap<number, string>;

  /** @param path undefined keeps nothing */
  constructor(path: string | undefined, mutants: readonly Mutant[]) {
    this.#path = path;
    this.#names = namesOf(mutants);
  }

  read(): Known {
    const known: Known = { endings: new Map(), passed: new Map() };
    if (this.#path === undefined || !existsSync(this.#path)) return known;
    const ids = new Map([...this.#names].map(([id, name]) => [name, id]));
    for (const line of readFileSync(this.#path, 'utf8').split('\n')) {
      const [name, by, passedBy] = readLine(line);
      const id = ids.get(name);
      if (id === undefined) continue;
      if (by !== null && isNoMore(by)) continue;
      if (by !== null) known.endings.set(id, { outcome: 'noticed', by });
      else if (passedBy !== undefined)
        known.passed.set(id, (known.passed.get(id) ?? new Set()).add(passedBy));
    }
    return known;
  }

  /**
   * Leaves only what a later run can use, in an order that does not depend on the run.
   * @param witnesses those that still stand behind a mutant that they let pass
   */
  tidy(witnesses: ReadonlySet<string>): void {
    if (this.#path === undefined) return;
    const { endings, passed } = this.read();
    const lines: Line[] = [];
    for (const [id, name] of this.#names) {
      const by = endings.get(id)?.by;
      if (by !== undefined) lines.push([name, by]);
      else
        for (const each of passed.get(id) ?? [])
          if (witnesses.has(each)) lines.push([name, null, each]);
    }
    replaceFile(
      this.#path,
      lines
        .map((line) => `${JSON.stringify(line)}\n`)
        .sort()
        .join(''),
    );
  }

  /** Keeps that a mutant was noticed. */
  add(id: number, by: string): void {
    this.#write(id, by);
  }

  /**
   * Keeps that something let a mutant pass.
   * @param witness must be another text when it could answer otherwise
   */
  addPassed(id: number, witness: string): void {
    this.#write(id, null, witness);
  }

  #write(id: number, by: string | null, passedBy?: string): void {
    if (this.#path === undefined) return;
    const line = [this.#names.get(id), by, ...(passedBy === undefined ? [] : [passedBy])];
    appendFileSync(this.#path, `\n${JSON.stringify(line)}`);
  }
}

/** Whether a test file that noticed a mutant is gone. Recorded boots and rules have other names. */
function isNoMore(by: string): boolean {
  const [test] = /^test\/\S+\.test\.ts/.exec(by) ?? [];
  return test !== undefined && !existsSync(join(root, test));
}

function readLine(line: string): Line {
  try {
    return JSON.parse(line) as Line;
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
