// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import type { FetchOptions } from '../debian/apt.ts';
import { packageClosure, packageFiles } from '../debian/package-closure.ts';
import { type CompileStep, runTool, type StaticLibraries } from './cross-tools.ts';
import { hostArchitecture, openToolArchive } from './tool-archive.ts';
import { type PrefixPlan, type ToolPrefix, toolPrefix } from './tool-prefix.ts';

/** What compiles for the host itself: a compiler, an assembler, a linker. */
export interface HostTools {
  packages: ToolPrefix['packages'];
  /** A position-independent object. @throws PtdiffError(harness) with the first error message */
  compile(step: Omit<CompileStep, 'kind'>): Promise<void>;
  link(args: string[]): Promise<void>;
  /** What a static program is linked with: the C library's and the compiler's. */
  libraries: StaticLibraries;
}

/** GNU's name of the host. */
function triplet(): string {
  return hostArchitecture() === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
}

/**
 * GCC and binutils for this host, with the C library: a static program needs it, and QEMU, which
 * loads the recorder, has it itself.
 * @throws PtdiffError(host) when they are not in the cache and cannot be fetched
 */
export async function hostTools(options: FetchOptions): Promise<HostTools> {
  const { tree, packages } = await toolPrefix('gcc-14-host', () => plan(options), options);
  const tool = (name: string) => `usr/bin/${triplet()}-${name}`;
  return {
    packages,
    compile: (step) => compile(tree, tool('as'), step),
    link: (args) => runTool(tree, tool('ld'), args),
    libraries: staticLibraries(tree),
  };
}

function staticLibraries(tree: string): StaticLibraries {
  const library = (name: string) => join(tree, 'usr/lib', triplet(), name);
  const compiler = (name: string) => join(tree, 'usr/lib/gcc', triplet(), '14', name);
  return {
    before: [library('crt1.o'), library('crti.o'), compiler('crtbeginT.o')],
    after: [
      ...['--start-group', library('libc.a'), compiler('libgcc.a'), compiler('libgcc_eh.a')],
      ...['--end-group', compiler('crtend.o'), library('crtn.o')],
    ],
  };
}

async function plan(options: FetchOptions): Promise<PrefixPlan> {
  const archive = await openToolArchive('trixie', options);
  const name = triplet().replace('_', '-');
  const programs = await packageClosure(archive, [`cpp-14-${name}`, `binutils-${name}`], 'trixie');
  const headers = ['libc6-dev', 'linux-libc-dev', 'libgcc-14-dev'];
  const libraries = await packageFiles(archive, headers, 'trixie');
  return { parts: [{ archive, packages: [...programs, ...libraries] }], notes: [] };
}

async function compile(
  tree: string,
  assembler: string,
  { source, object, includeDirs, flags }: Omit<CompileStep, 'kind'>,
): Promise<void> {
  const host = triplet();
  const system = [`usr/include/${host}`, 'usr/include', `usr/lib/gcc/${host}/14/include`];
  const args = [
    ...['-quiet', '-O2', '-Wall', '-fPIC', '-nostdinc'],
    ...includeDirs.flatMap((directory) => ['-I', directory]),
    ...system.flatMap((directory) => ['-isystem', join(tree, directory)]),
    ...flags,
  ];
  const assembly = `${object}.s`;
  await runTool(tree, `usr/libexec/gcc/${host}/14/cc1`, [...args, source, '-o', assembly]);
  await runTool(tree, assembler, ['-o', object, assembly]);
}
