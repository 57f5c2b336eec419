import { copyFile, mkdir, rename } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { PtdiffError } from '../src/errors.ts';
import { ensureLists, type FetchOptions } from './apt.ts';
import { exists, sha256File, withScratch } from './cache.ts';
import { openKernelArchive } from './kernel-catalogue.ts';
import { packageClosure, packageFiles } from './package-closure.ts';
import { openToolArchive } from './tool-archive.ts';
import { type PrefixPlan, prefixCommand, toolPrefix } from './tool-prefix.ts';

/** What to compile. */
export interface CompileJob {
  /** C (`.c`) and preprocessed assembly (`.S`) files. */
  sources: string[];
  includeDirs?: string[];
  /** Path of the executable. */
  output: string;
  /** Further flags of the C compiler proper, e.g. `-DNAME=1`. */
  flags?: string[];
}

/** A C compiler for static arm64 Linux programs, with musl as the C library. */
export interface Toolchain {
  /** The packages that it consists of, for the records of a run. */
  packages: { name: string; version: string; sha256: string }[];
  /**
   * Compiles and links a static executable; the same sources give the same bytes on every host.
   * @returns the executable's SHA-256
   * @throws `harness` with the compiler's first complaint
   */
  compileStatic(job: CompileJob): Promise<string>;
  /**
   * Compiles and links a freestanding image: the bytes as they lie in memory, placed by the linker script, which refuses
   * what would depend on the place.
   * @throws `harness` with the compiler's or linker's first complaint
   */
  compileImage(job: CompileJob & { linkerScript: string }): Promise<void>;
}

/** Runs anywhere from Armv8.0 on, and needs no position independence: the kernel is the only loader. */
const compilerFlags = ['-quiet', '-O2', '-march=armv8-a', '-mno-outline-atomics', '-fno-pie', '-nostdinc', '-Wall'];

/**
 * A cross compiler from Debian's packages, unpacked in the cache: needs neither root nor a compiler on the host.
 * @throws `host` when it is not in the cache and cannot be fetched
 */
export async function crossToolchain(options: FetchOptions = {}): Promise<Toolchain> {
  const { tree, packages } = await toolPrefix('gcc-14-musl', () => toolchainPlan(options), options);
  return {
    packages,
    compileStatic: (job) => compileStatic(tree, job),
    compileImage: (job) => compileImage(tree, job),
  };
}

async function toolchainPlan(options: FetchOptions): Promise<PrefixPlan> {
  const host = await openToolArchive('trixie', options);
  const target = await openKernelArchive(options);
  await ensureLists(target, options);
  const programs = await packageClosure(host, ['cpp-14-aarch64-linux-gnu', 'binutils-aarch64-linux-gnu'], 'trixie');
  const libraries = await packageFiles(target, ['musl-dev', 'linux-libc-dev', 'libgcc-14-dev'], 'trixie');
  return {
    parts: [
      { archive: host, packages: programs },
      { archive: target, packages: libraries },
    ],
    notes: [],
  };
}

async function compileStatic(tree: string, job: CompileJob): Promise<string> {
  const gcc = join(tree, 'usr/lib/gcc/aarch64-linux-gnu/14');
  const musl = join(tree, 'usr/lib/aarch64-linux-musl');
  return withScratch(async (scratch) => {
    const objects = await compileAll(tree, job, scratch);
    const linked = join(scratch, 'linked');
    await run(tree, 'usr/bin/aarch64-linux-gnu-ld', [
      '-static',
      '-z',
      'noexecstack',
      '--build-id=none',
      '--strip-debug',
      '--gc-sections',
      '-o',
      linked,
      join(musl, 'crt1.o'),
      join(musl, 'crti.o'),
      ...objects,
      join(musl, 'libc.a'),
      join(gcc, 'libgcc.a'),
      join(musl, 'libc.a'),
      join(musl, 'crtn.o'),
    ]);
    const digest = await sha256File(linked);
    await publishFile(linked, resolve(job.output));
    return digest;
  });
}

async function compileImage(tree: string, job: CompileJob & { linkerScript: string }): Promise<void> {
  await withScratch(async (scratch) => {
    const objects = await compileAll(tree, job, scratch);
    const [linked, image] = [join(scratch, 'linked'), join(scratch, 'image')];
    const flags = [
      '-pie',
      '--no-dynamic-linker',
      '-z',
      'noexecstack',
      '--build-id=none',
      '--no-warn-rwx-segments',
      '--fatal-warnings',
    ];
    await run(tree, 'usr/bin/aarch64-linux-gnu-ld', [...flags, '-T', job.linkerScript, '-o', linked, ...objects]);
    await run(tree, 'usr/bin/aarch64-linux-gnu-objcopy', ['-O', 'binary', linked, image]);
    await publishFile(image, resolve(job.output));
  });
}

/** The output may lie on another file system, and must never be seen half written. */
async function publishFile(made: string, output: string): Promise<void> {
  await mkdir(dirname(output), { recursive: true });
  const arriving = `${output}.${process.pid}.part`;
  await copyFile(made, arriving);
  await rename(arriving, output);
}

/** @returns the object files, in the order of the sources */
async function compileAll(tree: string, job: CompileJob, scratch: string): Promise<string[]> {
  const objects: string[] = [];
  for (const [i, source] of job.sources.entries()) {
    objects.push(await compileOne(tree, resolve(source), join(scratch, `${i}-${basename(source)}`), job));
  }
  return objects;
}

/** @returns the object file */
async function compileOne(tree: string, source: string, stem: string, job: CompileJob): Promise<string> {
  const includes = [
    ...(job.includeDirs ?? []).flatMap((directory) => ['-I', resolve(directory)]),
    ...[
      'usr/include/aarch64-linux-musl',
      'usr/include',
      'usr/lib/linux/uapi/arm64',
      'usr/lib/gcc/aarch64-linux-gnu/14/include',
    ].flatMap((directory) => ['-isystem', join(tree, directory)]),
  ];
  const mode = extname(source) === '.S' ? ['-E', '-lang-asm', '-D__ASSEMBLER__'] : [];
  // __FILE__ must not tell where the tree lies, else the same source would not give the same program.
  const stable = `-ffile-prefix-map=${dirname(source)}/=`;
  const flags = [...compilerFlags, ...mode, ...includes, stable, ...(job.flags ?? [])];
  await run(tree, await compilerPath(tree), [...flags, source, '-o', `${stem}.s`]);
  await run(tree, 'usr/bin/aarch64-linux-gnu-as', ['-march=armv8-a', '-o', `${stem}.o`, `${stem}.s`]);
  return `${stem}.o`;
}

/** The compiler proper, which the native and the cross package keep in different places. */
async function compilerPath(tree: string): Promise<string> {
  const cross = 'usr/libexec/gcc-cross/aarch64-linux-gnu/14/cc1';
  return (await exists(join(tree, cross))) ? cross : 'usr/libexec/gcc/aarch64-linux-gnu/14/cc1';
}

async function run(tree: string, program: string, args: string[]): Promise<void> {
  const [loader, ...loaderArgs] = prefixCommand(tree, program);
  const { exitCode, stderr, message } = await execa(loader, [...loaderArgs, ...args], {
    env: { LC_ALL: 'C', SOURCE_DATE_EPOCH: '0' },
    reject: false,
  });
  if (exitCode !== 0) {
    const complaint = (stderr ?? '').split('\n').find((line) => /error|undefined|cannot/i.test(line)) ?? message;
    throw new PtdiffError('harness', `${basename(program)} failed: ${complaint}`);
  }
}
