// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { parseRelease } from '../../../src/linux/release.ts';
import { cpu_mitigations_off } from '../../../src/model/kernel/cpu.ts';

/** Each line's values of mitigations=, and whether 6.12 and 7.3 turn mitigations off by them. */
const lines: [values: string[], of612: boolean, of73: boolean][] = [
  [[], false, false],
  [['off'], true, true],
  [['auto'], false, false],
  [['off', 'auto'], false, false],
  [['off', 'auto,nosmt'], false, false],
  [['auto', 'off'], true, true],
  // strcmp() up to 6.16, strncmp() with each known word since.
  [['off,no_user_kernel'], false, true],
  // A word that is not known sets nothing: what was set before stays.
  [['off', 'none'], true, true],
  [['none', 'off'], true, true],
  [['none'], false, false],
];

t.test('mitigations= counts as the kernel parses it: the last known word', async (t) => {
  for (const [values, ...expected] of lines) {
    const parameters = values.map((value) => `mitigations=${value}`);
    const found = ['6.12.107', '7.3.4'].map((release) =>
      cpu_mitigations_off(parameters, parseRelease(release)),
    );
    t.same(found, expected, parameters.join(' '));
  }
});
