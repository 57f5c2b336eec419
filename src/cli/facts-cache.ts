import { createHash } from 'node:crypto';
import { cachePath, readJson, writeJson } from '../../images/cache.ts';
import type { BootFacts } from '../model/boot-facts.ts';
import { stableJson } from '../report/json.ts';
import { revive } from '../report/revive.ts';
import type { Scenario } from '../scenario/types.ts';

/** What facts depend on; the same three give the same facts, up to what the kernel draws by lot. */
export interface FactsKey {
  kernelSha256: string;
  emulatorSha256: string;
  scenario: Scenario;
}

function pathOf({ kernelSha256, emulatorSha256, scenario }: FactsKey): string {
  const { name: _, ...experiment } = scenario;
  const hash = createHash('sha256')
    .update(`${kernelSha256} ${emulatorSha256} ${stableJson(experiment)}`)
    .digest('hex');
  return cachePath('facts', `${hash}.json`);
}

/** Keeps the facts of a boot, so that `predict` can answer without one. */
export async function keepFacts(key: FactsKey, facts: BootFacts): Promise<void> {
  await writeJson(pathOf(key), JSON.parse(stableJson(facts)));
}

/** Facts of an earlier boot; undefined when there was none. */
export async function recallFacts(key: FactsKey): Promise<BootFacts | undefined> {
  const stored = await readJson<unknown>(pathOf(key));
  return stored === undefined ? undefined : (revive(stored) as BootFacts);
}
