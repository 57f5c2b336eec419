// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { planRecorder } from '../../../../harness/emulator/recorder/plan-recorder.ts';
import { geometryOf, levelShift } from '../../../../src/linux/geometry.ts';
import { given } from '../../../given.ts';
import { tableOf } from '../../../linux/slices.ts';

const text = 0xffff_8000_8000_0000n;
const anchor = { branchPa: 0, imagePa: 0x4020_0000, register: 'x8', target: text } as const;
const plan = (names: [string, number][]) =>
  planRecorder(
    'recorder.so',
    { functions: [], text: '' },
    { symbols: tableOf(names, text), anchor },
    1024,
    undefined,
  );

t.test('whatever the page size, the page through which KPTI writes tables is looked up', (t) => {
  const { windows_start: start = 0n } = given(plan([['_end', 0x80_0000]])).facts;
  // KPTI_NG_TEMP_VA of arch/arm64/mm/mmu.c: -PMD_SIZE.
  for (const granule of [4096, 16384, 65536] as const) {
    const page = (1n << 64n) - (1n << BigInt(levelShift(geometryOf(granule), 2)));
    t.ok(start <= page, `${granule}: ${page.toString(16)}`);
  }
  t.ok(start > 0xffff_ffff_c000_0000n, 'but not vmemmap, which is written all the time');
  t.end();
});

t.test('a kernel that does not tell where it ends is not recorded', (t) => {
  t.equal(plan([]), undefined);
  t.end();
});
