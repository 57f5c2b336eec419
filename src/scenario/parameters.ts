// SPDX-License-Identifier: GPL-2.0-only
import { next_arg, parameq } from '../linux/cmdline.ts';

/**
 * Kernel parameters for which a scenario has a field of its own, and the model reads that field.
 */
const elsewhere: [parameters: string[], field: string][] = [
  [['mem'], 'machine.memory'],
  [['maxcpus', 'nr_cpus', 'nosmp'], 'machine.cpus and machine.late'],
  [['nokaslr'], 'kaslr'],
];

/**
 * Overrides of ID registers, for which the kernel parses the command line separately:
 * arch/arm64/kernel/pi/idreg-override.c.
 */
const idOverride = /^(arm64|arm64_sw|id_aa64\w+)\./;

/**
 * The scenario's field that replaces a kernel parameter; undefined where the parameter is allowed.
 */
export function fieldInstead(word: string): string | undefined {
  const { param } = next_arg(word);
  if (idOverride.test(param.replaceAll('-', '_'))) return 'machine.idFields';
  return elsewhere.find(([names]) => names.some((name) => parameq(param, name)))?.[1];
}

/** Whether the kernel parses a word as one complete parameter and continues with the next word. */
export function isWholeParameter(word: string): boolean {
  const { param, val, rest } = next_arg(`${word} next`);
  return rest === 'next' && (val !== undefined || param !== '--');
}
