// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findMutants, type Mutant, withMutants } from './find-mutants.ts';

const root = join(import.meta.dirname, '..', '..');

/** What instrumented sources ask and tell, see withMutants(). */
interface Switch {
  ptdiffMutant(id: number): boolean;
  ptdiffForced(id: number): boolean;
  ptdiffSaw<T>(value: T, always: number | undefined, never: number): T;
}
declare global {
  var ptdiffSwitch: Switch;
}

let active = -1;
let visited: Set<number> | undefined;
globalThis.ptdiffSwitch = {
  ptdiffMutant: (id) => {
    visited?.add(id);
    return id === active;
  },
  ptdiffForced: (id) => id === active,
  // A condition that holds is no other when it always holds: only the opposite truth can tell.
  ptdiffSaw: (value, always, never) => {
    const other = value ? never : always;
    if (other !== undefined) visited?.add(other);
    return value;
  },
};

/** All mutants of some files, in their order. */
export function mutantsOf(files: readonly string[]): Mutant[] {
  const found: Mutant[] = [];
  for (const file of files)
    found.push(...findMutants(file, readFileSync(join(root, file), 'utf8'), found.length));
  return found;
}

/**
 * From now on these files are loaded with all their mutants in them, none of which is in force.
 * Only modules that were not imported yet: import what uses them after this.
 */
export function installMutants(mutants: readonly Mutant[]): void {
  const byFile = Map.groupBy(mutants, ({ file }) => file);
  registerHooks({
    load(url, context, next) {
      const own = url.startsWith('file:')
        ? byFile.get(relative(root, fileURLToPath(url)))
        : undefined;
      if (!own) return next(url, context);
      const source = withMutants(readFileSync(fileURLToPath(url), 'utf8'), own);
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

/** Runs something with a mutant in force. */
export function withMutant<T>(id: number, run: () => T): T {
  active = id;
  try {
    return run();
  } finally {
    active = -1;
  }
}

/** The same of something that takes its time; nothing else runs meanwhile. */
export async function withMutantAsync<T>(id: number, run: () => Promise<T>): Promise<T> {
  active = id;
  try {
    return await run();
  } finally {
    active = -1;
  }
}

/** A mutant that decides when its module is loaded must be in force from then on. */
export function keepMutant(id: number): void {
  active = id;
}

/** The mutants that would make a difference to a place that is passed from now on. */
export function recordVisits(): ReadonlySet<number> {
  visited = new Set();
  return visited;
}

/** The mutants that would make a difference to a place that something passes. */
export function visitedBy(run: () => void): Set<number> {
  visited = new Set();
  try {
    run();
    return visited;
  } finally {
    visited = undefined;
  }
}
