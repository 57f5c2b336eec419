// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { onHost } from '../host/host-file.ts';
import { makeFolder } from '../host/make-folder.ts';
import { bigintReviver } from '../src/bigint-json.ts';
import type { CaseResult } from '../src/diff/types.ts';
import { checkpointNames } from '../src/evidence/capture.ts';
import { parseWalk } from '../src/evidence/leaf-text.ts';
import type { CaseInputs } from './case-inputs.ts';
import { differencesSchema, predictionSchema } from './case-schema.ts';
import { recordingName, unpackRecording } from './recording-file.ts';
import { caseInputsSchema } from './repro-schema.ts';
import { caseFiles, complaint } from './run-folder.ts';
import { caseResultSchema } from './schema.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** zstd's quickest: a whole case takes a few milliseconds, and becomes 20 to 40 KiB. */
const level = 1;

/** A case that another machine ran: its result, and the files of its folder by their names. */
export interface ReturnedCase {
  result: CaseResult;
  files: Record<string, string>;
  /** Boot facts, where the boot came to its end. */
  facts?: unknown;
  /** What the boot was made of, where it came so far. */
  inputs?: CaseInputs;
}

/**
 * The files that a case folder may have. A script is none of them: whoever takes the case in makes
 * his own.
 */
const leafFile = new RegExp(`^leaves-(${checkpointNames.join('|')})\\.ttbr[01]\\.txt$`);
const fixedFiles: ReadonlySet<string> = new Set([
  caseFiles.prediction,
  caseFiles.differences,
  caseFiles.registers,
  caseFiles.inputs,
  'guest.json',
  'console.log',
  recordingName,
]);
const guestFile = /^files\/[A-Za-z0-9_-]{1,110}$/;
const isCaseFile = (name: string): boolean =>
  fixedFiles.has(name) || leafFile.test(name) || guestFile.test(name);

/** Files of a folder that whoever takes the case in makes himself. */
const ownFiles: ReadonlySet<string> = new Set([caseFiles.repro]);

const packedSchema = z.strictObject({
  schema: z.literal(1),
  result: caseResultSchema,
  files: z.record(z.string().refine(isCaseFile, 'no file of a case'), z.string()),
  facts: z.unknown().optional(),
});

/** What `files/` and the rest of guest.json must look like for a reader of evidence. */
const guestSchema = z.looseObject({
  probes: z.array(z.unknown()),
  // A guest that was stopped early, or died, told of none.
  guestProblems: z.array(z.unknown()).optional(),
  end: z.looseObject({ kind: z.string() }),
  files: z.record(z.string(), z.string().regex(guestFile)),
});
const registersSchema = z.looseObject({
  captures: z.array(z.looseObject({ checkpoint: z.enum(checkpointNames) })),
  splitRequests: z.array(z.unknown()),
  idRegisters: z.array(z.unknown()),
});

/** A recording is not text. */
const encodingOf = (name: string) => (name === recordingName ? 'base64' : 'utf8');

/** Packs the folder of a case that was run for somebody else. */
export async function packReturned(
  directory: string,
  result: CaseResult,
  facts?: unknown,
): Promise<Buffer> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (entry.isFile() && !ownFiles.has(name)) files[name] = readFileSync(path, encodingOf(name));
  }
  const text = JSON.stringify({ schema: 1, result, files, ...(facts !== undefined && { facts }) });
  return compress(Buffer.from(text), {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/**
 * Checks the files against each other as readEvidence() will read them.
 * @throws for the first that is not what it should be
 */
function checkFiles(files: Record<string, string>): CaseInputs | undefined {
  const parse = <T>(name: string, schema: z.ZodType<T>, revive?: typeof bigintReviver) => {
    const text = files[name];
    try {
      return text === undefined ? undefined : schema.parse(JSON.parse(text, revive));
    } catch (error) {
      throw new Error(`${name}: ${complaint(error)}`);
    }
  };
  parse(caseFiles.prediction, predictionSchema);
  parse(caseFiles.differences, differencesSchema);
  const registers = parse(caseFiles.registers, registersSchema, bigintReviver);
  const guest = parse('guest.json', guestSchema);
  const needed = [
    ...(registers?.captures ?? []).flatMap(({ checkpoint }) => [
      `leaves-${checkpoint}.ttbr1.txt`,
      ...(checkpoint === 'init' ? [`leaves-${checkpoint}.ttbr0.txt`] : []),
    ]),
    ...Object.values(guest?.files ?? {}),
    ...(registers ? ['guest.json', 'console.log'] : []),
  ];
  const missing = needed.find((name) => files[name] === undefined);
  if (missing !== undefined) throw new Error(`${missing} is missing`);
  for (const [name, text] of Object.entries(files)) if (leafFile.test(name)) parseWalk(text);
  const recording = files[recordingName];
  if (recording !== undefined) checkRecording(recording);
  return parse(caseFiles.inputs, caseInputsSchema);
}

function checkRecording(text: string): void {
  try {
    unpackRecording(Buffer.from(text, encodingOf(recordingName)));
  } catch (error) {
    throw new Error(`${recordingName}: ${complaint(error)}`, { cause: error });
  }
}

/**
 * Unpacks what another machine sent, as if it meant harm: bounded, of the shape that a case has,
 * and nothing in it that is not a file of a case.
 * @param most bytes that it may unpack to
 * @throws Error whose message says, as the end of a sentence, what is wrong
 */
export async function unpackReturned(packed: Buffer, most: number): Promise<ReturnedCase> {
  let text: string;
  try {
    text = (await decompress(packed, { maxOutputLength: most })).toString('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ERR_BUFFER_TOO_LARGE' ? 'it has no end' : complaint(error), {
      cause: error,
    });
  }
  let parsed: z.infer<typeof packedSchema>;
  try {
    parsed = packedSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(complaint(error), { cause: error });
  }
  const { result, files, facts } = parsed;
  const inputs = checkFiles(files);
  return { result, files, ...(facts !== undefined && { facts }), ...(inputs && { inputs }) };
}

/** Writes the files of a case into its folder, which is there. */
export function writeReturned(directory: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    onHost(path, () => {
      makeFolder(dirname(path));
      writeFileSync(path, text, encodingOf(name));
    });
  }
}
