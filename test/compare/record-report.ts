// SPDX-License-Identifier: GPL-2.0-only
/**
 * Records the comparison of two run folders as a golden report: `record-report.ts A B NAME LABEL-A
 * LABEL-B`. A and B are sides of `ptdiff compare` that name folders; the labels stand for them in
 * the report.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadSide, namedSide } from '../../harness/laboratory/compare-sides.ts';
import { compareSides } from '../../src/cli/compare-report.ts';
import { formatComparison } from '../../src/report/compare/text.ts';
import { stableJson } from '../../src/stable-json.ts';
import { take } from '../given.ts';

const [a, b, name, labelA, labelB] = take(process.argv.slice(2), 5);

function sideOf(text: string, label: string): ReturnType<typeof loadSide> {
  const side = namedSide(text);
  if (side.kind !== 'folder') throw new Error(`${text} is no run folder`);
  return loadSide(label, side.folder, side.kernel, []);
}

const { drawings: _, ...report } = compareSides({ a: sideOf(a, labelA), b: sideOf(b, labelB) });
// Where the folders and kernels lay says nothing to anybody else.
for (const side of [report.sides.a, report.sides.b]) {
  side.folder = '.';
  side.kernels = side.kernels.map((kernel) => ({ ...kernel, spec: side.asked }));
}
const path = join(import.meta.dirname, 'fixtures', 'reports', name);
writeFileSync(`${path}.json.gz`, gzipSync(stableJson({ schema: 1, ...report }), { level: 9 }));
writeFileSync(`${path}.txt`, formatComparison({ ...report, drawings: new Map() }));
