// SPDX-License-Identifier: GPL-2.0-only
import { next_arg, parameq } from '../linux/cmdline.ts';

/** Kernel parameters that say what a scenario says elsewhere, where the model reads it. */
const elsewhere: [parameters: string[], field: string][] = [
  [['mem'], 'machine.memory'],
  [['maxcpus', 'nr_cpus', 'nosmp'], 'machine.cpus and machine.late'],
  [['nokaslr'], 'kaslr'],
];

/**
 * Overrides of ID registers, which the kernel takes from the line in its own way:
 * arch/arm64/kernel/pi/idreg-override.c.
 */
const idOverride = /^(arm64|arm64_sw|id_aa64\w+)\./;

/**
 * The field of a scenario that stands for a kernel parameter; undefined where the parameter may
 * stand.
 */
export function fieldInstead(word: string): string | undefined {
  const { param } = next_arg(word);
  if (idOverride.test(param.replaceAll('-', '_'))) return 'machine.idFields';
  return elsewhere.find(([names]) => names.some((name) => parameq(param, name)))?.[1];
}

/** Whether the kernel takes a word for one parameter, and goes on with the next word behind it. */
export function isWholeParameter(word: string): boolean {
  const { param, val, rest } = next_arg(`${word} next`);
  return rest === 'next' && (val !== undefined || param !== '--');
}
