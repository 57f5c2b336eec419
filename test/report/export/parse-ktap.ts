// SPDX-License-Identifier: GPL-2.0-only
/** A result of a KTAP stream with its subtests. */
export interface KtapResult {
  ok: boolean;
  number: number;
  description: string;
  directive?: 'SKIP' | 'TODO' | 'XFAIL' | 'TIMEOUT' | 'ERROR';
  /** What stands behind the hash sign and the directive. */
  words: string;
  diagnostics: string[];
  subtests: KtapResult[];
}

const result =
  /^(ok|not ok) (\d+) ([^#]*?)(?: # (?:(SKIP|TODO|XFAIL|TIMEOUT|ERROR)(?: |$))?(.*))?$/;

/**
 * A strict reader of KTAP version 1, written from Documentation/dev-tools/ktap.rst of Linux 7.3:
 * every line has a place in the grammar, or it throws. (The format allows unknown lines, for a
 * kernel that talks in between; an exporter has no such excuse.)
 */
export function parseKtap(text: string): KtapResult[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  let at = 0;

  function level(indent: string): KtapResult[] {
    expect(`${indent}KTAP version 1`);
    const line = lines[at] ?? '';
    const plan = /^1\.\.(\d+)$/.exec(line.slice(indent.length));
    if (!line.startsWith(indent) || !plan) throw new Error(`line ${at + 1}: no plan: ${lines[at]}`);
    at++;
    const tests: KtapResult[] = [];
    while (tests.length < Number(plan[1])) tests.push(test(indent, tests.length + 1));
    return tests;
  }

  function test(indent: string, number: number): KtapResult {
    const subtests = lines[at] === `${indent}  KTAP version 1` ? level(`${indent}  `) : [];
    const diagnostics: string[] = [];
    for (; lines[at]?.startsWith(`${indent}#`); at++)
      diagnostics.push((lines[at] ?? '').slice(indent.length + 1));
    const line = lines[at] ?? '';
    const match = result.exec(line.slice(indent.length));
    if (!match || !line.startsWith(indent))
      throw new Error(`line ${at + 1}: no result: ${lines[at]}`);
    at++;
    const [, word, written, description = '', directive, words = ''] = match;
    if (Number(written) !== number)
      throw new Error(`line ${at}: number ${written} instead of ${number}`);
    const ok = word === 'ok';
    if (ok && (directive === 'TIMEOUT' || directive === 'ERROR'))
      throw new Error(`line ${at}: ok, but ${directive}`);
    if (ok && subtests.some((each) => !each.ok))
      throw new Error(`line ${at}: ok, but a subtest is not`);
    return {
      ok,
      number,
      description,
      ...(directive !== undefined && { directive: directive as KtapResult['directive'] }),
      words,
      diagnostics,
      subtests,
    };
  }

  function expect(line: string): void {
    if (lines[at] !== line) throw new Error(`line ${at + 1}: '${lines[at]}' instead of '${line}'`);
    at++;
  }

  const tests = level('');
  if (at !== lines.length) throw new Error(`line ${at + 1}: more than the plan: ${lines[at]}`);
  return tests;
}
