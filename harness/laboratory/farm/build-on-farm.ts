// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto';
import { sha256File, withScratch } from '../../../host/cache.ts';
import { say } from '../../../host/say.ts';
import { isSourceSpec, parseKernelSpec } from '../../../images/kernel-spec.ts';
import {
  buildKey,
  isSettled,
  type KernelRecipe,
  keepBuild,
  keepFailure,
} from '../../../images/source/build-kernel.ts';
import type { GitStore } from '../../../images/source/git-store.ts';
import { sourceRecipe } from '../../../images/source/source-kernel.ts';
import { packTree } from '../../../images/source/travel.ts';
import { messageOf, PtdiffError } from '../../../src/errors.ts';
import { first } from '../../../src/present.ts';
import { chooseEmulator } from '../laboratory.ts';
import type { FarmAddress } from './address.ts';
import { unpackBuilt } from './built-kernel.ts';
import { FailedBuild, takeInLog } from './failed-build.ts';
import { FarmRun } from './farm-run.ts';
import { ownIdentity } from './identity.ts';
import { type KernelJob, queues } from './protocol.ts';

/** A kernel that is not built yet, with where its source lies. */
interface Wanted {
  store: GitStore;
  recipe: KernelRecipe;
}

/** What must be built of these specs; what is wrong with one is told when it is loaded. */
async function wantedOf(specs: readonly string[], signal: AbortSignal): Promise<Wanted[]> {
  const wanted = new Map<string, Wanted>();
  for (const text of specs) {
    const spec = parseKernelSpec(text);
    if (!isSourceSpec(spec)) continue;
    try {
      const { store, recipe } = await sourceRecipe(spec, { progress: say, signal });
      if (!(await isSettled(recipe))) wanted.set(buildKey(recipe), { store, recipe });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PtdiffError)) throw error;
    }
  }
  return [...wanted.values()];
}

/** Sources as packs: the first whole, the others as what differs from it. */
class SourcePacks {
  readonly #farm: FarmRun;
  readonly #folder: string;
  readonly #made = new Map<string, Promise<string | undefined>>();

  constructor(farm: FarmRun, folder: string) {
    this.#farm = farm;
    this.#folder = folder;
  }

  /** @returns the hash of the pack, which workers can then ask for */
  pack({ store, recipe }: Wanted, base: string | undefined): Promise<string | undefined> {
    const { source } = recipe;
    const made = this.#made.get(source.tree) ?? this.#make(store, source, base);
    this.#made.set(source.tree, made);
    return made;
  }

  async #make(
    store: GitStore,
    source: KernelRecipe['source'],
    base: string | undefined,
  ): Promise<string | undefined> {
    const path = await packTree(store, source, base, this.#folder);
    if (path === undefined) return undefined;
    const digest = await sha256File(path);
    this.#farm.shelf.offer(digest, path);
    return digest;
  }
}

async function jobOf(
  run: string,
  wanted: Wanted,
  base: Wanted,
  packs: SourcePacks,
): Promise<KernelJob> {
  const { source, config, tools, what } = wanted.recipe;
  const baseTree = base.recipe.source.tree;
  const whole = await packs.pack(base, undefined);
  const rest = source.tree === baseTree ? undefined : await packs.pack(wanted, baseTree);
  return {
    schema: 1,
    ptdiff: ownIdentity().digest,
    run,
    what,
    tree: source.tree,
    packs: [
      ...(whole === undefined ? [] : [{ tree: baseTree, pack: whole }]),
      ...(rest === undefined ? [] : [{ tree: source.tree, pack: rest }]),
    ],
    name: source.name,
    compiler: tools.compiler,
    complete: config.complete,
    options: [...config.options],
    key: buildKey(wanted.recipe),
  };
}

async function buildOne(
  farm: FarmRun,
  run: string,
  wanted: Wanted,
  prepare: () => Promise<KernelJob>,
  signal: AbortSignal,
): Promise<void> {
  const { recipe } = wanted;
  const name = `${run}-${buildKey(recipe).slice(0, 24)}`;
  try {
    const { packed, worker } = await farm.submit(queues.kernels, name, prepare, signal);
    const { image, config } = await unpackBuilt(packed);
    await keepBuild(recipe, image, config, `from the worker ${worker}`);
    say(`${recipe.what} was built by the worker ${worker}`);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FailedBuild) {
      const told = await takeInLog(error, recipe);
      keepFailure(recipe, told);
      return;
    }
    const why = messageOf(error).replace(/\.?$/, '.');
    say(`no worker could build ${recipe.what}, so it is built here: ${why}`);
  }
}

/**
 * Has those of these kernels that must be built built by a farm, all at the same time; they then
 * lie in the cache as if they had been built here. What a farm cannot build is left to whoever
 * loads it.
 * @throws PtdiffError where the farm cannot be had; the signal's reason
 */
export async function buildOnFarm(
  specs: readonly string[],
  address: FarmAddress,
  signal: AbortSignal,
): Promise<void> {
  const wanted = await wantedOf(specs, signal);
  if (wanted.length === 0) return;
  const { version, sha256 } = await chooseEmulator(undefined);
  const run = randomBytes(8).toString('hex');
  const farm = await FarmRun.open({
    address,
    run,
    version: { ...ownIdentity(), emulator: { version, sha256 } },
  });
  try {
    if (!(await farm.hasBuilders())) {
      say('no worker of the farm builds kernels (worker --build): they are built here');
      return;
    }
    await withScratch(async (folder) => {
      const packs = new SourcePacks(farm, folder);
      const base = first(wanted);
      await Promise.all(
        wanted.map((each) =>
          buildOne(farm, run, each, () => jobOf(run, each, base, packs), signal),
        ),
      );
    });
  } finally {
    await farm.close();
  }
}
