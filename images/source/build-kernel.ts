// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { cachePath, type Progress, sha256, sha256File } from '../../host/cache.ts';
import { explainDiskFull } from '../../host/disk-space.ts';
import { readRecord, writeRecord } from '../../host/records.ts';
import { digestSchema } from '../../host/sealed-folder.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { FetchOptions } from '../debian/apt.ts';
import { checkImage } from '../image-check.ts';
import { keepImage, keptImage } from '../keep-image.ts';
import type { BuildTools } from './build-tools.ts';
import {
  type BuildTreeName,
  builtImage,
  dropUnbuiltTree,
  imageAtDesk,
  keepBuildTree,
  openBuildTree,
  optionsFile,
} from './build-trees.ts';
import { configText, lostOptions, type WantedConfig } from './config-fragments.ts';
import { type Desk, withDesk } from './desks.ts';
import type { GitStore } from './git-store.ts';
import { runMake } from './run-make.ts';
import type { SourceTree } from './tree.ts';

/** Everything that determines the bytes of a kernel. */
export interface KernelRecipe {
  source: SourceTree;
  config: WantedConfig;
  tools: BuildTools;
  /** The user's name for it. */
  what: string;
}

/** A kernel that was built. */
interface BuiltKernel {
  sha256: string;
  release: string;
  imagePath: string;
  configPath: string;
}

/** The cache's record of a build. */
const recordSchema = z.strictObject({
  sha256: digestSchema,
  release: z.string().regex(/^\d+\.\d+\S*$/),
});
type BuildRecord = z.infer<typeof recordSchema>;

/** Raised when a build from the same parts gives other bytes. */
const buildVersion = 1;

/** Changes with the source, the requested options, and the compiler. */
export function buildKey({ source, config, tools }: KernelRecipe): string {
  return sha256(
    JSON.stringify([
      buildVersion,
      source.tree,
      config.complete,
      configText(config.options),
      tools.id,
    ]),
  );
}

function buildTreeName({ config, tools }: KernelRecipe): BuildTreeName {
  const options = sha256(JSON.stringify([config.complete, configText(config.options)])).slice(
    0,
    16,
  );
  return { compiler: tools.id, options };
}

/** The kernel of a recipe if it was built before and is unchanged. */
export async function builtKernel(
  recipe: KernelRecipe,
  progress?: Progress,
): Promise<BuiltKernel | undefined> {
  const record = await readRecord(recordPath(recipe), recordSchema, progress);
  const { imagePath, configPath } = (record && (await keptImage(record.sha256, progress))) ?? {};
  return record && imagePath && configPath ? { ...record, imagePath, configPath } : undefined;
}

const recordPath = (recipe: KernelRecipe): string =>
  cachePath('source', 'builds', `${buildKey(recipe)}.json`);

/** Where the log of a failed build is kept. */
export const buildLog = (recipe: KernelRecipe): string =>
  cachePath('source', 'logs', `${buildKey(recipe).slice(0, 16)}.log`);

/** By buildKey(): why kernels do not build that another machine has tried for this process. */
const failedElsewhere = new Map<string, PtdiffError>();

/** From now on this process takes it that a kernel does not build: it would fail here, too. */
export function keepFailure(recipe: KernelRecipe, error: PtdiffError): void {
  failedElsewhere.set(buildKey(recipe), error);
}

/** Whether it is known what becomes of a recipe: it was built, or does not build. */
export async function isSettled(recipe: KernelRecipe): Promise<boolean> {
  return failedElsewhere.has(buildKey(recipe)) || (await builtKernel(recipe)) !== undefined;
}

/**
 * Builds a kernel, or takes the one that was built from the same parts.
 * @throws `image` when it cannot be configured as requested, does not build, or is not a kernel;
 * `host`; the signal's reason
 */
export async function buildKernel(
  store: GitStore,
  recipe: KernelRecipe,
  options: FetchOptions,
): Promise<BuiltKernel> {
  const present = await builtKernel(recipe, options.progress);
  if (present !== undefined) return present;
  const failed = failedElsewhere.get(buildKey(recipe));
  if (failed !== undefined) throw failed;
  const name = buildTreeName(recipe);
  const build = withDesk(store, recipe.source, imageAtDesk(name), options, async (desk) => {
    // Another run may have built it while this one waited for the desk.
    const other = await builtKernel(recipe);
    if (other !== undefined) return other;
    const before = await readRecord(recordPath(recipe), recordSchema);
    const objects = await buildAt(desk, name, { store, recipe }, options);
    // Its Image in the cache was damaged. The same parts must give the same bytes; if they do not,
    // the objects at the desk are damaged, too.
    if (before !== undefined && before.sha256 !== (await sha256File(join(objects, builtImage)))) {
      options.progress?.(
        `the build tree of ${recipe.what} is damaged, too: it is built from scratch`,
      );
      await rm(objects, { recursive: true });
      await buildAt(desk, name, { store, recipe }, options);
    }
    await publish(objects, recipe);
    const kernel = await builtKernel(recipe);
    if (kernel === undefined)
      throw new PtdiffError('harness', `The cache lost ${recipe.what} right after it was built.`);
    return kernel;
  });
  return build.catch(async (error) => {
    throw await explainDiskFull(error, `the build of ${recipe.what}`);
  });
}

/**
 * Configures and compiles at a desk. The log of a failed build is kept, unless the host is to
 * blame.
 * @returns the build tree
 */
async function buildAt(
  desk: Desk,
  name: BuildTreeName,
  { store, recipe }: { store: GitStore; recipe: KernelRecipe },
  options: FetchOptions,
): Promise<string> {
  const objects = await openBuildTree(
    desk.directory,
    name,
    configText(recipe.config.options),
    options.signal,
  );
  const log = buildLog(recipe);
  await mkdir(join(log, '..'), { recursive: true });
  try {
    await writeFile(log, '');
    await configure(store, desk, recipe, objects, { log, ...options }).catch(async (error) => {
      await dropUnbuiltTree(objects);
      throw error;
    });
    await compile(desk, recipe, objects, { log, ...options });
    await rm(log);
  } catch (error) {
    if (!(error instanceof PtdiffError) || error.fault === 'host') await rm(log, { force: true });
    throw error;
  }
  return objects;
}

type StepOptions = FetchOptions & { log: string };

/** Makes .config, unless neither the options nor the kernel's rules for them have changed. */
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
  const rules = sha256(
    JSON.stringify([config.complete, text, await kconfigFiles(store, recipe.source)]),
  );
  if ((await readFile(stamp, 'utf8').catch(() => '')) === rules) return;
  await rm(stamp, { force: true });
  const make = { tools, source: desk.source, objects, log, what, ...(signal && { signal }) };
  if (config.complete) {
    await writeFile(join(objects, '.config'), text);
    await runMake({ ...make, args: ['olddefconfig'] });
  } else {
    await runMake({
      ...make,
      args: [`KCONFIG_ALLCONFIG=${join(objects, optionsFile)}`, 'allnoconfig'],
    });
  }
  const lost = lostOptions(config.options, await readFile(join(objects, '.config'), 'utf8'));
  if (lost.length > 0) {
    const more = lost.length > 4 ? `, and ${lost.length - 4} more` : '';
    throw new PtdiffError(
      'image',
      `${what} cannot be configured as requested: ${lost.slice(0, 4).join('; ')}${more}.`,
    );
  }
  await writeFile(stamp, rules);
}

/**
 * Everything that .config depends on besides the options: all Kconfig files, and what they call.
 */
async function kconfigFiles(store: GitStore, { tree, alternates }: SourceTree): Promise<string> {
  const files = await store.run(['ls-tree', '-r', tree], { alternates });
  return files
    .split('\n')
    .filter((line) =>
      /\t(.*\/)?Kconfig[^/]*$|\tscripts\/[^/]*$|\tscripts\/kconfig\/|\t(arch\/arm64\/)?Makefile$/.test(
        line,
      ),
    )
    .join('\n');
}

async function compile(
  desk: Desk,
  recipe: KernelRecipe,
  objects: string,
  options: StepOptions,
): Promise<void> {
  const { tools, what, source } = recipe;
  const { log, signal, progress } = options;
  progress?.(`building ${source.name} with ${tools.version}`);
  const started = performance.now();
  const timer = setInterval(async () => {
    const files = (await readFile(log, 'utf8').catch(() => '')).split('\n').length;
    progress?.(
      `building ${what}: ${files} steps in ${Math.round((performance.now() - started) / 1000)} s`,
    );
  }, 15_000);
  try {
    // Without LOCALVERSION= the release of a tree outside git would say that it was modified.
    const make = {
      tools,
      source: desk.source,
      objects,
      args: ['LOCALVERSION=', 'Image'],
      log,
      what,
    };
    await runMake({ ...make, ...(signal && { signal }) });
    await keepBuildTree(objects);
  } finally {
    clearInterval(timer);
  }
}

async function publish(objects: string, recipe: KernelRecipe): Promise<void> {
  const image = await readFile(join(objects, builtImage));
  await keepBuild(recipe, image, await readFile(join(objects, '.config')), basename(objects));
}

/**
 * Keeps what a recipe gave, here or elsewhere: the same parts give the same bytes.
 * @param where names the place, for the message
 * @throws `image` for what is no kernel
 */
export async function keepBuild(
  recipe: KernelRecipe,
  image: Buffer,
  config: Buffer,
  where: string,
): Promise<void> {
  const { release, bytes } = checkImage(image, `${recipe.what} (${where})`);
  const { sha256 } = await keepImage(bytes, config);
  await writeRecord(recordPath(recipe), { sha256, release } satisfies BuildRecord);
}
