// SPDX-License-Identifier: GPL-2.0-only
import { type FinalResults, Parser, type Result } from 'tap-parser';

/**
 * What a test file's TAP output says, counted by single assertions, not by the subtests that group
 * them.
 */
export interface TapCounts {
  passed: number;
  failed: number;
  /** Assertions marked SKIP or TODO. */
  skipped: number;
  /**
   * Failures that are no assertion's: a plan that was not kept, a subtest that ended early, no test
   * at all.
   */
  troubles: string[];
}

/** Counts the assertions of a TAP stream (TAP 14, subtests included). */
export function countTap(tap: string): TapCounts {
  const counts = nothingCounted();
  const parser = new Parser();
  count(parser, counts);
  parser.on('complete', (results: FinalResults) => {
    if (!results.ok && counts.failed === 0 && counts.troubles.length === 0) {
      counts.troubles.push(
        `is no whole TAP stream: ${results.failures.map(({ tapError }) => tapError).join(', ')}`,
      );
    }
  });
  parser.end(tap);
  return ranNoTest(counts);
}

/**
 * The same of each subtest at the top, where each is a file (see together.ts), by its name.
 * `begun` is the one that did not end, whose counts are of what it came to.
 */
export function countTogether(tap: string): {
  ended: Map<string, TapCounts & { seconds: number }>;
  begun?: TapCounts;
} {
  const ended = new Map<string, TapCounts & { seconds: number }>();
  let begun: TapCounts | undefined;
  const parser = new Parser();
  parser.on('child', (subtest: Parser) => {
    begun = nothingCounted();
    count(subtest, begun);
  });
  parser.on('assert', ({ ok, name, time }: Result) => {
    if (begun === undefined) return;
    if (!ok && begun.failed + begun.troubles.length === 0)
      begun.troubles.push('failed without a failed assertion');
    ended.set(name, { ...ranNoTest(begun), seconds: (time ?? 0) / 1000 });
    begun = undefined;
  });
  parser.end(tap);
  return { ended, ...(begun && { begun }) };
}

const nothingCounted = (): TapCounts => ({ passed: 0, failed: 0, skipped: 0, troubles: [] });

function ranNoTest(counts: TapCounts): TapCounts {
  if (counts.passed + counts.failed + counts.skipped === 0 && counts.troubles.length === 0)
    counts.troubles.push('ran no test');
  return counts;
}

function count(parser: Parser, counts: TapCounts): void {
  let child: { name: string; failedBefore: number } | undefined;
  parser.on('child', (subtest: Parser) => {
    child = { name: subtest.name, failedBefore: counts.failed + counts.troubles.length };
    count(subtest, counts);
  });
  parser.on('assert', (assertion: Result) => {
    const summarized = child;
    child = undefined;
    if (summarized !== undefined) {
      // A subtest's own line repeats its assertions, save when it failed for another reason.
      if (!assertion.ok && counts.failed + counts.troubles.length === summarized.failedBefore) {
        counts.troubles.push(
          `has a subtest '${assertion.name}' that failed without a failed assertion`,
        );
      }
    } else if (assertion.skip || assertion.todo) {
      counts.skipped++;
    } else if (assertion.ok) {
      counts.passed++;
    } else {
      counts.failed++;
    }
  });
}
