// SPDX-License-Identifier: GPL-2.0-only
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { sha256File, withScratch } from '../../host/cache.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { FetchOptions } from '../debian/apt.ts';
import type { CompileStep, CrossTools, StaticLibraries } from './cross-tools.ts';
import { gnuPrefix, gnuTools, targetLibraries } from './gnu.ts';
import { type HostTools, hostTools } from './host.ts';
import { llvmTools } from './llvm.ts';

/** The origin of compiler and linker. */
export const compilerNames = ['gnu', 'llvm'] as const;
type CompilerName = (typeof compilerNames)[number];

export interface ToolchainOptions extends FetchOptions {
  /** Default: `PTDIFF_COMPILER`, then GNU's. */
  compiler?: CompilerName;
}

/** What to compile. */
interface CompileJob {
  /** C (`.c`) and preprocessed assembly (`.S`) files. */
  sources: string[];
  includeDirs?: string[];
  /** Path of the executable. */
  output: string;
  /** Further flags of the C compiler proper, e.g. `-DNAME=1`. */
  flags?: string[];
  /** Archives (`.a`) to link a static executable with. */
  libraries?: string[];
}

/** A C compiler for static arm64 Linux programs, with musl as the C library. */
export interface Toolchain {
  /** Its packages, for the records of a run. */
  packages: { name: string; version: string; sha256: string }[];
  /**
   * Compiles and links a static executable; the same sources give the same bytes on every host.
   * @returns the executable's SHA-256
   * @throws `harness` with the compiler's first error message
   */
  compileStatic(job: CompileJob): Promise<string>;
  /**
   * Compiles and links a freestanding image: the bytes as they are in memory, laid out by the
   * linker script, which refuses anything position-dependent.
   * @throws `harness` with the compiler's or linker's first error message
   */
  compileImage(job: CompileJob & { linkerScript: string }): Promise<void>;
}

/**
 * A cross compiler from Debian's packages, unpacked in the cache: it needs neither root nor a
 * compiler on the host.
 * @throws `host` when it is not in the cache and cannot be fetched
 */
export async function crossToolchain(options: ToolchainOptions = {}): Promise<Toolchain> {
  const tools = await (compilerOf(options) === 'llvm' ? llvmTools : gnuTools)(options);
  const { tree } = await gnuPrefix(options);
  return {
    packages: tools.packages,
    compileStatic: (job) => {
      const compile = (step: Omit<CompileStep, 'kind'>) =>
        tools.compile({ ...step, kind: 'static' });
      return linkStatic({ ...tools, compile }, targetLibraries(tree), job);
    },
    compileImage: (job) => compileImage(tools, job),
  };
}

/** A C compiler for programs of this host, and for libraries that one of them loads. */
export interface HostToolchain extends Pick<Toolchain, 'packages' | 'compileStatic'> {
  /**
   * Compiles and links a library; what it does not define, the program that loads it does.
   * @throws `harness` with the compiler's or linker's first error message
   */
  compileShared(job: CompileJob): Promise<void>;
}

/** @throws `host` when it is not in the cache and cannot be fetched */
export async function hostToolchain(options: FetchOptions = {}): Promise<HostToolchain> {
  const tools = await hostTools(options);
  return {
    packages: tools.packages,
    compileStatic: (job) => linkStatic(tools, tools.libraries, job),
    compileShared: (job) =>
      withScratch(async (scratch) => {
        const objects = await compileAll(tools.compile, job, scratch);
        const linked = join(scratch, 'linked');
        const flags = ['-shared', '-z', 'noexecstack', '--build-id=none', '--strip-debug'];
        await tools.link([...flags, '-o', linked, ...objects]);
        await publishFile(linked, resolve(job.output));
      }),
  };
}

function compilerOf({ compiler }: ToolchainOptions): CompilerName {
  const asked = compiler ?? (process.env.PTDIFF_COMPILER || 'gnu');
  const name = compilerNames.find((each) => each === asked);
  if (name === undefined) {
    throw new PtdiffError(
      'usage',
      `PTDIFF_COMPILER is '${asked}': write one of ${compilerNames.join(', ')}.`,
    );
  }
  return name;
}

async function linkStatic(
  tools: Pick<HostTools, 'compile' | 'link'>,
  { before, after }: StaticLibraries,
  job: CompileJob,
): Promise<string> {
  return withScratch(async (scratch) => {
    const objects = await compileAll(tools.compile, job, scratch);
    const linked = join(scratch, 'linked');
    const flags = [
      '-static',
      '-z',
      'noexecstack',
      '--build-id=none',
      '--strip-debug',
      '--gc-sections',
    ];
    const objectsAndLibraries = [...objects, ...(job.libraries ?? [])];
    await tools.link([...flags, '-o', linked, ...before, ...objectsAndLibraries, ...after]);
    const digest = await sha256File(linked);
    await publishFile(linked, resolve(job.output));
    return digest;
  });
}

async function compileImage(
  tools: CrossTools,
  job: CompileJob & { linkerScript: string },
): Promise<void> {
  await withScratch(async (scratch) => {
    const objects = await compileAll(
      (step) => tools.compile({ ...step, kind: 'image' }),
      job,
      scratch,
    );
    const [linked, image] = [join(scratch, 'linked'), join(scratch, 'image')];
    const flags = [
      '-pie',
      '--no-dynamic-linker',
      '-z',
      'noexecstack',
      '--build-id=none',
      '--fatal-warnings',
    ];
    await tools.link([...flags, '-T', job.linkerScript, '-o', linked, ...objects]);
    await tools.extractImage(linked, image);
    await publishFile(image, resolve(job.output));
  });
}

/** The output may be on another file system, and must never be visible half written. */
async function publishFile(made: string, output: string): Promise<void> {
  await mkdir(dirname(output), { recursive: true });
  const arriving = `${output}.${process.pid}.part`;
  try {
    await copyFile(made, arriving);
    await rename(arriving, output);
  } finally {
    await rm(arriving, { force: true });
  }
}

/** @returns the object files, in the order of the sources */
async function compileAll(
  compile: (step: Omit<CompileStep, 'kind'>) => Promise<void>,
  job: CompileJob,
  scratch: string,
): Promise<string[]> {
  const objects: string[] = [];
  for (const [i, each] of job.sources.entries()) {
    const source = resolve(each);
    const object = join(scratch, `${i}-${basename(source)}.o`);
    // __FILE__ must not contain the path of the tree, otherwise the same source would not give the
    // same program.
    const flags = [`-ffile-prefix-map=${dirname(source)}/=`, ...(job.flags ?? [])];
    const includeDirs = (job.includeDirs ?? []).map((directory) => resolve(directory));
    await compile({ source, object, includeDirs, flags });
    objects.push(object);
  }
  return objects;
}
