import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { PtdiffError } from '../../src/errors.ts';
import type { FetchOptions } from '../apt.ts';
import { cachePath, exists, publishDirectory, readJson, sha256, writeJson } from '../cache.ts';
import { checkImage } from '../image-check.ts';
import type { BuildTools } from './build-tools.ts';
import { configText, lostOptions, type WantedConfig } from './config-fragments.ts';
import { type Desk, withDesk } from './desks.ts';
import type { GitStore } from './git-store.ts';
import { dropHalfWritten, runMake } from './run-make.ts';
import type { SourceTree } from './source-tree.ts';

/** Everything that decides the bytes of a kernel. */
export interface KernelRecipe {
  source: SourceTree;
  config: WantedConfig;
  tools: BuildTools;
  /** How the user named it. */
  what: string;
}

/** A kernel that was built. */
export interface BuiltKernel {
  sha256: string;
  release: string;
  imagePath: string;
  configPath: string;
}

/** What the cache says of a build. */
type BuildRecord = Pick<BuiltKernel, 'sha256' | 'release'>;

/** Raised when a build of the same parts gives other bytes. */
const buildVersion = 1;
/** Build trees that a desk keeps, one a configuration and compiler. */
const maximalObjects = 4;

/** Changes with the source, the options asked for, and the compiler. */
export function buildKey({ source, config, tools }: KernelRecipe): string {
  return sha256(JSON.stringify([buildVersion, source.tree, config.complete, configText(config.options), tools.id]));
}

/** What a build tree is kept for: a compiler, and the options asked for. */
function objectsName({ config, tools }: KernelRecipe): [compiler: string, options: string] {
  return [tools.id, sha256(JSON.stringify([config.complete, configText(config.options)])).slice(0, 16)];
}

/** The kernel of a recipe if it was built before. */
export async function builtKernel(recipe: KernelRecipe): Promise<BuiltKernel | undefined> {
  const record = await readJson<BuildRecord>(recordPath(recipe));
  if (record === undefined) return undefined;
  const directory = cachePath('kernels', record.sha256);
  const [imagePath, configPath] = [join(directory, 'Image'), join(directory, 'config')];
  const whole = (await exists(imagePath)) && (await exists(configPath));
  return whole ? { ...record, imagePath, configPath } : undefined;
}

/** Where make leaves the Image. */
const imageBelowObjects = 'arch/arm64/boot/Image';

const recordPath = (recipe: KernelRecipe): string => cachePath('source', 'builds', `${buildKey(recipe)}.json`);

/**
 * Builds a kernel, or takes the one that was built of the same parts.
 * @throws `image` when it cannot be configured as asked, does not build, or is no kernel; `host`; the signal's reason
 */
export async function buildKernel(store: GitStore, recipe: KernelRecipe, options: FetchOptions): Promise<BuiltKernel> {
  const present = await builtKernel(recipe);
  if (present !== undefined) return present;
  const built = join('objects', objectsName(recipe).join('-'), imageBelowObjects);
  return withDesk(store, recipe.source, built, options, async (desk) => {
    // Another run may have built it while this one waited for the desk.
    const other = await builtKernel(recipe);
    if (other !== undefined) return other;
    const objects = await openObjects(desk, objectsName(recipe));
    const log = cachePath('source', 'logs', `${buildKey(recipe).slice(0, 16)}.log`);
    await mkdir(join(log, '..'), { recursive: true });
    await writeFile(log, '');
    await configure(store, desk, recipe, objects, { log, ...options });
    await compile(desk, recipe, objects, { log, ...options });
    await publish(objects, recipe);
    await rm(log);
    const kernel = await builtKernel(recipe);
    if (kernel === undefined)
      throw new PtdiffError('harness', `The cache lost ${recipe.what} right after it was built.`);
    return kernel;
  });
}

type StepOptions = FetchOptions & { log: string };

/**
 * The build tree of a configuration at a desk. A new one begins as a copy of the last one of the same compiler, since make knows which
 * options each object depends on. The ones used least make room.
 */
async function openObjects(desk: Desk, [compiler, options]: [string, string]): Promise<string> {
  const parent = join(desk.directory, 'objects');
  const directory = join(parent, `${compiler}-${options}`);
  await mkdir(parent, { recursive: true });
  const names = (await readdir(parent)).filter((name) => !name.endsWith(arriving));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, used: (await stat(join(parent, name))).mtimeMs })),
  );
  const all = dated.sort((a, b) => b.used - a.used).map(({ name }) => name);
  for (const name of all.slice(maximalObjects - 1)) {
    if (join(parent, name) !== directory) await rm(join(parent, name), { recursive: true, force: true });
  }
  if (!all.includes(`${compiler}-${options}`)) {
    const nearest = all.find((name) => name.startsWith(`${compiler}-`));
    await rm(`${directory}${arriving}`, { recursive: true, force: true });
    if (nearest === undefined) await mkdir(`${directory}${arriving}`);
    else await execa('cp', ['-a', '--reflink=auto', join(parent, nearest), `${directory}${arriving}`]);
    await rename(`${directory}${arriving}`, directory);
  }
  await utimes(directory, new Date(), new Date());
  await dropHalfWritten(directory);
  return directory;
}

/** Ends the name of a build tree that is not whole yet. */
const arriving = '.arriving';

/** Makes .config, unless neither the options nor the kernel's rules for them changed. */
async function configure(
  store: GitStore,
  desk: Desk,
  recipe: KernelRecipe,
  objects: string,
  { log, signal }: StepOptions,
): Promise<void> {
  const { config, tools, what } = recipe;
  const stamp = join(objects, '.ptdiff-configured');
  const text = configText(config.options);
  const rules = sha256(JSON.stringify([config.complete, text, await kconfigFiles(store, recipe.source)]));
  if ((await readFile(stamp, 'utf8').catch(() => '')) === rules) return;
  await rm(stamp, { force: true });
  const fragment = join(objects, '.ptdiff-config');
  await writeFile(fragment, text);
  const make = { tools, source: desk.source, objects, log, what, ...(signal && { signal }) };
  if (config.complete) {
    await writeFile(join(objects, '.config'), text);
    await runMake({ ...make, args: ['olddefconfig'] });
  } else {
    await runMake({ ...make, args: [`KCONFIG_ALLCONFIG=${fragment}`, 'allnoconfig'] });
  }
  const lost = lostOptions(config.options, await readFile(join(objects, '.config'), 'utf8'));
  if (lost.length > 0) {
    const more = lost.length > 4 ? `, and ${lost.length - 4} more` : '';
    throw new PtdiffError('image', `${what} cannot be configured as asked: ${lost.slice(0, 4).join('; ')}${more}.`);
  }
  await writeFile(stamp, rules);
}

/** Everything that .config depends on beside the options: all Kconfig files, and what they call. */
async function kconfigFiles(store: GitStore, { tree, alternates }: SourceTree): Promise<string> {
  const files = await store.run(['ls-tree', '-r', tree], { alternates });
  return files
    .split('\n')
    .filter((line) =>
      /\t(.*\/)?Kconfig[^/]*$|\tscripts\/[^/]*$|\tscripts\/kconfig\/|\t(arch\/arm64\/)?Makefile$/.test(line),
    )
    .join('\n');
}

async function compile(desk: Desk, recipe: KernelRecipe, objects: string, options: StepOptions): Promise<void> {
  const { tools, what, source } = recipe;
  const { log, signal, progress } = options;
  progress?.(`building ${source.name} with ${tools.version}`);
  const started = performance.now();
  const timer = setInterval(async () => {
    const files = (await readFile(log, 'utf8').catch(() => '')).split('\n').length;
    progress?.(`building ${what}: ${files} steps in ${Math.round((performance.now() - started) / 1000)} s`);
  }, 15_000);
  try {
    // Without LOCALVERSION= a tree outside git would be called a changed one.
    const make = { tools, source: desk.source, objects, args: ['LOCALVERSION=', 'Image'], log, what };
    await runMake({ ...make, ...(signal && { signal }) });
  } finally {
    clearInterval(timer);
  }
}

async function publish(objects: string, recipe: KernelRecipe): Promise<void> {
  const image = await readFile(join(objects, imageBelowObjects));
  const { release, bytes } = checkImage(image, `${recipe.what} (${basename(objects)})`);
  const digest = sha256(bytes);
  const config = await readFile(join(objects, '.config'));
  await publishDirectory(cachePath('kernels', digest), async (directory) => {
    await writeFile(join(directory, 'Image'), bytes);
    await writeFile(join(directory, 'config'), config);
  });
  await writeJson(recordPath(recipe), { sha256: digest, release } satisfies BuildRecord);
}
