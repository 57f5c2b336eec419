// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { runSchemaVersion } from '../src/report/types.ts';
import { scenarioFileSchema } from '../src/scenario/schema.ts';
import { caseResultSchema, runRecordSchema } from './schema.ts';

/** Files of docs/schemas, and what they describe. */
const described = {
  'scenario.json': {
    title: 'One scenario of a scenario file; a file holds one, or a list',
    schema: scenarioFileSchema,
    io: 'input',
  },
  'run.json': { title: 'run.json of a run folder', schema: runRecordSchema, io: 'output' },
  'case.json': {
    title: 'One line of cases.jsonl of a run folder; show --json prints one',
    schema: caseResultSchema,
    io: 'output',
  },
} as const;

/**
 * JSON Schemas (draft 2020-12) of what other programs may write for ptdiff or read from it, by file
 * name. The version is that of run folders: it is raised when a member changes its meaning or is
 * removed; adding a member does not raise it. A schema does not cover requirements on a scenario
 * beyond the types of its fields (e.g. that a realm needs a firmware); ./ptdiff checks them.
 */
export function jsonSchemas(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(described).map(([file, { title, schema, io }]) => {
      const json = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
      const { $schema, ...rest } = json;
      // A scenario without a name is named after its file.
      if (io === 'input') rest.required = rest.required?.filter((name) => name !== 'name');
      return [
        file,
        `${JSON.stringify({ $schema, title, version: runSchemaVersion, ...rest }, null, 2)}\n`,
      ];
    }),
  );
}
