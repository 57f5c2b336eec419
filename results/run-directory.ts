// SPDX-License-Identifier: GPL-2.0-only
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { appendDurably, onHost, readTextIfAny, replaceFile } from '../host/host-file.ts';
import { makeFolder } from '../host/make-folder.ts';
import type { CaseResult } from '../src/diff/types.ts';
import { PtdiffError } from '../src/errors.ts';

/** Lines of cases.jsonl, and how many bytes of it are complete lines. */
interface ParsedResults {
  results: CaseResult[];
  wholeBytes: number;
}

/**
 * Parses cases.jsonl. A harness that was killed may leave a last line without its end: that case
 * counts as not run.
 * @throws PtdiffError('usage') for any other line that is not JSON
 */
export function parseResults(text: string): ParsedResults {
  const end = text.lastIndexOf('\n') + 1;
  const lines = text.slice(0, end).split('\n').slice(0, -1);
  const results = lines.map((line, index) => {
    try {
      return JSON.parse(line) as CaseResult;
    } catch (error) {
      throw new PtdiffError(
        'usage',
        `Line ${index + 1} of cases.jsonl is damaged; start with a new output folder.`,
        {
          cause: error,
        },
      );
    }
  });
  return { results, wholeBytes: Buffer.byteLength(text.slice(0, end)) };
}

/**
 * The output folder of a run. It is valid, and the run can be continued from it, at any time,
 * however the harness ends.
 */
export class RunDirectory {
  readonly path: string;

  /** Creates the folder, or continues with an existing one. */
  constructor(path: string) {
    this.path = path;
    onHost(path, () => makeFolder(join(path, 'cases')));
  }

  /**
   * Results of cases that have ended; removes a partial line that a killed harness left, so that
   * the next line starts clean.
   */
  finished(): CaseResult[] {
    const text = readTextIfAny(this.#results);
    if (text === undefined) {
      return [];
    }
    const { results, wholeBytes } = parseResults(text);
    if (wholeBytes < Buffer.byteLength(text)) {
      onHost(this.#results, () => truncateSync(this.#results, wholeBytes));
    }
    return results;
  }

  /** Records a case as soon as it ends; on disk when this returns. */
  append(result: CaseResult): void {
    appendDurably(this.#results, `${JSON.stringify(result)}\n`);
  }

  writeRun(run: unknown): void {
    replaceFile(this.#run, `${JSON.stringify(run, undefined, 2)}\n`);
  }

  /**
   * Folder of a case, created if necessary. Names consist of letters, digits and `.`, `_`, `+`,
   * `-`, `:`, `~`, `@`.
   */
  caseDirectory(name: string): string {
    if (!/^[\w+:~@-][\w.+:~@-]*$/.test(name)) {
      throw new PtdiffError('harness', `'${name}' cannot be the name of a case's folder.`);
    }
    const path = join(this.path, 'cases', name);
    onHost(path, () => makeFolder(path));
    return path;
  }

  get #results(): string {
    return join(this.path, 'cases.jsonl');
  }

  get #run(): string {
    return join(this.path, 'run.json');
  }
}
