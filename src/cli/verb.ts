// SPDX-License-Identifier: GPL-2.0-only
import { type Command, InvalidArgumentError } from 'commander';
import { duration } from '../nightly/config.ts';
import { tellingScenarios } from '../scenario/telling.ts';
import { largestSeed } from '../scenario/variation.ts';

/** What every verb of the command line receives. */
export interface VerbContext {
  /** Aborted by Ctrl-C or SIGTERM: the verb ends in order and keeps its results. */
  signal: AbortSignal;
  /** Takes the exit code of the verb (see exit-codes.ts). */
  finish(code: number): void;
  /**
   * Sets the exit code for wrong usage and failures, for a verb whose caller would misread the
   * usual codes.
   */
  failWith(code: number): void;
}

/**
 * Gives the command of one verb its arguments, options and action. Each verb is in the file of its
 * name; verbs.ts lists them.
 */
export type Verb = (command: Command, context: VerbContext) => void;

/** An option that may be repeated. It has no default, since commander would show one of `[]`. */
export const collect = (value: string, previous: string[] | undefined): string[] => [
  ...(previous ?? []),
  value,
];

/** @throws InvalidArgumentError, which the command line shows as wrong usage */
export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 1024)
    throw new InvalidArgumentError('It must be a number from 1 to 1024.');
  return number;
}

/**
 * A time such as '3m' or '1h30m', in seconds.
 * @throws InvalidArgumentError for anything else
 */
export function durationOf(value: string): number {
  const { data, error } = duration.safeParse(value);
  if (data === undefined) throw new InvalidArgumentError(`It ${error?.issues[0]?.message}.`);
  return data;
}

/** @throws InvalidArgumentError for anything but a virtual address */
export function addressOf(value: string): bigint {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(value))
    throw new InvalidArgumentError('It must be an address in hexadecimal.');
  return BigInt(value.toLowerCase().startsWith('0x') ? value : `0x${value}`);
}

/** @throws InvalidArgumentError for anything but a seed, see vary() */
export function seedNumber(value: string): number {
  const seed = Number(value);
  if (!/^\d+$/.test(value) || seed > largestSeed)
    throw new InvalidArgumentError(`It must be a number from 0 to ${largestSeed}.`);
  return seed;
}

/** @throws InvalidArgumentError for what is no port */
export function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new InvalidArgumentError('It must be a port number, 0 to 65535 (0 chooses a free one).');
}

/** How to name a kernel, for --help. */
export const kernelSpecHelp =
  'debian:7.3.4, debian:6.18, debian:7.3.4:16k, debian:latest, file:PATH[,config=PATH], or built from git:PATH@REV, tarball:PATH or source:7.3, each with [,patch=FILE][,config=FRAGMENT][,compiler=llvm]; may be repeated';

/** What --patch does, for --help. */
export const patchHelp = 'a diff or mailbox to apply to every kernel from source; may be repeated';

/** How to name scenarios, for --help. */
export const scenarioHelp = `a scenario of 'ls scenarios', a YAML or JSON file, telling (the ${tellingScenarios.length} that tell most), or all; may be repeated`;
