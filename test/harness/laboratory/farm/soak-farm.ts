// SPDX-License-Identifier: GPL-2.0-only
/**
 * `npm run test:farm`: 10,000 cases of recorded boots through a real farm, under faults drawn by a
 * seed. `--cases N`, `--seed S`, `--pause SECONDS` between faults. Exit code 1 where a case was lost
 * or counted twice.
 */
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    pause: { type: 'string', default: '5' },
  },
});
const result = await soak({
  cases: Number(values.cases),
  seed: Number(values.seed),
  pause: Number(values.pause),
  milliseconds: 20,
  tell: (line) => console.log(line),
});
console.log(JSON.stringify(result, undefined, 1));
process.exitCode = result.lost.length + result.twice.length > 0 ? 1 : 0;
