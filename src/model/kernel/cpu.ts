// SPDX-License-Identifier: GPL-2.0-only
import { byRelease } from '../../linux/changes/index.ts';
import { valuesOf } from '../../linux/cmdline.ts';
import type { Release } from '../../linux/release.ts';

/**
 * cpu_mitigations_off() as mitigations_parse_cmdline() sets it (kernel/cpu.c): a value that begins
 * with none of the known words is ignored. Since 6.17, which accepts a list of attack vectors after
 * the word, anything may follow it.
 */
export function cpu_mitigations_off(parameters: readonly string[], release: Release): boolean {
  const words = ['auto,nosmt', 'auto', 'off'];
  const vectors = byRelease(release, 'mitigations-have-vectors');
  const given = valuesOf(parameters, 'mitigations').map((value) =>
    words.find((word) => (vectors ? value.startsWith(word) : value === word)),
  );
  return given.filter((word) => word !== undefined).at(-1) === 'off';
}
