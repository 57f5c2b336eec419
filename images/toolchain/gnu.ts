// SPDX-License-Identifier: GPL-2.0-only
import { extname, join } from 'node:path';
import { exists } from '../../host/cache.ts';
import { ensureLists, type FetchOptions } from '../debian/apt.ts';
import { openKernelArchive } from '../debian/kernel-catalogue.ts';
import { packageClosure, packageFiles } from '../debian/package-closure.ts';
import {
  type CompileStep,
  type CrossTools,
  codeFlags,
  runTool,
  type StaticLibraries,
} from './cross-tools.ts';
import { openToolArchive } from './tool-archive.ts';
import { type PrefixPlan, type ToolPrefix, toolPrefix } from './tool-prefix.ts';

/**
 * GCC and binutils for arm64, with what an arm64 program links against: musl, the kernel's headers,
 * libgcc.
 * @throws `host` when it is not in the cache and cannot be fetched
 */
export function gnuPrefix(options: FetchOptions = {}): Promise<ToolPrefix> {
  return toolPrefix('gcc-14-musl', () => plan(options), options);
}

async function plan(options: FetchOptions): Promise<PrefixPlan> {
  const host = await openToolArchive('trixie', options);
  const target = await openKernelArchive(options);
  await ensureLists(target, options);
  const programs = await packageClosure(
    host,
    ['cpp-14-aarch64-linux-gnu', 'binutils-aarch64-linux-gnu'],
    'trixie',
  );
  const libraries = await packageFiles(
    target,
    ['musl-dev', 'linux-libc-dev', 'libgcc-14-dev'],
    'trixie',
  );
  return {
    parts: [
      { archive: host, packages: programs },
      { archive: target, packages: libraries },
    ],
    notes: [],
  };
}

/** GCC's tools; they need neither root nor a compiler on the host. */
export async function gnuTools(options: FetchOptions): Promise<CrossTools> {
  const { tree, packages } = await gnuPrefix(options);
  return {
    packages,
    compile: (step) => compile(tree, step),
    link: (args) =>
      runTool(tree, 'usr/bin/aarch64-linux-gnu-ld', ['--no-warn-rwx-segments', ...args]),
    extractImage: (linked, image) =>
      runTool(tree, 'usr/bin/aarch64-linux-gnu-objcopy', ['-O', 'binary', linked, image]),
  };
}

/** GCC often compiles the body of memset() into a call of memset(). */
const imageFlags = ['-ffreestanding', '-fno-builtin', '-fno-tree-loop-distribute-patterns'];

/** The compiler proper and the assembler: GCC's driver would look for them outside the prefix. */
async function compile(
  tree: string,
  { source, object, includeDirs, kind, flags }: CompileStep,
): Promise<void> {
  const system = [...targetIncludes(tree), join(tree, 'usr/lib/gcc/aarch64-linux-gnu/14/include')];
  const mode = extname(source) === '.S' ? ['-E', '-lang-asm', '-D__ASSEMBLER__'] : [];
  const args = [
    ...['-quiet', ...codeFlags, ...(kind === 'image' ? imageFlags : []), ...mode],
    ...includeDirs.flatMap((directory) => ['-I', directory]),
    ...system.flatMap((directory) => ['-isystem', directory]),
    ...flags,
  ];
  const assembly = `${object}.s`;
  await runTool(tree, await compilerPath(tree), [...args, source, '-o', assembly]);
  await runTool(tree, 'usr/bin/aarch64-linux-gnu-as', ['-march=armv8-a', '-o', object, assembly]);
}

/** Headers of musl and of the kernel in gnuPrefix(). */
export function targetIncludes(tree: string): string[] {
  return ['usr/include/aarch64-linux-musl', 'usr/include', 'usr/lib/linux/uapi/arm64'].map(
    (directory) => join(tree, directory),
  );
}

/** What a static arm64 program is linked with, from gnuPrefix(). */
export function targetLibraries(tree: string): StaticLibraries {
  const musl = (name: string) => join(tree, 'usr/lib/aarch64-linux-musl', name);
  const libgcc = join(tree, 'usr/lib/gcc/aarch64-linux-gnu/14/libgcc.a');
  return {
    before: [musl('crt1.o'), musl('crti.o')],
    after: [musl('libc.a'), libgcc, musl('libc.a'), musl('crtn.o')],
  };
}

/** The compiler proper; the native and the cross package have it in different places. */
async function compilerPath(tree: string): Promise<string> {
  const cross = 'usr/libexec/gcc-cross/aarch64-linux-gnu/14/cc1';
  return (await exists(join(tree, cross))) ? cross : 'usr/libexec/gcc/aarch64-linux-gnu/14/cc1';
}
