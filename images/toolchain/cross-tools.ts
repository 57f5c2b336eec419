// SPDX-License-Identifier: GPL-2.0-only
import { basename } from 'node:path';
import { execa } from 'execa';
import { briefTool } from '../../host/tool-limits.ts';
import { PtdiffError } from '../../src/errors.ts';
import { prefixCommand, type ToolPrefix } from './tool-prefix.ts';

/** One source to compile. */
export interface CompileStep {
  /** Absolute path of a C (`.c`) or preprocessed assembly (`.S`) file. */
  source: string;
  /** Path of the object file. */
  object: string;
  includeDirs: string[];
  /** For a Linux user space program, or for a freestanding image. */
  kind: 'static' | 'image';
  /** Further flags that both GCC and clang support. */
  flags: string[];
}

/**
 * The programs that every build needs, from GNU or LLVM; each throws `harness` with the first error
 * message.
 */
export interface CrossTools {
  /** Its packages, for the records of a run. */
  packages: ToolPrefix['packages'];
  compile(step: CompileStep): Promise<void>;
  /** Arguments that both linkers support. */
  link(args: string[]): Promise<void>;
  /** Extracts the bytes of a linked image as they are in memory. */
  extractImage(linked: string, image: string): Promise<void>;
}

/** What comes before and after the objects of a static program. */
export interface StaticLibraries {
  before: string[];
  after: string[];
}

/**
 * Runs on anything from Armv8.0 on, and needs no position independence: only the kernel loads it.
 */
export const codeFlags = [
  '-O2',
  '-march=armv8-a',
  '-mno-outline-atomics',
  '-fno-pie',
  '-nostdinc',
  '-Wall',
];

/**
 * Runs a program of a prefix.
 * @param program path inside the prefix
 * @throws `harness` with the program's first complaint
 */
export async function runTool(tree: string, program: string, args: string[]): Promise<void> {
  const [loader, ...loaderArgs] = prefixCommand(tree, program);
  const { exitCode, stderr, message } = await execa(loader, [...loaderArgs, ...args], {
    ...briefTool,
    env: { LC_ALL: 'C', SOURCE_DATE_EPOCH: '0' },
    reject: false,
  });
  if (exitCode !== 0) {
    const complaint =
      (stderr ?? '').split('\n').find((line) => /error|undefined|cannot/i.test(line)) ?? message;
    throw new PtdiffError('harness', `${basename(program)} failed: ${complaint}`);
  }
}
