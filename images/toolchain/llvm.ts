// SPDX-License-Identifier: GPL-2.0-only
import { extname, join } from 'node:path';
import type { FetchOptions } from '../debian/apt.ts';
import { packageClosure, packageFiles } from '../debian/package-closure.ts';
import { type CompileStep, type CrossTools, codeFlags, runTool } from './cross-tools.ts';
import { gnuPrefix, targetIncludes } from './gnu.ts';
import { openToolArchive } from './tool-archive.ts';
import { type PrefixPlan, type ToolPrefix, toolPrefix } from './tool-prefix.ts';

const major = 19;
/**
 * The folder of clang, ld.lld, llvm-ar, llvm-nm, llvm-objcopy, llvm-readelf, llvm-strip and more in
 * the prefix.
 */
export const llvmPrograms = `usr/lib/llvm-${major}/bin`;
/**
 * The compiler's own headers: clang's -resource-dir, which clang cannot find when it is started
 * through a loader.
 */
export const llvmResources = `usr/lib/llvm-${major}/lib/clang/${major}`;

/**
 * clang, lld and LLVM's binutils (69 MiB of packages), for every target that LLVM supports, without
 * a C library. Run its programs with prefixCommand(). clang must then do one step at a time: for a
 * second one (a `.S` file) it starts itself again, without the loader. Where that cannot be
 * avoided, give the loader `--argv0 SCRIPT` and clang `-no-canonical-prefixes`, and it starts
 * SCRIPT.
 * @throws `host` when it is not in the cache and cannot be fetched
 */
export function llvmPrefix(options: FetchOptions = {}): Promise<ToolPrefix> {
  return toolPrefix(`llvm-${major}`, () => plan(options), options);
}

async function plan(options: FetchOptions): Promise<PrefixPlan> {
  const archive = await openToolArchive('trixie', options);
  // The closures of clang and llvm include C++ headers, sanitizers and an HTTP client; the
  // libraries of these two are all they need.
  const libraries = await packageClosure(
    archive,
    [`libclang-cpp${major}`, `lld-${major}`],
    'trixie',
  );
  const names = [`clang-${major}`, `libclang-common-${major}-dev`, `llvm-${major}`];
  const programs = await packageFiles(archive, names, 'trixie');
  return { parts: [{ archive, packages: [...libraries, ...programs] }], notes: [] };
}

/** LLVM's tools; they link against the C library of gnuPrefix(). */
export async function llvmTools(options: FetchOptions): Promise<CrossTools> {
  const { tree, packages } = await llvmPrefix(options);
  const target = await gnuPrefix(options);
  const program = (name: string) => `${llvmPrograms}/${name}`;
  return {
    packages: [...packages, ...target.packages],
    compile: (step) => compile(tree, target.tree, step),
    link: (args) => runTool(tree, program('ld.lld'), args),
    extractImage: (linked, image) =>
      runTool(tree, program('llvm-objcopy'), ['-O', 'binary', linked, image]),
  };
}

const imageFlags = ['-ffreestanding', '-fno-builtin'];

async function compile(tree: string, target: string, step: CompileStep): Promise<void> {
  const { source, object, includeDirs, kind, flags } = step;
  const resources = join(tree, llvmResources);
  const system = [...targetIncludes(target), join(resources, 'include')];
  const args = [
    ...[
      '--no-default-config',
      '--target=aarch64-linux-gnu',
      '-resource-dir',
      resources,
      '-Qunused-arguments',
    ],
    ...[...codeFlags, ...(kind === 'image' ? imageFlags : [])],
    ...includeDirs.flatMap((directory) => ['-I', directory]),
    ...system.flatMap((directory) => ['-isystem', directory]),
    ...flags,
  ];
  const clang = (more: string[]) => runTool(tree, `${llvmPrograms}/clang`, [...args, ...more]);
  if (extname(source) === '.S') {
    await clang(['-E', source, '-o', `${object}.s`]);
    await clang(['-c', `${object}.s`, '-o', object]);
  } else {
    await clang(['-c', source, '-o', object]);
  }
}
