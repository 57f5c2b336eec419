// SPDX-License-Identifier: GPL-2.0-only
import { stableJson } from '../stable-json.ts';
import type { Scenario } from './types.ts';

/**
 * A scenario without its name as one line of canonical JSON: two scenarios are the same experiment
 * exactly when their texts are equal. A field that is absent leaves no trace, so the text does not
 * change when new optional fields are added.
 */
export function canonicalScenario({ name: _, ...experiment }: Scenario): string {
  return stableJson(experiment);
}

/**
 * The stable hash of a scenario. Neither its name nor its seed is part of it: with another seed it
 * is the same experiment, with one history.
 * @param sha256 of text, in hexadecimal: src/ has no hash of its own
 */
export function scenarioHash(scenario: Scenario, sha256: (text: string) => string): string {
  const { seed: _, ...experiment } = scenario;
  return sha256(canonicalScenario(experiment));
}

/** Leaves of a value by their path, e.g. 'machine.cpus' → '2'; a list is a leaf. */
function fieldsOf(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value))
      fieldsOf(member, path === '' ? key : `${path}.${key}`, into);
  } else if (value !== undefined) {
    into.set(path, stableJson(value));
  }
  return into;
}

/**
 * What differs between two experiments, in words, e.g. 'machine.memory 1024, 2048'; empty when they
 * are the same.
 */
export function scenarioDifferences(a: Scenario, b: Scenario): string[] {
  const fields = ({ name: _, ...experiment }: Scenario) => fieldsOf(experiment, '', new Map());
  const [left, right] = [fields(a), fields(b)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .sort()
    .filter((path) => left.get(path) !== right.get(path))
    .map((path) => `${path} ${left.get(path) ?? 'not set'}, ${right.get(path) ?? 'not set'}`);
}
