// SPDX-License-Identifier: GPL-2.0-only
import type { Splat } from '../../linux/splats.ts';

/** Lines of a report that say what happened, before its registers, modules and stack. */
const mostHead = 8;
const boring =
  /^(?:-+\[ (?:cut here|end trace)|Modules linked in:|Mem abort info|Data abort info|\s+[A-Z]\w* = |\s+\w+ = 0x|(?:swapper|user) pgtable|pstate:|sp :|x\d+\s*:|\[[0-9a-f]{16}\]|Code:|$)/;
const endsHead = /^(?:Call trace:|pstate:|sp :|x\d+\s*:)/;

/**
 * A complaint without the parts that a reader of a mail skips: what happened, where, and the
 * functions of the call chain, innermost first.
 */
export function cutSplat({ lines, callChain }: Splat): string[] {
  const end = lines.findIndex((line) => endsHead.test(line));
  const head = lines.slice(0, end === -1 ? undefined : end).filter((line) => !boring.test(line));
  const chain =
    callChain.length === 0 ? [] : ['Call trace:', ...callChain.map((name) => ` ${name}`)];
  return [...head.slice(0, mostHead), ...chain];
}
