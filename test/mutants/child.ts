// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { given } from '../given.ts';
import { installMutants, keepMutant, mutantsOf, recordVisits } from './install.ts';

/*
 * Loaded before a test file: puts one mutant in force (PTDIFF_MUTANT: file and number in it), or
 * writes down which mutants' places the test passes (PTDIFF_VISITS: file to write, then the files
 * whose mutants are meant).
 */
const [file, id] = (process.env.PTDIFF_MUTANT ?? '').split('#');
const [log, ...files] = (process.env.PTDIFF_VISITS ?? '').split(':');
const mutants = mutantsOf(id === undefined ? files : [given(file)]);
installMutants(mutants);
if (id !== undefined) keepMutant(Number(id));
else {
  const visited = recordVisits();
  process.on('exit', () => writeFileSync(given(log), JSON.stringify([...visited])));
}
