// SPDX-License-Identifier: GPL-2.0-only
/**
 * A process that writes: `store-writer.ts STORE FOLDER…` says 'ready', waits for a line on standard
 * input, then imports every folder and says so. It ends with its standard input, so that who will
 * kill it is never too late.
 */

import { once } from 'node:events';
import { importRun } from '../../results/store/import-run.ts';
import { openStore } from '../../results/store/store.ts';
import { given } from '../given.ts';

const [path, ...folders] = process.argv.slice(2);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
using store = await openStore(given(path));
process.stdout.write('open\n');
for (const folder of folders) {
  importRun(store, folder);
  process.stdout.write(`${folder}\n`);
}
process.stdin.resume();
