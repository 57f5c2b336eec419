// SPDX-License-Identifier: GPL-2.0-only
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, sha256 } from '../../host/cache.ts';
import type { FetchOptions } from '../debian/apt.ts';
import { packageClosure } from '../debian/package-closure.ts';
import type { Compiler } from '../kernel-spec.ts';
import { llvmPrefix, llvmPrograms, llvmResources } from '../toolchain/llvm.ts';
import { hostArchitecture, openToolArchive } from '../toolchain/tool-archive.ts';
import { prefixCommand, toolPrefix } from '../toolchain/tool-prefix.ts';
import type { WantedConfig } from './config-fragments.ts';

/**
 * Programs from Debian's archive that build a kernel, under their usual names; from the host only
 * its essential packages are used.
 */
export interface BuildTools {
  compiler: Compiler;
  /** Changes with every program and with the way the programs are called. */
  id: string;
  /** Version of the compiler, e.g. `gcc 14.2.0-19`. */
  version: string;
  /** What goes to the front of PATH. */
  bin: string;
  /** Environment that the programs need. */
  env: Record<string, string>;
  /** Variables for make's command line. */
  variables: string[];
}

const gccVersion = 14;
/** Programs that kernel builds call, from packages of the same names. */
const generators = ['make', 'flex', 'bison', 'm4', 'bc'];
/** Programs that unpack source archives. */
const unpackers = ['xz-utils'];
const binutils = [
  'ar',
  'as',
  'ld',
  'nm',
  'objcopy',
  'objdump',
  'ranlib',
  'readelf',
  'size',
  'strip',
];
const llvmNames = [
  'llvm-ar',
  'llvm-nm',
  'llvm-objcopy',
  'llvm-objdump',
  'llvm-readelf',
  'llvm-strip',
  'llvm-ranlib',
];

/**
 * Fetches the programs from the cache or the archive.
 * @param wanted options of the kernel; some need further programs
 * @throws `host` when they are not in the cache and cannot be fetched
 */
export async function buildTools(
  compiler: Compiler,
  wanted: WantedConfig['options'],
  options: FetchOptions,
): Promise<BuildTools> {
  const gnu = await fetchPrefix(
    `kernel-gcc-${gccVersion}`,
    [
      ...generators,
      ...unpackers,
      `gcc-${gccVersion}`,
      `gcc-${gccVersion}-aarch64-linux-gnu`,
      'binutils-aarch64-linux-gnu',
      'libc6-dev',
    ],
    options,
  );
  const wrappers = gnuWrappers(gnu.tree);
  const packages = [...gnu.packages];
  if (compiler === 'llvm') {
    const llvm = await llvmPrefix(options);
    packages.push(...llvm.packages);
    for (const [name, text] of llvmWrappers(llvm.tree)) wrappers.set(name, text);
  }
  const btf =
    wanted.get('CONFIG_DEBUG_INFO_BTF')?.value === 'y'
      ? await btfTools(gnu.tree, options)
      : undefined;
  if (btf !== undefined) {
    packages.push(...btf.packages);
    for (const [name, text] of btf.wrappers) wrappers.set(name, text);
  }
  const proper = compiler === 'gcc' ? /^gcc-\d+-aarch64-linux-gnu$/ : /^clang-\d+$/;
  const digests = packages.map((each) => each.sha256).sort();
  return {
    compiler,
    id: sha256(JSON.stringify([digests, wrapperRecipe])).slice(0, 16),
    version: `${compiler} ${packages.find(({ name }) => proper.test(name))?.version}`,
    bin: [...(btf ? [btf.bin] : []), await writeWrappers(wrappers)].join(':'),
    env: { BISON_PKGDATADIR: join(gnu.tree, 'usr/share/bison'), M4: 'm4', ...btf?.env },
    variables: [
      'ARCH=arm64',
      'CROSS_COMPILE=aarch64-linux-gnu-',
      ...(compiler === 'llvm' ? ['LLVM=1'] : []),
      'HOSTCC=host-gcc',
      // The programs that a build makes for itself run on the host, whatever its C library.
      ...(btf?.variables ?? ['HOSTLDFLAGS=-static']),
    ],
  };
}

/** Raised when a change in how programs are called changes what they make. */
const wrapperRecipe = 1;

/**
 * What makes BTF of a kernel's debugging information: pahole, and what builds and links a program
 * for that (tools/bpf/resolve_btfids). Other builds must not see it: pahole's version would be in
 * their .config.
 */
async function btfTools(gnuTree: string, options: FetchOptions) {
  const { tree, packages } = await fetchPrefix(
    'kernel-btf',
    ['pahole', 'libelf-dev', 'zlib1g-dev'],
    options,
  );
  // It writes a header of that program, and so has no part in the kernel.
  const python = await fetchPrefix('python3', ['python3'], options);
  const [loader = '', , , path = ''] = prefixCommand(tree, pahole);
  const [libraries = ''] = path.split(':');
  const own = join(wrapperDirectory(), 'btf');
  const wrappers: Wrappers = new Map([
    ['btf/pahole', wrapper(tree, pahole)],
    ['btf/python3', wrapper(python.tree, 'usr/bin/python3')],
    ...['ar', 'ld'].map((name): [string, string] => [
      `btf/${name}`,
      wrapper(gnuTree, `usr/bin/${hostTriplet()}-${name}`),
    ]),
    // Linker scripts: no other library is to be taken from there.
    ['btf/libelf.so', `INPUT(${join(libraries, 'libelf.so.1')})\n`],
    ['btf/libz.so', `INPUT(${join(libraries, 'libz.so.1')})\n`],
  ]);
  return {
    ...{ packages, wrappers, bin: own },
    env: { PYTHONHOME: join(python.tree, 'usr'), PYTHONDONTWRITEBYTECODE: '1' },
    variables: [
      `HOSTCFLAGS=-idirafter ${join(tree, 'usr/include')}`,
      // Debian's libelf.a lacks a part, so that these programs run as the wrapped ones do.
      `HOSTLDFLAGS=-L${own} -Wl,--disable-new-dtags,-rpath,${libraries},--dynamic-linker,${loader}`,
      // Without the host's pkg-config the libraries' usual names are taken.
      'HOSTPKG_CONFIG=false',
    ],
  };
}

const pahole = 'usr/bin/pahole';

function fetchPrefix(name: string, packages: string[], options: FetchOptions) {
  const plan = async () => {
    const archive = await openToolArchive('trixie', options);
    return {
      parts: [{ archive, packages: await packageClosure(archive, packages, 'trixie') }],
      notes: [],
    };
  };
  return toolPrefix(name, plan, options);
}

/**
 * A shell script that runs a program of a prefix.
 * @param name path inside the prefix under which the program sees itself called; without it, the
 * script's own path, so that make starts the script when it starts itself
 */
function wrapper(tree: string, program: string, args: string[] = [], name?: string): string {
  const [loader, ...rest] = prefixCommand(tree, program).map(quote);
  const path = rest.pop();
  const argv0 = name === undefined ? '"$0"' : quote(join(tree, name));
  return `#!/bin/sh\nexec ${[loader, ...rest, '--argv0', argv0, path, ...args.map(quote)].join(' ')} "$@"\n`;
}

const hostTriplet = (): string =>
  hostArchitecture() === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Scripts by their path below the directory of wrappers. */
type Wrappers = Map<string, string>;

function gnuWrappers(tree: string): Wrappers {
  const wrappers: Wrappers = new Map(
    [...generators, 'xz'].map((name) => [name, wrapper(tree, `usr/bin/${name}`)]),
  );
  const host = hostTriplet();
  for (const tool of binutils) {
    const name = `aarch64-linux-gnu-${tool}`;
    wrappers.set(name, wrapper(tree, `usr/bin/${name}`));
  }
  addGcc(wrappers, tree, 'aarch64-linux-gnu-gcc', 'aarch64-linux-gnu', [], host);
  addGcc(wrappers, tree, 'host-gcc', host, [`--sysroot=${tree}`], host);
  return wrappers;
}

/**
 * GCC's driver starts other programs: it finds them, also wrapped, in a separate directory (-B).
 */
function addGcc(
  wrappers: Wrappers,
  tree: string,
  name: string,
  triplet: string,
  args: string[],
  host: string,
): void {
  const kind = triplet === host ? 'gcc' : 'gcc-cross';
  const parts = `${name}.parts`;
  for (const part of ['cc1', 'collect2', 'lto-wrapper']) {
    const program = `usr/libexec/${kind}/${triplet}/${gccVersion}/${part}`;
    wrappers.set(`${parts}/${part}`, wrapper(tree, program, [], program));
  }
  for (const part of ['as', 'ld'])
    wrappers.set(`${parts}/${part}`, wrapper(tree, `usr/bin/${triplet}-${part}`));
  const directory = join(wrapperDirectory(), parts);
  const program = `usr/bin/${triplet}-gcc-${gccVersion}`;
  wrappers.set(name, wrapper(tree, program, ['-B', `${directory}/`, ...args], program));
}

function llvmWrappers(tree: string): Wrappers {
  const wrap = (name: string) => wrapper(tree, `${llvmPrograms}/${name}`);
  // Started by a loader, clang finds neither its own headers nor itself. What clang starts itself
  // has -cc1 as its first word.
  const clang = ['-no-canonical-prefixes', '-resource-dir', join(tree, llvmResources)]
    .map(quote)
    .join(' ');
  const first = `case $1 in -cc1*) ;; *) set -- ${clang} "$@" ;; esac`;
  return new Map([
    ['clang', wrap('clang').replace('\n', `\n${first}\n`)],
    ['ld.lld', wrap('lld')],
    ...llvmNames.map((name): [string, string] => [name, wrap(name)]),
  ]);
}

/** Always the same path: make would rebuild a build tree if its commands changed. */
function wrapperDirectory(): string {
  return cachePath('source', 'bin');
}

async function writeWrappers(wrappers: Wrappers): Promise<string> {
  const bin = wrapperDirectory();
  for (const [name, text] of wrappers) {
    const path = join(bin, name);
    if ((await readFile(path, 'utf8').catch(() => undefined)) === text) continue;
    await mkdir(join(path, '..'), { recursive: true });
    const arriving = `${path}.${process.pid}`;
    try {
      await writeFile(arriving, text);
      await chmod(arriving, 0o755);
      await rename(arriving, path);
    } finally {
      await rm(arriving, { force: true });
    }
  }
  return bin;
}
