// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { layMatrix } from '../../src/report/matrix.ts';
import { sampleReport } from './sample-run.ts';

t.test(
  'the matrix tells ended, planned and left out cases apart, and its counts add up',
  async (t) => {
    const report = sampleReport(0.5);
    const cells = layMatrix(report.run, report.cases.slice(1)).rows.flatMap((row) => row.cells);
    const count = (kind: string) => cells.filter((cell) => cell.kind === kind).length;
    t.equal(count('ended'), report.cases.length - 1);
    t.equal(count('planned'), 1);
    t.equal(count('left-out'), report.run.leftOut.length);
    t.equal(count('absent'), 0);
  },
);

t.test('scenarios come in the order of the matrix, whatever was left out', async (t) => {
  const report = sampleReport(0.3);
  const { scenarios } = layMatrix(report.run, report.cases);
  const order = report.run.scenarios.map(({ name }) => name);
  t.same(
    scenarios,
    order.filter((name) => scenarios.includes(name)),
  );
});
