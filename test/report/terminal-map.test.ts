// SPDX-License-Identifier: GPL-2.0-only

import t from 'tap';
import { diffLeaves } from '../../src/diff/compare.ts';
import { parseWalk } from '../../src/evidence/leaf-text.ts';
import { predict } from '../../src/model/predict.ts';
import { formatMaps, formatPredictedMaps } from '../../src/report/terminal-map.ts';
import type { CaseDrawing } from '../../src/report/types.ts';
import type { SystemRegisters } from '../../src/vmsa/types.ts';
import { given } from '../given.ts';
import { goldenNames, questionOfGolden, readGolden } from '../model/golden.ts';

/** The drawings of a recorded boot. */
function drawings(name: string): CaseDrawing[] {
  const golden = readGolden(name);
  const { checkpoints, linearRegion } = predict(questionOfGolden(golden));
  return golden.captures.map(({ checkpoint, walk, cpus }) => {
    const predicted = checkpoints[checkpoint]?.leaves ?? [];
    const actual = parseWalk(walk).leaves;
    const registers = given(cpus[0]).registers as SystemRegisters;
    const differences = diffLeaves(predicted, actual);
    return { checkpoint, linearRegion, predicted, actual, differences, registers };
  });
}

const plain = { colour: false };
const v3 = '7.3.4+deb13-arm64@neoverse-v3-r0p2.json.gz';

t.test('what is found as predicted is one line a stretch, with what it is', async (t) => {
  const text = formatMaps(drawings(v3), { ...plain, checkpoint: 'init' });
  t.match(text, /^Linear map at init: predicted \| found\n/);
  t.match(
    text,
    /^ {2}0xfff0\d{12}-0x\w{16} +\d+[KMG] CONT PMD rw- --- .* Normal-WB \| = {2}memory$/m,
  );
  t.match(text, /PTE {6}INVALID .* \| = {2}kernel data and bss alias$/m);
  t.notMatch(text, /^!/m);
});

t.test('every recorded boot has a map without a difference', async (t) => {
  for (const name of goldenNames().filter((_, index) => index % 8 === 0)) {
    t.notMatch(formatMaps(drawings(name), plain), /^!/m, name);
  }
});

t.test(
  'a leaf that differs stands beside what was predicted, and an address chooses its line',
  async (t) => {
    const broken = drawings(v3).filter(({ checkpoint }) => checkpoint === 'init');
    const drawing = given(broken[0]);
    const leaf = given(drawing.actual[1]);
    drawing.actual[1] = { ...leaf, attributes: leaf.attributes & ~0x80n };
    drawing.differences = diffLeaves(drawing.predicted, drawing.actual);
    const text = formatMaps(broken, { ...plain, at: leaf.va });
    t.match(
      text,
      /^! 0x\w+-0x\w+ .* r-- --- .* \| .* r-- --- .* 0xe0000000000401 pa 0x40200000 {2}kernel text and rodata alias$/m,
    );
    t.equal(text.split('\n').length, 3);
  },
);

t.test('a prediction alone has the same lines as the left side of a map', async (t) => {
  const prediction = predict(questionOfGolden(readGolden(v3)));
  const left = (line: string) => line.replace(/ \| = {2}/, '  ');
  const expected = formatMaps(drawings(v3), { ...plain, checkpoint: 'init' })
    .split('\n')
    .slice(1)
    .map(left);
  const text = formatPredictedMaps(prediction, { ...plain, checkpoint: 'init' });
  t.same(text.split('\n').slice(1), expected);
  t.equal(formatPredictedMaps(prediction, plain).match(/^Linear map at /gm)?.length, 6);
});
