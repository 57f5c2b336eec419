// SPDX-License-Identifier: GPL-2.0-only
import { isWhole } from '../diff/boot-end.ts';
import type { Verdict } from '../diff/types.ts';
import { last } from '../present.ts';
import { kernelName } from './kernel-name.ts';
import { byKernel, bySeries, byTime } from './order-kernels.ts';
import type { Look, RunMark } from './types.ts';

/** Consecutive looks with the same result. */
export interface VerdictSpan {
  verdict: Verdict;
  /** Ids of the findings, sorted. */
  findings: string[];
  /** Of the last look. */
  reason?: string;
  first: RunMark;
  last: RunMark;
  looks: number;
}

/** A kernel's results for a scenario over time. */
interface KernelVerdicts {
  release: string;
  /** See kernelName(). */
  kernel: string;
  sha256: string;
  case: string;
  spans: VerdictSpan[];
  /** Median wall-clock seconds of boots that completed; absent where there is none. */
  seconds?: number;
}

/** The verdicts of a scenario, or of one case, by kernel, over time. */
export interface ScenarioLife {
  /** The scenario's name, or the case's. */
  name: string;
  /** How often the scenario itself was redefined. */
  definitions: number;
  series: { series: string; kernels: KernelVerdicts[] }[];
}

/** Median of the values; undefined if there are none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  // For an odd number of values, both are the one in the middle.
  const [lower, upper] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return lower === undefined || upper === undefined ? undefined : (lower + upper) / 2;
}

/** Joins consecutive looks with the same verdict and findings; the looks are in order of time. */
function verdictSpans(looks: readonly Look[]): VerdictSpan[] {
  const spans: VerdictSpan[] = [];
  for (const { verdict, findings, reason, run } of looks) {
    const ids = [...new Set(findings.map(({ id }) => id))].sort();
    const last = spans.at(-1);
    if (last?.verdict === verdict && String(last.findings) === String(ids)) {
      last.last = run;
      last.looks++;
      last.reason = reason;
    } else {
      spans.push({
        verdict,
        findings: ids,
        ...(reason !== undefined && { reason }),
        first: run,
        last: run,
        looks: 1,
      });
    }
  }
  return spans;
}

/** @param looks all looks at the scenario or case of that name */
export function scenarioLife(name: string, looks: readonly Look[]): ScenarioLife {
  return {
    name,
    definitions: new Set(looks.map((look) => look.scenario.hash)).size,
    series: bySeries(looks).map(([series, group]) => ({
      series,
      kernels: byKernel(group).map((own) => {
        const inTime = [...own].sort(byTime);
        const seconds = median(inTime.filter(isWhole).map((look) => look.seconds));
        const { kernel, case: name } = last(inTime);
        return {
          ...{
            release: kernel.release,
            kernel: kernelName(kernel),
            sha256: kernel.sha256,
            case: name,
            spans: verdictSpans(inTime),
          },
          ...(seconds !== undefined && { seconds }),
        };
      }),
    })),
  };
}
