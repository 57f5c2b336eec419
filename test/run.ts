// SPDX-License-Identifier: GPL-2.0-only
/**
 * Runs the test files, a few processes at a time: the unit tests first, then those that start other
 * programs, then those that boot kernels or download. Tests of a few rooms share a process; every
 * file that boots has a Node of its own. `--unit`, `--process` and `--boot` choose kinds; further
 * words choose the files whose path contains one of them. (tap's own runner wants its TypeScript
 * plugin, which does not know this TypeScript; Node runs these files as they are.)
 */
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { type FileResult, type Kind, kinds, runGroup } from './run-group.ts';

const root = join(import.meta.dirname, '..');
/** Processes at a time, for two cores: some tests only wait for locks and other programs to end. */
const atATime = { unit: 3, process: 4, boot: 2 };
/** Lines of a failing file's output that are shown; the reason is at their end. */
const shownLines = 150;

/** By the end of its name; what has no other kind is pure. */
const kindOf = (file: string): Kind =>
  kinds.find((kind) => file.endsWith(`.${kind}.test.ts`)) ?? 'unit';

async function testFiles(kind: Kind, words: string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob('test/**/*.test.ts', { cwd: root })) {
    files.push(file);
  }
  return files
    .filter((file) => kindOf(file) === kind)
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
}

/**
 * Tests that share a process, since the start of Node and tap takes longer than most of them.
 * What takes longest goes first, so that both workers end together; see the runner's last lines.
 */
const together = [
  // These load the model with mutants in it.
  /^test\/(scenario\/telling|model\/late-conditions)\./,
  /^test\/report\//,
  /^test\/(bbm|compare|diff|nightly)\//,
  /^test\/(model\/mutation\.|mutants\/)/,
  /^test\/(bench|bisect|cli|docs|examples|history|images)\//,
  // What it makes of signals and of the end of a process would be seen by the others.
  /^test\/host\/process-group\./,
  /^test\/host\//,
  /^test\/(vmsa|linux|evidence)\//,
  /^test\/(scenario|model)\//,
  /^test\//,
];

/** Files that share a process; those that boot kernels never do. */
function groupsOf(files: readonly string[], kind: Kind): string[][] {
  if (kind === 'boot') return files.map((file) => [file]);
  const place = (file: string) => together.findIndex((room) => room.test(file));
  const groups = Map.groupBy(files, place);
  return [...groups].sort(([left], [right]) => left - right).map(([, group]) => group);
}

/** No test may write into the user's results store. */
const store = await dir({ prefix: 'ptdiff-store-', unsafeCleanup: true });

/** Prints what came of a file; its troubles count as failures from here on. */
function tell(result: FileResult): FileResult {
  const { file, passed, troubles, output } = result;
  const failed = result.failed + troubles.length;
  const seconds = result.seconds.toFixed(1);
  console.log(
    `${failed === 0 ? 'ok    ' : 'FAILED'} ${file}: ${passed} assertions in ${seconds} s`,
  );
  if (failed > 0) {
    const lines = output.split('\n').slice(-shownLines);
    console.log(
      [...lines, ...troubles.map((trouble) => `${file} ${trouble}`)]
        .map((line) => `    ${line}`)
        .join('\n'),
    );
  }
  return { ...result, failed };
}

async function runFiles(files: string[], kind: Kind): Promise<FileResult[]> {
  const waiting = groupsOf(files, kind).values();
  const results: FileResult[] = [];
  const manner = { kind, store: join(store.path, 'ptdiff.sqlite') };
  const worker = async () => {
    for (const group of waiting) results.push(...(await runGroup(group, manner)).map(tell));
  };
  await Promise.all(Array.from({ length: atATime[kind] }, worker));
  return results;
}

/** So that one that becomes slow is seen. */
function tellSlowest(results: readonly FileResult[]): void {
  const slowest = results.toSorted((left, right) => right.seconds - left.seconds).slice(0, 5);
  const words = slowest.map(({ file, seconds }) => `${file} ${seconds.toFixed(0)} s`);
  console.log(`longest: ${words.join(', ')}`);
}

const args = process.argv.slice(2);
const words = args.filter((arg) => !arg.startsWith('--'));
const named = kinds.filter((kind) => args.includes(`--${kind}`));
const counts: FileResult[] = [];
for (const kind of named.length > 0 ? named : kinds) {
  const results = await runFiles(await testFiles(kind, words), kind);
  tellSlowest(results);
  counts.push(...results);
}
await store.cleanup();
const sum = (key: 'passed' | 'failed' | 'skipped') =>
  counts.reduce((total, one) => total + one[key], 0);
const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
if (counts.length === 0) console.error(`No test file has ${words.join(' or ')} in its path.`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
