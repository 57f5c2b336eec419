// SPDX-License-Identifier: GPL-2.0-only
import { differences, goldenNames, readGolden } from './golden.ts';
import { rules } from './rules.ts';

/**
 * Exit code of a model that is noticed to be broken. Another one but 0 is of a model that does not
 * even load, which proves nothing.
 */
export const noticed = 3;

/**
 * The first recorded boot that the model does not predict exactly, or rule that it breaks; a model
 * that fails on the way is broken, too.
 */
function firstFault(): string | undefined {
  for (const name of goldenNames()) {
    const [first] = faultsOf(() => differences(readGolden(name)));
    if (first !== undefined) return `${name}: ${first}`;
  }
  return rules.find(({ holds }) => faultsOf(() => (holds() ? [] : ['broken'])).length > 0)?.name;
}

function faultsOf(look: () => string[]): string[] {
  try {
    return look();
  } catch (error) {
    return [String(error)];
  }
}

if (import.meta.main) {
  const fault = firstFault();
  if (fault !== undefined) console.log(fault);
  process.exitCode = fault === undefined ? 0 : noticed;
}
