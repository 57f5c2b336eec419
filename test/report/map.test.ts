// SPDX-License-Identifier: GPL-2.0-only

import t from 'tap';
import { diffLeaves } from '../../src/diff/compare.ts';
import { placeRegions } from '../../src/report/html/axis.ts';
import { createBandStore } from '../../src/report/html/bands.ts';
import { mapFigure } from '../../src/report/html/map-figure.ts';
import { measure, unit } from '../../src/report/html/scale.ts';
import { zoomWindows } from '../../src/report/html/zoom-windows.ts';
import { shadeOf } from '../../src/report/leaf-kinds.ts';
import type { CaseDrawing } from '../../src/report/types.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import { given, take } from '../given.ts';
import { layout, leafRun, registers } from './sample-layout.ts';

const MiB = 2 ** 20;

function drawingOf(
  predicted: CaseDrawing['predicted'],
  actual: CaseDrawing['actual'] = predicted,
): CaseDrawing {
  return {
    checkpoint: 'init',
    linearRegion: { start: 0xfff0_0000_0000_0000n, end: 2n ** 64n },
    predicted,
    actual,
    differences: diffLeaves(predicted, actual),
    registers,
  };
}

const plain = layout({ large: true, kfence: true, imageAt: 2 * MiB, hole: true });

t.test('a drawing is measured in physical addresses, holes apart', async (t) => {
  const scale = measure(drawingOf(plain));
  t.equal(scale.base, 0x4000_0000);
  t.same(scale.regions, [
    { from: 0, to: (1024 * MiB) / unit },
    { from: 0x1_0000_0000 / unit, to: (0x1_0000_0000 + 512 * MiB) / unit },
  ]);
  t.same(scale.differences, []);
});

t.test('differences are found in place, those of one side only too', async (t) => {
  const [first, second] = take(plain, 2);
  const changed = { ...second, attributes: second.attributes ^ 0x80n };
  const scale = measure(drawingOf(plain, [first, changed, ...plain.slice(2, -1)]));
  const last = given(plain[plain.length - 1]);
  t.same(scale.differences, [
    {
      from: (given(changed.pa) - 0x4000_0000) / unit,
      to: (given(changed.pa) - 0x4000_0000 + given(changed.size)) / unit,
    },
    { from: (last.pa - 0x4000_0000) / unit, to: (last.pa - 0x4000_0000 + last.size) / unit },
  ]);
});

t.test('a leaf that maps the wrong page is drawn where it should have been', async (t) => {
  const actual = plain.map((run, index) => (index === 1 ? { ...run, pa: run.pa + 64 * MiB } : run));
  const scale = measure(drawingOf(plain, actual));
  t.same(scale.differences, [
    {
      from: (given(plain[1]).pa - 0x4000_0000) / unit,
      to: (given(plain[1]).pa - 0x4000_0000 + given(plain[1]).size) / unit,
    },
  ]);
});

t.test('regions are placed to scale, within the width, the smallest visible', async (t) => {
  const placed = placeRegions(
    [
      { from: 0, to: 1000 },
      { from: 5000, to: 5001 },
      { from: 9000, to: 10000 },
    ],
    72,
    900,
  );
  t.ok(given(placed[1]).width >= 5);
  t.equal(Math.round(given(placed[0]).width * 10), Math.round(given(placed[2]).width * 10));
  const last = given(placed[placed.length - 1]);
  t.ok(last.x + last.width <= 72 + 900.001);
});

t.test('kernel image, KFENCE pool and differences get an enlarged view', async (t) => {
  const windows = zoomWindows(plain, measure(drawingOf(plain)));
  t.same(
    windows.map(({ differs }) => differs),
    [false, false],
  );
  t.match(given(windows[0]).title, 'kernel text and rodata alias');
  t.match(given(windows[1]).title, 'KFENCE');
  const spoiled = plain.map((run) =>
    run.why === 'memory' && run.pa > 0x7000_0000 && run.pa < 0x8000_0000
      ? { ...run, valid: false, attributes: 0n }
      : run,
  );
  const found = zoomWindows(plain, measure(drawingOf(plain, spoiled)));
  t.ok(found.some(({ differs }) => differs));
});

t.test('a pool is shown before pages that lie scattered over more memory', async (t) => {
  const scattered = Array.from({ length: 5 }, (_, group) =>
    [0, 1].map((page) =>
      leafRun(
        0x5000_0000 + group * 64 * MiB + page * 3 * MiB,
        4096,
        'page',
        'ro',
        'read-only alias',
      ),
    ),
  ).flat();
  const pool = leafRun(0x4800_0000, 2 * MiB, 'page', 'rw', 'KFENCE object page');
  const predicted = [
    leafRun(0x4000_0000, 128 * MiB, 'contPmd', 'rw', 'memory'),
    pool,
    ...scattered,
  ];
  const end = leafRun(0x6800_0000, 384 * MiB, 'contPmd', 'rw', 'memory');
  const windows = zoomWindows([...predicted, end], measure(drawingOf([...predicted, end])));
  t.equal(windows.length, 4);
  t.ok(windows.some(({ title }) => title === 'KFENCE object page'));
});

t.test('equal maps are kept once', async (t) => {
  const store = createBandStore();
  const first = mapFigure(drawingOf(plain), store, 'full').text;
  const size = store.size();
  t.equal(mapFigure(drawingOf(plain), store, 'full').text, first);
  t.equal(store.size(), size);
  t.equal(
    store.definitions().text.match(/<g id=/g)?.length,
    1,
    'predicted and actual share a band',
  );
});

t.test('a map of very many runs is merged, and the page says so', async (t) => {
  const pages = Array.from({ length: 20_000 }, (_, page) =>
    leafRun(0x4000_0000 + page * 4096, 4096, 'page', page % 2 === 0 ? 'rw' : 'ro', 'memory'),
  );
  const store = createBandStore();
  t.match(mapFigure(drawingOf(pages), store, 'full').text, 'neighbours were merged');
  t.ok(store.size() < 200_000, `${store.size()} characters`);
});

t.test('the shade of a leaf follows permission indirection where the CPU has it', async (t) => {
  const readOnly = leafRun(0x4000_0000, 4096, 'page', 'ro', 'memory');
  t.equal(shadeOf(readOnly, stage1Regime(registers, 'ttbr1')), 'ro');
  t.equal(shadeOf(leafRun(0x4000_0000, 4096, 'page', 'rw', 'memory'), undefined), 'rw');
  // Bits 54, 53 and 51 set, 6 clear: PIIndex 14. Perm14 = 0b0001 reads, 0b0101 writes.
  const run = leafRun(0x4000_0000, 4096, 'page', 'rw', 'memory');
  const indirect = (permission: bigint) =>
    stage1Regime(
      { ...registers, TCR2_EL1: 2n, PIR_EL1: permission << 56n, PIRE0_EL1: 0n },
      'ttbr1',
    );
  t.equal(shadeOf(run, indirect(1n)), 'ro');
  t.equal(shadeOf(run, indirect(5n)), 'rw');
  t.equal(shadeOf({ ...run, valid: false }, indirect(5n)), 'invalid');
});
