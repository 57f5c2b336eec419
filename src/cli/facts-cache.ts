import { cachePath, readJson, sha256, writeJson } from '../../images/cache.ts';
import type { BootFacts } from '../model/boot-facts.ts';
import { revive } from '../report/revive.ts';
import { canonicalScenario } from '../scenario/identity.ts';
import type { Scenario } from '../scenario/types.ts';
import { stableJson } from '../stable-json.ts';

/** What facts depend on; the same three give the same facts, up to what the kernel draws by lot. */
export interface FactsKey {
  kernelSha256: string;
  emulatorSha256: string;
  scenario: Scenario;
}

function pathOf({ kernelSha256, emulatorSha256, scenario }: FactsKey): string {
  return cachePath('facts', `${sha256(`${kernelSha256} ${emulatorSha256} ${canonicalScenario(scenario)}`)}.json`);
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
