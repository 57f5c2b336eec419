// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A recording of any kind: `schema` says what shape the rest of it has. */
interface Fixture {
  schema: number;
}

/**
 * Reads a recording (gzipped JSON with a schema version). A recording of another shape would be
 * misread, a missing key taken for false.
 * @param path of the file
 * @param schema the version that the reader was written for
 * @param reviver as JSON.parse() takes it
 * @throws Error that names the file and both versions
 */
export function readFixture<T extends Fixture>(
  path: string,
  schema: T['schema'],
  reviver?: (key: string, value: unknown) => unknown,
): T {
  const data: T = JSON.parse(gunzipSync(readFileSync(path)).toString(), reviver);
  if (data.schema === schema) return data;
  throw new Error(`${path} has schema ${data.schema}, this test reads ${schema}: record it again.`);
}
