// SPDX-License-Identifier: GPL-2.0-only
/**
 * Runs the test files, each in a Node of its own, two at a time: the unit tests first, then those
 * that boot kernels or download. `--unit` and `--boot` choose one kind; further words choose the
 * files whose path contains one of them. (tap's own runner wants its TypeScript plugin, which does
 * not know this TypeScript; Node runs these files as they are.)
 */
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { countTap, type TapCounts } from './count-tap.ts';

const root = join(import.meta.dirname, '..');
const atATime = 2;
/** Against tests that hang: far more than any file takes, since the host may be busy. */
const minutes = { unit: 15, boot: 30 };
/** Lines of a failing file's output that are shown; the reason is at their end. */
const shownLines = 150;

type Kind = keyof typeof minutes;

async function testFiles(kind: Kind, words: string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob('test/**/*.test.ts', { cwd: root })) {
    files.push(file);
  }
  return files
    .filter((file) => file.endsWith('.boot.test.ts') === (kind === 'boot'))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
}

/** No test may write into the user's results store. */
const store = await dir({ prefix: 'ptdiff-store-', unsafeCleanup: true });

async function runFile(file: string, kind: Kind): Promise<TapCounts> {
  const started = performance.now();
  const result = await execa(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    cwd: root,
    all: true,
    reject: false,
    stdin: 'ignore',
    timeout: minutes[kind] * 60_000,
    forceKillAfterDelay: 10_000,
    // tap ends a file after half a minute if it is not told otherwise.
    env: {
      NO_COLOR: '1',
      TAP_TIMEOUT: String(minutes[kind] * 60),
      PTDIFF_STORE: join(store.path, 'ptdiff.sqlite'),
    },
  });
  const counts = countTap(result.stdout ?? '');
  const troubles = result.timedOut
    ? [`did not end within ${minutes[kind]} minutes`]
    : counts.troubles;
  if (result.failed && counts.failed === 0 && troubles.length === 0) {
    troubles.push(
      result.signal === undefined
        ? `ended with exit code ${result.exitCode}`
        : `died of ${result.signal}`,
    );
  }
  const failed = counts.failed + troubles.length;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${failed === 0 ? 'ok    ' : 'FAILED'} ${file}: ${counts.passed} assertions in ${seconds} s`,
  );
  if (failed > 0) {
    const lines = (result.all ?? '').split('\n').slice(-shownLines);
    console.log(
      [...lines, ...troubles.map((trouble) => `${file} ${trouble}`)]
        .map((line) => `    ${line}`)
        .join('\n'),
    );
  }
  return { ...counts, failed, troubles };
}

async function runFiles(files: string[], kind: Kind): Promise<TapCounts[]> {
  const waiting = files.values();
  const counts: TapCounts[] = [];
  const worker = async () => {
    for (const file of waiting) {
      counts.push(await runFile(file, kind));
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return counts;
}

const args = process.argv.slice(2);
const words = args.filter((arg) => !arg.startsWith('--'));
const kinds = (['unit', 'boot'] as const).filter(
  (kind) => !args.some((arg) => /^--(unit|boot)$/.test(arg)) || args.includes(`--${kind}`),
);
const counts: TapCounts[] = [];
for (const kind of kinds) {
  counts.push(...(await runFiles(await testFiles(kind, words), kind)));
}
await store.cleanup();
const sum = (key: 'passed' | 'failed' | 'skipped') =>
  counts.reduce((total, one) => total + one[key], 0);
const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
if (counts.length === 0) console.error(`No test file has ${words.join(' or ')} in its path.`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
