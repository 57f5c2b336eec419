// SPDX-License-Identifier: GPL-2.0-only
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { readRegularText, whyUnreadable } from '../../host/read-file.ts';
import { PtdiffError } from '../../src/errors.ts';
import { parseKconfig } from '../../src/linux/kconfig.ts';

/** A value that a fragment requests. */
interface WantedOption {
  /** 'y', 'n', 'm', a number's text, or a string without its quotes. */
  value: string;
  /** The line as the kernel's conf reads it. */
  line: string;
  /** A kernel that does not know the option, or has no use for it, may omit it. */
  optional: boolean;
  /** Name of the last fragment that requested it. */
  from: string;
}

/** A piece of a kernel's configuration. */
interface ConfigFragment {
  name: string;
  text: string;
}

/** A configuration as it was requested. */
export interface WantedConfig {
  /** Fragments in the order in which they were merged. */
  fragments: ConfigFragment[];
  options: ReadonlyMap<string, WantedOption>;
  /**
   * One of the fragments is a complete configuration, which replaces allnoconfig and ptdiff's own
   * small one.
   */
  complete: boolean;
}

const folder = join(import.meta.dirname, 'fragments');
/** Always merged; and the fragment that turns allnoconfig into a small kernel. */
const required = 'base';
const small = ['tiny', 'ptdump'];

/**
 * The configuration of a kernel: ptdiff's own, then the given fragments, where a later one wins (as
 * in scripts/kconfig/merge_config.sh). A complete .config among them replaces ptdiff's small one.
 * @param configs names of ptdiff's fragments, or paths
 * @throws `usage` for a fragment that does not exist or cannot be read as one
 */
export async function wantedConfig(configs: string[]): Promise<WantedConfig> {
  const own = await Promise.all(configs.map(readFragment));
  const complete = own.some(({ text }) =>
    /^# Automatically generated file; DO NOT EDIT\.$/m.test(text),
  );
  const defaults = await Promise.all(
    (complete ? [required] : [required, ...small]).map(readFragment),
  );
  // A complete configuration does not know ptdiff's needs, so ptdiff's fragments come after it.
  const fragments = complete ? [...own, ...defaults] : [...defaults, ...own];
  return { fragments, options: mergeFragments(fragments), complete };
}

/** Names of ptdiff's fragments for `config=`. */
export async function fragmentNames(): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .map((file) => basename(file, '.config'))
    .filter((name) => name !== required && !small.includes(name))
    .sort();
}

/** ptdiff's fragments, each with the options that it requests, as lines of the fragment. */
export async function listFragments(): Promise<{ name: string; options: string }[]> {
  const fragments = await Promise.all((await fragmentNames()).map(readFragment));
  return fragments.map((fragment) => {
    const options = [...mergeFragments([fragment])].map(
      ([name, { value }]) => `${name.slice(7)}=${value}`,
    );
    return { name: fragment.name, options: options.join(' ') };
  });
}

async function readFragment(config: string): Promise<ConfigFragment> {
  const named = join(folder, `${config}.config`);
  const ours = /^[a-z0-9_-]+$/.test(config)
    ? await readFile(named, 'utf8').catch(() => undefined)
    : undefined;
  if (ours !== undefined) return { name: config, text: ours };
  try {
    return {
      name: basename(config, extname(config)),
      text: await readRegularText(resolve(config)),
    };
  } catch (error) {
    const names = (await fragmentNames()).join(', ');
    const why = `cannot be read as a file: ${whyUnreadable(error)}`;
    throw new PtdiffError(
      'usage',
      `config=${config} is no fragment of ptdiff's (${names}), and ${why}.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Merges fragments, where a later one wins. Options between a comment that starts with `#
 * optional:` and the next empty line need not be known to a kernel.
 * @throws `usage` for a line that is neither an option nor a comment
 */
export function mergeFragments(fragments: ConfigFragment[]): Map<string, WantedOption> {
  const options = new Map<string, WantedOption>();
  for (const { name: from, text } of fragments) {
    let optional = false;
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (line.trim() === '') optional = false;
      if (/^#\s*optional:/.test(line)) optional = true;
      const [entry] = parseKconfig(line);
      if (entry !== undefined) options.set(entry[0], { value: entry[1], line, optional, from });
      else if (!/^\s*(#|$)/.test(line)) {
        const what = line.slice(0, 60);
        throw new PtdiffError(
          'usage',
          `Line ${index + 1} of the fragment ${from} is not an option: '${what}'; write CONFIG_X=VALUE or # CONFIG_X is not set.`,
        );
      }
    }
  }
  return options;
}

/** The merged options as one file. */
export function configText(options: ReadonlyMap<string, WantedOption>): string {
  return [...options.values()].map(({ line }) => `${line}\n`).join('');
}

/**
 * Options that the kernel's own configuration system did not accept as requested.
 * @param result the final .config
 * @returns a phrase for each, with the requested and the actual value
 */
export function lostOptions(options: ReadonlyMap<string, WantedOption>, result: string): string[] {
  const final = parseKconfig(result);
  return [...options].flatMap(([name, { value, optional, from }]) => {
    const actual = final.get(name);
    if (actual === value || (actual === undefined && (value === 'n' || optional))) return [];
    const is =
      actual === undefined
        ? 'absent (unknown to this kernel, or what it depends on is off)'
        : actual;
    return [`${name} should be ${value} (fragment ${from}) and is ${is}`];
  });
}
