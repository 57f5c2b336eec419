// SPDX-License-Identifier: GPL-2.0-only
/** Writes docs/schemas again; a test compares it with the code. */
import { join } from 'node:path';
import { fs } from 'zx';
import { jsonSchemas } from '../results/json-schemas.ts';
import { root, tellChanges } from './script.ts';

const folder = join('docs', 'schemas');
fs.ensureDirSync(join(root, folder));
for (const [file, text] of Object.entries(jsonSchemas()))
  fs.writeFileSync(join(root, folder, file), text);
await tellChanges(folder);
