// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../src/errors.ts';

/** Debian's arm64 kernel flavours by their short names, as in `debian:7.3.4:16k`. */
export const flavours = {
  arm64: 'arm64',
  '16k': 'arm64-16k',
  cloud: 'cloud-arm64',
  rt: 'rt-arm64',
} as const;
export type Flavour = keyof typeof flavours;

/** The compilers that a kernel can be built with. */
export const compilers = ['gcc', 'llvm'] as const;
export type Compiler = (typeof compilers)[number];

/** The parts of a kernel that ptdiff builds, besides its source. */
export interface SourceParts {
  /** Diffs or mailboxes, applied in this order. */
  patches: string[];
  /**
   * Names of fragments (images/source/fragments) or files, merged in this order into ptdiff's own
   * configuration.
   */
  configs: string[];
  compiler: Compiler;
}

/**
 * Where the source of a kernel comes from: a commit, an archive, or Debian's package
 * linux-source-VERSION.
 */
export type SourceOrigin =
  | { kind: 'git'; path: string; rev: string }
  | { kind: 'tarball'; path: string }
  | { kind: 'source'; version: string };

export type SourceSpec = SourceOrigin & SourceParts;

/** A kernel from Debian's archive, by a version or the start of one. */
export interface DebianSpec {
  kind: 'debian';
  version: string;
  flavour: Flavour;
}

/** A kernel as the user names it. */
export type KernelSpec = DebianSpec | { kind: 'file'; path: string; config?: string } | SourceSpec;

const grammar =
  'debian:VERSION[:FLAVOUR], debian:latest, file:PATH[,config=PATH], git:PATH@REV, tarball:PATH or source:VERSION; the last three may be followed by ,patch=FILE ,config=FRAGMENT ,compiler=gcc|llvm';

/**
 * Parses `debian:7.3.4`, `debian:6.18`, `debian:7.3.4:16k`, `debian:latest`,
 * `file:PATH[,config=PATH]`, `git:PATH@REV`, `tarball:PATH` or `source:7.3`. A Debian version is a
 * prefix of whole numbers (`6.18` is any 6.18.x), a release candidate (`7.3-rc7`) or a whole
 * package version. A kernel from source may be followed by `,patch=FILE`, `,config=FRAGMENT` (both
 * repeatable) and `,compiler=NAME`.
 * @throws `usage`
 */
export function parseKernelSpec(text: string): KernelSpec {
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  if (kind === 'debian') {
    return parseDebian(rest, text);
  }
  if (kind === 'file' && rest !== '') {
    const [path = '', config, more] = rest.split(',config=');
    if (path !== '' && config !== '' && more === undefined) {
      return config === undefined ? { kind: 'file', path } : { kind: 'file', path, config };
    }
  }
  if (kind === 'git' || kind === 'tarball' || kind === 'source') {
    return parseSource(kind, rest, text);
  }
  throw new PtdiffError('usage', `'${text}' names no kernel: write ${grammar}.`);
}

/** Whether ptdiff builds a kernel. */
export function isSourceSpec(spec: KernelSpec): spec is SourceSpec {
  return spec.kind !== 'debian' && spec.kind !== 'file';
}

/** A path may contain commas, unless a part's name and '=' follow. */
function parseSource(kind: SourceOrigin['kind'], rest: string, text: string): SourceSpec {
  const [where = '', ...parts] = rest.split(/,(?=(?:patch|config|compiler)=)/);
  const values = (name: string) =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  const [compiler = 'gcc', another] = values('compiler');
  const known = compilers.find((name) => name === compiler);
  if (known === undefined || another !== undefined) {
    throw new PtdiffError('usage', `'${text}' must name one compiler: ${compilers.join(' or ')}.`);
  }
  const made: SourceParts = {
    patches: values('patch'),
    configs: values('config'),
    compiler: known,
  };
  if ([where, ...made.patches, ...made.configs].every((part) => part !== '')) {
    // Not the '@' of a revision such as HEAD@{1}.
    const [, path, rev] = /^(.+)@([^@{][^@]*(?:@\{[^}]*\})?)$/.exec(where) ?? [];
    if (kind === 'git' && path !== undefined && rev !== undefined)
      return { kind, path, rev, ...made };
    if (kind === 'tarball') return { kind, path: where, ...made };
    if (kind === 'source' && /^\d+\.\d+[\w.+~-]*$/.test(where))
      return { kind, version: debianVersion(where), ...made };
  }
  throw new PtdiffError('usage', `'${text}' names no source of a kernel: write ${grammar}.`);
}

/**
 * Adds patches to every kernel from source.
 * @returns the specs; the others are unchanged
 * @throws `usage` when there are patches but no kernel from source
 */
export function withPatches(specs: string[], patches: string[]): string[] {
  const isSource = (spec: string) => isSourceSpec(parseKernelSpec(spec));
  if (patches.length > 0 && !specs.some(isSource)) {
    throw new PtdiffError(
      'usage',
      '--patch needs a kernel that is built from source: add --kernel git:PATH@REV, tarball:PATH or source:VERSION.',
    );
  }
  const parts = patches.map((patch) => `,patch=${patch}`).join('');
  return specs.map((spec) => (isSource(spec) ? `${spec}${parts}` : spec));
}

/** Debian writes 7.3~rc7. */
const debianVersion = (version: string): string => version.replace(/-rc(\d+)$/, '~rc$1');

function parseDebian(rest: string, text: string): KernelSpec {
  const [version = '', flavour = 'arm64', more] = rest.split(':');
  if (more !== undefined || !/^(latest|\d+\.\d+[\w.+~-]*)$/.test(version)) {
    throw new PtdiffError(
      'usage',
      `'${text}' has no kernel version such as 7.3.4, 6.18, 7.3-rc7 or latest: write ${grammar}.`,
    );
  }
  const short = (Object.keys(flavours) as Flavour[]).find(
    (name) => name === flavour || flavours[name] === flavour,
  );
  if (short === undefined) {
    const known = Object.keys(flavours).join(', ');
    throw new PtdiffError(
      'usage',
      `'${text}' names the flavour '${flavour}': Debian's arm64 kernels have ${known}.`,
    );
  }
  return { kind: 'debian', version: debianVersion(version), flavour: short };
}

/** The text of a spec in its shortest form that parses to the same spec. */
export function formatKernelSpec(spec: KernelSpec): string {
  if (spec.kind === 'file') {
    return `file:${spec.path}${spec.config === undefined ? '' : `,config=${spec.config}`}`;
  }
  if (spec.kind === 'debian') {
    return `debian:${upstreamSpelling(spec.version)}${spec.flavour === 'arm64' ? '' : `:${spec.flavour}`}`;
  }
  const { patches, configs, compiler } = spec;
  return [
    formatOrigin(spec),
    ...patches.map((patch) => `patch=${patch}`),
    ...configs.map((config) => `config=${config}`),
    ...(compiler === 'gcc' ? [] : [`compiler=${compiler}`]),
  ].join(',');
}

/** The part of a spec that says where the source comes from. */
export function formatOrigin(origin: SourceOrigin): string {
  switch (origin.kind) {
    case 'git':
      return `git:${origin.path}@${origin.rev}`;
    case 'tarball':
      return `tarball:${origin.path}`;
    case 'source':
      return `source:${upstreamSpelling(origin.version)}`;
  }
}

function upstreamSpelling(version: string): string {
  return version.replace(/^([\d.]+)~rc(\d+)$/, '$1-rc$2');
}
