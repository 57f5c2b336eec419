// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { jsonSchemas } from '../../results/json-schemas.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'schemas');

t.test('docs/schemas is what the code says; npm run schemas writes it', async (t) => {
  const schemas = jsonSchemas();
  t.same(readdirSync(folder).sort(), Object.keys(schemas).sort());
  for (const [file, text] of Object.entries(schemas))
    t.equal(readFileSync(join(folder, file), 'utf8'), text, file);
});
