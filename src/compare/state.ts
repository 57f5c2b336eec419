// SPDX-License-Identifier: GPL-2.0-only
import { shows } from '../diff/boot-end.ts';
import { differingFields } from '../diff/register-fields.ts';
import { countText } from '../diff/text.ts';
import type { CaseResult } from '../diff/types.ts';
import type { Capture, CheckpointName, Evidence } from '../evidence/capture.ts';
import { decisionName } from '../model/decision-names.ts';
import type { SystemRegisters } from '../vmsa/types.ts';
import type { ComparedCase, Difference, Sides } from './types.ts';

/**
 * Registers that control how memory is translated. Those that hold an address (TTBRn_EL1, VBAR_EL1)
 * are left out.
 */
const registers = [
  'TCR_EL1',
  'TCR2_EL1',
  'SCTLR_EL1',
  'MAIR_EL1',
  'MAIR2_EL1',
  'PIR_EL1',
  'PIRE0_EL1',
] as const satisfies (keyof SystemRegisters)[];

/**
 * Captured variables that are decisions, by a name that is the same for all releases. Addresses
 * (memstart_addr, __kfence_pool, …) are left out, and so is system_cpucaps, whose bits have new
 * numbers in every release.
 */
const variables: Record<string, string[]> = {
  linear_map_requires_bbml: ['linear_map_requires_bbml2', 'linear_map_requires_bbml3'],
  rodata_enabled: ['rodata_enabled'],
  rodata_full: ['rodata_full'],
  kfence_early_init: ['kfence_early_init'],
  kfence_sample_interval: ['kfence_sample_interval'],
  arm64_use_ng_mappings: ['arm64_use_ng_mappings'],
  debug_pagealloc: ['_debug_pagealloc_enabled_early'],
  secretmem_enable: ['secretmem_enable'],
  rsi_present: ['rsi_present'],
};

/** Both captures of a checkpoint. */
type CapturePair = Sides<Capture>;

function variableValue(
  { variables: captured }: Capture,
  names: readonly string[],
): bigint | undefined {
  return names.map((name) => captured[name]).find((value) => value !== undefined);
}

/** How many variables either side has at a checkpoint. */
export function countVariables({ a, b }: CapturePair): number {
  return Object.values(variables).filter(
    (names) => variableValue(a, names) !== undefined || variableValue(b, names) !== undefined,
  ).length;
}

/**
 * If one side freed a variable before this checkpoint (.init.data), that is not a difference; if it
 * never had the variable, it is.
 */
export function compareVariables(pair: CapturePair, whole: Sides<Evidence>): Difference[] {
  return Object.entries(variables).flatMap(([name, names]): Difference[] => {
    const [a, b] = [variableValue(pair.a, names), variableValue(pair.b, names)];
    const freed = (value: bigint | undefined, evidence: Evidence): boolean =>
      value === undefined &&
      evidence.captures.some((capture) => variableValue(capture, names) !== undefined);
    if (a === b || freed(a, whole.a) || freed(b, whole.b)) return [];
    const text = (value: bigint | undefined) => (value === undefined ? 'absent' : String(value));
    return [
      {
        key: `variable/${name}/${text(a)} → ${text(b)}`,
        aspect: 'variable',
        subject: name,
        a: text(a),
        b: text(b),
        checkpoints: [pair.a.checkpoint],
      },
    ];
  });
}

/** Registers of CPUs that are online on both sides at a checkpoint. */
export function countRegisters({ a, b }: CapturePair): number {
  return (
    a.cpus.filter(({ online }, cpu) => online && b.cpus[cpu]?.online).length * registers.length
  );
}

/** Fields of the translation registers that differ, on any CPU. */
export function compareRegisters({ a, b }: CapturePair): Difference[] {
  const found = new Map<string, Difference>();
  const note = (subject: string, left: string, right: string): void => {
    const key = `register/${subject}/${left} → ${right}`;
    found.set(key, {
      key,
      aspect: 'register',
      subject,
      a: left,
      b: right,
      checkpoints: [a.checkpoint],
    });
  };
  const online = (capture: Capture): number => capture.cpus.filter((cpu) => cpu.online).length;
  if (online(a) !== online(b)) note('CPUs online', String(online(a)), String(online(b)));
  for (const [cpu, left] of a.cpus.entries()) {
    const right = b.cpus[cpu];
    if (!left.online || !right?.online) continue;
    for (const register of registers) {
      const [was, is] = [left.registers[register], right.registers[register]];
      if (was === undefined || is === undefined) {
        if (was !== is)
          note(
            register,
            was === undefined ? 'absent' : 'there',
            is === undefined ? 'absent' : 'there',
          );
        continue;
      }
      for (const { field, expected, actual } of differingFields(
        register,
        was,
        is,
        2n ** 64n - 1n,
      )) {
        note(`${register}.${field}`, `0x${expected.toString(16)}`, `0x${actual.toString(16)}`);
      }
    }
  }
  return [...found.values()];
}

/**
 * What the model derives about the kernel's decision functions; a decision that one side does not
 * have is not a difference.
 */
export function compareDecisions({ a, b }: Sides<ComparedCase>): Difference[] {
  const [left, right] = [a.prediction?.decisions, b.prediction?.decisions];
  if (!left || !right) return [];
  return (Object.keys(left) as (keyof typeof left)[]).flatMap((name): Difference[] => {
    if (left[name] === right[name] || left[name] === undefined || right[name] === undefined)
      return [];
    const [was, is] = [left[name] ? 'yes' : 'no', right[name] ? 'yes' : 'no'];
    return [
      {
        key: `decision/${name}/${was} → ${is}`,
        aspect: 'decision',
        subject: decisionName(name, b.prediction?.derivation ?? []),
        a: was,
        b: is,
        checkpoints: [],
      },
    ];
  });
}

/** Results of the probes; if a boot died before it sent a result, there is nothing to compare. */
export function compareProbes({ a, b }: Sides<Evidence>): Difference[] {
  const text = ({ probes, end }: Evidence, name: string): string | undefined => {
    const result = probes.find(({ probe }) => probe === name);
    if (result === undefined) return end.kind === 'completed' ? 'no result' : undefined;
    return result.errno === 0 ? 'works' : `${result.call} fails with errno ${result.errno}`;
  };
  const names = [...new Set([...a.probes, ...b.probes].map(({ probe }) => probe))];
  return names.flatMap((name): Difference[] => {
    const [was, is] = [text(a, name), text(b, name)];
    if (was === undefined || is === undefined || was === is) return [];
    return [
      {
        key: `probe/${name}/${was} → ${is}`,
        aspect: 'probe',
        subject: name,
        a: was,
        b: is,
        checkpoints: [],
      },
    ];
  });
}

/**
 * Findings that one side has, and that the other would show if it had them: findings about the
 * kernel and, as a separate aspect, those that only say that the model expected something else.
 */
export function compareFindings({ a, b }: Sides<CaseResult>): Difference[] {
  const only = (those: CaseResult, others: CaseResult, word: 'gone' | 'new'): Difference[] => {
    const unique = new Map(those.findings.map((finding) => [finding.id, finding]));
    return [...unique.values()]
      .filter(({ id }) => shows(others, id) === false)
      .map((finding): Difference => {
        const name =
          finding.known === undefined
            ? finding.title
            : `${finding.title} (known issue ${finding.known})`;
        const [subject = ''] = finding.id.split('@');
        const aspect = finding.kind === 'mismatch' ? 'model' : 'finding';
        return {
          key: `${aspect}/${word}/${subject}`,
          aspect,
          subject,
          a: word === 'gone' ? name : 'not there',
          b: word === 'new' ? name : 'not there',
          checkpoints: finding.checkpoint ? [finding.checkpoint] : [],
        };
      });
  };
  return [...only(a, b, 'gone'), ...only(b, a, 'new')];
}

/**
 * How far the boots got. An error says nothing about the kernel: it is a difference that prevents
 * the pair from being compared.
 */
export function compareEnds({ a, b }: Sides<ComparedCase>): Difference[] {
  const text = ({ result, evidence }: ComparedCase): string => {
    if (result.verdict === 'error') return `no verdict: ${result.reason ?? 'unknown error'}`;
    if (!evidence) return 'no evidence';
    const { end, captures } = evidence;
    const reached: CheckpointName | undefined = captures.at(-1)?.checkpoint;
    if (end.kind === 'completed') return `completed, ${countText(captures.length, 'checkpoint')}`;
    return `${end.kind} ${reached ? `after ${reached}` : 'before the first checkpoint'}`;
  };
  const [was, is] = [text(a), text(b)];
  if (was === is) return [];
  return [
    {
      key: `boot/${was} → ${is}`,
      aspect: 'boot',
      subject: 'the boot',
      a: was,
      b: is,
      checkpoints: [],
    },
  ];
}
