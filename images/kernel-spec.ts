import { PtdiffError } from '../src/errors.ts';

/** Debian's arm64 kernel flavours by their short names, as in `debian:7.3.4:16k`. */
export const flavours = { arm64: 'arm64', '16k': 'arm64-16k', cloud: 'cloud-arm64', rt: 'rt-arm64' } as const;
export type Flavour = keyof typeof flavours;

/** A kernel as the user names it. */
export type KernelSpec =
  | { kind: 'debian'; version: string; flavour: Flavour }
  | { kind: 'file'; path: string; config?: string };

const grammar = 'debian:VERSION[:FLAVOUR], debian:latest or file:PATH[,config=PATH]';

/**
 * Parses `debian:7.3.4`, `debian:6.18`, `debian:7.3.4:16k`, `debian:latest` or `file:PATH[,config=PATH]`. A Debian version
 * is a prefix of whole numbers (`6.18` is any 6.18.x), a release candidate (`7.3-rc7`) or a whole package version.
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
    const [path, config, more] = rest.split(',config=');
    if (path !== '' && config !== '' && more === undefined) {
      return config === undefined ? { kind: 'file', path } : { kind: 'file', path, config };
    }
  }
  throw new PtdiffError('usage', `'${text}' names no kernel: write ${grammar}.`);
}

function parseDebian(rest: string, text: string): KernelSpec {
  const [version, flavour = 'arm64', more] = rest.split(':');
  if (more !== undefined || !/^(latest|\d+\.\d+[\w.+~-]*)$/.test(version)) {
    throw new PtdiffError(
      'usage',
      `'${text}' has no kernel version such as 7.3.4, 6.18, 7.3-rc7 or latest: write ${grammar}.`,
    );
  }
  const short = (Object.keys(flavours) as Flavour[]).find((name) => name === flavour || flavours[name] === flavour);
  if (short === undefined) {
    const known = Object.keys(flavours).join(', ');
    throw new PtdiffError('usage', `'${text}' names the flavour '${flavour}': Debian's arm64 kernels have ${known}.`);
  }
  return { kind: 'debian', version: version.replace(/-rc(\d+)$/, '~rc$1'), flavour: short };
}

/** The text of a spec in its shortest form, which parses to the same. */
export function formatKernelSpec(spec: KernelSpec): string {
  if (spec.kind === 'file') {
    return `file:${spec.path}${spec.config === undefined ? '' : `,config=${spec.config}`}`;
  }
  const version = spec.version.replace(/^([\d.]+)~rc(\d+)$/, '$1-rc$2');
  return `debian:${version}${spec.flavour === 'arm64' ? '' : `:${spec.flavour}`}`;
}
