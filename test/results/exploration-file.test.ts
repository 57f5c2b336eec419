// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  newExploration,
  partFolder,
  readExploration,
  writeExploration,
} from '../../results/exploration-file.ts';
import { makeScenario } from '../../src/scenario/make.ts';

t.test('an exploration is read as it was written', async (t) => {
  const folder = t.testdir();
  t.equal(readExploration(folder), undefined);
  const scenario = { ...makeScenario({ cpu: 'max' }), name: 'machine-1' };
  const machine = { scenario, kernel: 'debian:7.3', from: { seed: -7, index: 3 } };
  const exploration = {
    ...newExploration({
      seed: 7,
      asked: ['debian:7.3'],
      kernels: ['debian:7.3'],
      depth: 'early',
    }),
    parts: [[machine]],
    differences: [
      {
        finding: 'mismatch/a',
        kernel: 'debian:7.3',
        machine: 'machine-1',
        again: true,
        smallest: { scenario, file: 'a.yaml', boots: 4 },
      },
    ],
  };
  writeExploration(folder, exploration);
  t.same(readExploration(folder), exploration);
  t.equal(partFolder(folder, 12), join(folder, '0012'));
});

t.test('a file that cannot be used is said to be so', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'exploration.json');
  const refused = (text: string, reason: RegExp) => {
    writeFileSync(path, text);
    t.throws(() => readExploration(folder), { fault: 'usage', message: reason });
  };
  refused('{"schema":1,"se', /exploration\.json cannot be used: .*begin another/);
  refused('{"schema":2}', /exploration\.json cannot be used: schema: /);
  refused('null', /exploration\.json cannot be used: /);
});
