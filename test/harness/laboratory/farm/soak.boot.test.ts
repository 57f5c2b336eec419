// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { soak } from './soak.ts';

// `npm run test:farm` does the same with 10,000 cases.
t.test('600 cases under faults drawn by a seed: none is lost, none counts twice', async (t) => {
  const result = await soak({ cases: 600, seed: 20_261_128, pause: 2, milliseconds: 200 });
  t.same(result.lost, []);
  t.same(result.twice, []);
  const faults = Object.values(result.faults).reduce((sum, count) => sum + count, 0);
  // Twelve places cannot be done with them before the first fault comes.
  t.ok(faults > 0, `${JSON.stringify(result)}`);
});
