// SPDX-License-Identifier: GPL-2.0-only
import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { exists } from '../../host/cache.ts';
import { diskFull } from '../../host/disk-space.ts';
import { findCommand } from '../../host/host-tools.ts';
import { briefTool } from '../../host/tool-limits.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { BuildTools } from './build-tools.ts';
import { runSupervised } from './supervised.ts';

/** One call of make on a kernel. */
interface MakeJob {
  tools: BuildTools;
  source: string;
  /** Build tree (O=). */
  objects: string;
  /** Targets and further variables. */
  args: string[];
  /** Receives all output of make and the compiler. */
  log: string;
  /** What is being built, for messages. */
  what: string;
  signal?: AbortSignal;
}

/** The same source gives the same bytes, whenever it is built and by anyone. */
const reproducible = {
  KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
  KBUILD_BUILD_USER: 'ptdiff',
  KBUILD_BUILD_HOST: 'ptdiff',
  KBUILD_BUILD_VERSION: '1',
};

/**
 * Runs make; it and its children end together with this process, however that ends, and when the
 * signal is aborted.
 * @throws `image` with the first error and the log's path; `host` when the disk is full, or a
 * program was killed or got no memory; the signal's reason
 */
export async function runMake(job: MakeJob): Promise<void> {
  const { tools, source, objects, args, log, signal } = job;
  signal?.throwIfAborted();
  const cached = await ccache(tools);
  const jobs = `-j${availableParallelism()}`;
  const words = [
    'make',
    '-C',
    source,
    `O=${objects}`,
    jobs,
    ...tools.variables,
    ...cached.variables,
    ...args,
  ];
  const command = ['sh', '-c', 'log=$0; exec "$@" >>"$log" 2>&1', log, ...words];
  const env = { ...basicEnvironment(tools.bin), ...tools.env, ...cached.env, ...reproducible };
  const marker = await startMarker(objects);
  const { status } = await runSupervised(command, env, { signal }).finally(marker.stop);
  const trouble = status === 0 ? undefined : await failure(job, status);
  // A make that ends by itself, even because of a signal, has removed its unfinished files, unless
  // the disk is full.
  const inOrder = status !== undefined && (trouble === undefined || trouble.fault === 'image');
  if (inOrder) await marker.remove();
  signal?.throwIfAborted();
  if (trouble !== undefined) throw trouble;
}

async function failure(
  { what, source, log }: MakeJob,
  status: number | undefined,
): Promise<PtdiffError> {
  const text = await readFile(log, 'utf8');
  // On a full disk even the log is cut short.
  const full = await diskFull(text, `the build of ${what}`);
  if (full !== undefined) return full;
  const trouble = hostTrouble(text, what, status);
  if (trouble !== undefined) return trouble;
  const why = firstError(text, source, status);
  return new PtdiffError('image', `${what} does not build: ${why}; the log is ${log}.`);
}

/** What programs say that got no memory, or were killed for want of it; not what they quote. */
const noMemory =
  /^[^|\n]*(Killed signal terminated program|virtual memory exhausted|out of memory|Cannot allocate memory).*$/im;

/**
 * The error for a build that its host ended, if one did: another host may build the same kernel.
 * @param status exit status of make, where it ended by itself
 */
export function hostTrouble(
  log: string,
  what: string,
  status: number | undefined,
): PtdiffError | undefined {
  const said = noMemory.exec(log)?.[0].trim().slice(0, 300);
  if (said !== undefined)
    return new PtdiffError(
      'host',
      `No memory for the build of ${what} (${said}): end other work on this host, or give it more.`,
    );
  if (status !== undefined) return undefined;
  return new PtdiffError('host', `The build of ${what} was killed from outside: start it again.`);
}

const markerName = '.ptdiff-building';
/** A file that was written to within this time, in milliseconds, may be incomplete. */
const restless = 60_000;

/**
 * A file in the build tree that shows that make is running, and which files were finished since it
 * began: those older than the marker.
 */
async function startMarker(objects: string): Promise<{ stop(): void; remove(): Promise<void> }> {
  const path = join(objects, markerName);
  await writeFile(path, '');
  const started = Date.now();
  const timer = setInterval(() => {
    const finished = new Date(Math.max(started, Date.now() - restless));
    utimes(path, finished, finished).catch(() => {});
  }, restless / 4);
  return { stop: () => clearInterval(timer), remove: () => rm(path, { force: true }) };
}

/** After make was killed, removes files that may be incomplete. */
export async function dropHalfWritten(objects: string): Promise<void> {
  const marker = join(objects, markerName);
  if (!(await exists(marker))) return;
  await execa('find', [objects, '-type', 'f', '-newer', marker, '-delete'], briefTool);
  await rm(marker);
}

/** The user's environment must not affect the build. */
function basicEnvironment(bin: string): Record<string, string> {
  const { HOME } = process.env;
  return {
    PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
    LC_ALL: 'C',
    ...(HOME !== undefined && { HOME }),
  };
}

/**
 * The host's ccache, if there is one, with a compiler identity that does not depend on when the
 * compiler was unpacked.
 */
async function ccache({
  compiler,
  id,
}: BuildTools): Promise<{ variables: string[]; env: Record<string, string> }> {
  // By its path, since make looks for programs in the usual folders only. A path with a blank would
  // become two words there.
  const path = await findCommand('ccache');
  if (path === undefined || /\s/.test(path)) return { variables: [], env: {} };
  const own = Object.entries(process.env).filter((entry): entry is [string, string] =>
    entry[0].startsWith('CCACHE_'),
  );
  const program = compiler === 'llvm' ? 'clang' : 'aarch64-linux-gnu-gcc';
  return {
    variables: [`CC=${path} ${program}`],
    env: { ...Object.fromEntries(own), CCACHE_COMPILERCHECK: `string:${id}` },
  };
}

/**
 * The first complaint of compiler, linker or make in a log.
 * @param status exit status of make, where it ended by itself
 */
export function firstError(log: string, source: string, status: number | undefined): string {
  const lines = log.replaceAll(`${source}/`, '').split('\n');
  // What a program printed before make gave up; make's own progress reports are indented.
  const stopped = lines.findIndex((line) => /^make(\[\d+\])?: \*\*\* /.test(line));
  const before = lines[stopped - 1];
  const found =
    lines.find((line) => /^\S+:\d+:(\d+:)? (fatal )?error: /i.test(line)) ??
    lines.find((line) =>
      /^(\S*ld(\.\S+)?|ERROR|error|fatal error): |undefined reference|\berror:/i.test(line),
    ) ??
    (before !== undefined && !/^( |make)/.test(before) ? before : lines[stopped]) ??
    `make ended ${status === undefined ? 'together with its supervisor' : `with status ${status}`}`;
  return found.slice(0, 300).replace(/[.;\s]+$/, '');
}
