// SPDX-License-Identifier: GPL-2.0-only
import type { Look } from '../history/types.ts';
import type { WatchedLooks } from './judge-night.ts';

/** A kernel that a watch has or had, by the hash of its Image. */
export interface KernelOfWatch {
  watch: string;
  sha256: string;
}

/** Which watches have which kernels. */
export interface Watches {
  /** Every watch that has a kernel, or once had it. */
  everOf(sha256: string): readonly string[];
  /**
   * Watches that have a kernel tonight; if none has it any more, those that once had it. A kernel
   * may have moved from one suite to another since last week: then its looks say nothing about the
   * first suite.
   */
  nowOf(sha256: string): readonly string[];
}

/** @param past kernels of earlier nights; those of tonight may be among them */
export function watchesOf(
  past: readonly KernelOfWatch[],
  tonight: readonly KernelOfWatch[],
): Watches {
  const names = (kernels: readonly KernelOfWatch[]) =>
    new Map(
      [...Map.groupBy(kernels, ({ sha256 }) => sha256)].map(([sha256, those]) => [
        sha256,
        [...new Set(those.map(({ watch }) => watch))],
      ]),
    );
  const [ever, now] = [names([...past, ...tonight]), names(tonight)];
  return {
    everOf: (sha256) => ever.get(sha256) ?? [],
    nowOf: (sha256) => now.get(sha256) ?? ever.get(sha256) ?? [],
  };
}

/**
 * What a watch showed before: for each scenario by its own looks or, where there are none, by looks
 * at kernels that have moved to another watch.
 */
function ownBefore(watch: string, looks: readonly Look[], { everOf, nowOf }: Watches): Look[] {
  const own = looks.filter(({ kernel }) => nowOf(kernel.sha256).includes(watch));
  const told = new Set(own.filter(tells).map(({ scenario }) => scenario.name));
  const others = looks.filter(
    ({ kernel, scenario }) => everOf(kernel.sha256).includes(watch) && !told.has(scenario.name),
  );
  return [...new Set([...others, ...own])];
}

/** The looks of a night by watch; a kernel may belong to several. */
export function looksByWatch(
  watches: Watches,
  { before, tonight, again }: Record<'before' | 'tonight' | 'again', readonly Look[]>,
): WatchedLooks[] {
  const names = new Set(tonight.flatMap(({ kernel }) => watches.nowOf(kernel.sha256)));
  return [...names].sort().map((watch) => {
    const own = (looks: readonly Look[]) =>
      looks.filter(({ kernel }) => watches.nowOf(kernel.sha256).includes(watch));
    return {
      watch,
      before: ownBefore(watch, before, watches),
      tonight: own(tonight),
      again: own(again),
    };
  });
}

/** Whether a look says something about the kernel. */
export const tells = ({ verdict }: Look): boolean => verdict !== 'error';
