// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { execa } from 'execa';
import { countTap, countTogether, type TapCounts } from './count-tap.ts';

const root = join(import.meta.dirname, '..');
/** Against tests that hang: far more than any file takes, since the host may be busy. */
const minutes = { unit: 15, process: 15, boot: 30 };

/** What tests need: nothing, other programs that they start, kernels that boot. In this order. */
export const kinds = ['unit', 'process', 'boot'] as const;
export type Kind = (typeof kinds)[number];

/** How files are run. */
export interface Manner {
  kind: Kind;
  /** Results store of the tests: none may write into the user's. */
  store: string;
}

/** What came of one file. */
export interface FileResult extends TapCounts {
  file: string;
  seconds: number;
  /** What it printed. */
  output: string;
}

async function runNode(files: readonly string[], { kind, store }: Manner) {
  const words = files.length === 1 ? files : ['test/together.ts', ...files];
  return execa(process.execPath, ['--disable-warning=ExperimentalWarning', ...words], {
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
      PTDIFF_STORE: store,
    },
  });
}

type Ending = Awaited<ReturnType<typeof runNode>>;

/** What became of a process, where its tests do not tell. */
function troubleOf(ending: Ending, kind: Kind): string {
  if (ending.timedOut) return `did not end within ${minutes[kind]} minutes`;
  return ending.signal === undefined
    ? `ended with exit code ${ending.exitCode}`
    : `died of ${ending.signal}`;
}

async function runAlone(file: string, manner: Manner): Promise<FileResult> {
  const started = performance.now();
  const ending = await runNode([file], manner);
  const counts = countTap(ending.stdout ?? '');
  if (ending.timedOut) counts.troubles = [];
  if (ending.timedOut || (ending.failed && counts.failed + counts.troubles.length === 0))
    counts.troubles.push(troubleOf(ending, manner.kind));
  const seconds = (performance.now() - started) / 1000;
  return { ...counts, file, seconds, output: ending.all ?? '' };
}

/** What a file printed that shares its process. */
function outputOf(file: string, all: string): string {
  const [, after = ''] = `\n${all}`.split(`\n# Subtest: ${file}\n`);
  return after.split('\n# Subtest: ')[0] ?? '';
}

/** A file that ends the process ends it for those behind it as well: they get another one. */
async function runTogether(files: readonly string[], manner: Manner): Promise<FileResult[]> {
  const ending = await runNode(files, manner);
  const all = ending.all ?? '';
  const { ended, begun } = countTogether(ending.stdout ?? '');
  const results = [...ended].map(
    ([file, counts]): FileResult => ({ ...counts, file, output: outputOf(file, all) }),
  );
  const rest = files.filter((file) => !ended.has(file));
  const trouble = troubleOf(ending, manner.kind);
  if (begun || results.length === 0) {
    const file = rest.shift() ?? '';
    const counts = begun ?? { passed: 0, failed: 0, skipped: 0, troubles: [] };
    counts.troubles.push(trouble);
    results.push({ ...counts, file, seconds: 0, output: outputOf(file, all) || all });
  }
  const isNamed = results.some(({ failed, troubles }) => failed + troubles.length > 0);
  if (!isNamed && (ending.failed || rest.length > 0))
    results.at(-1)?.troubles.push(`is the last of a process that ${trouble}`);
  return rest.length === 0 ? results : [...results, ...(await runGroup(rest, manner))];
}

/**
 * Runs test files in one process; a single one is run as it is.
 * @param files paths from the root of the repository
 * @returns what came of each of them; never throws for what a test does
 */
export async function runGroup(files: readonly string[], manner: Manner): Promise<FileResult[]> {
  const [first = ''] = files;
  return files.length > 1 ? runTogether(files, manner) : [await runAlone(first, manner)];
}
