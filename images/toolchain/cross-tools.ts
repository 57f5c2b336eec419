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
  /** For a program of Linux's user space, or for an image that stands alone. */
  kind: 'static' | 'image';
  /** Further flags that GCC and clang both know. */
  flags: string[];
}

/**
 * The programs that every build needs, of GNU or of LLVM; each throws `harness` with the first
 * complaint.
 */
export interface CrossTools {
  /** The packages that they consist of, for the records of a run. */
  packages: ToolPrefix['packages'];
  compile(step: CompileStep): Promise<void>;
  /** Arguments that both linkers know. */
  link(args: string[]): Promise<void>;
  /** The bytes of a linked image as they lie in memory. */
  extractImage(linked: string, image: string): Promise<void>;
}

/**
 * Runs anywhere from Armv8.0 on, and needs no position independence: the kernel is the only loader.
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
