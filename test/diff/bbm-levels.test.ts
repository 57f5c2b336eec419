// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { bbmLevels } from '../../src/diff/bbm-levels.ts';

const bbm = (level: bigint) => ({ ID_AA64MMFR2_EL1: level << 52n });
const olympus = { MIDR_EL1: 0x4e0f_0100n };
const cortexA76 = { MIDR_EL1: 0x410f_d0b1n };
const x4 = (revision: bigint) => ({ MIDR_EL1: 0x410f_d820n | revision });

t.test('a CPU has the level that it claims, and what its part is known for', (t) => {
  t.same(bbmLevels([{}, bbm(0n), bbm(1n), bbm(2n), bbm(3n), bbm(4n)]), [0, 0, 1, 2, 3, 3]);
  t.same(
    bbmLevels([0n, 1n, 3n].map((level) => ({ ...olympus, ...bbm(level) }))),
    [2, 2, 3],
    'a part of the list, whose field is hidden',
  );
  t.same(bbmLevels([{ ...cortexA76, ...bbm(0n) }]), [0], 'no part of the list');
  t.same(bbmLevels([x4(2n), x4(3n)]), [0, 2], 'from the revision of the list on');
  t.end();
});
