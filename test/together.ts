// SPDX-License-Identifier: GPL-2.0-only
/**
 * Runs test files one after another in this process: each is a subtest that bears its name, and
 * what it imports as 'tap' is that subtest. The start of Node and tap costs more than most files.
 *
 *     node test/together.ts FILE…
 *
 * Each file begins with the environment of the first. Otherwise they must not change the process
 * (its directory, signals, module hooks), nor rely on being its only test.
 */
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Test } from 'tap';

declare global {
  /** The subtest of each file, by the file's URL. */
  var ptdiffTests: Map<string, Test>;
}
globalThis.ptdiffTests = new Map();

/** Scheme of the module that a test file gets in place of tap. */
const scheme = 'subtest-of:';

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL } = context;
    if (specifier !== 'tap' || parentURL === undefined || !globalThis.ptdiffTests.has(parentURL))
      return next(specifier, context);
    return { url: `${scheme}${parentURL}`, format: 'module', shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.startsWith(scheme)) return next(url, context);
    const key = JSON.stringify(url.slice(scheme.length));
    const source = `export default globalThis.ptdiffTests.get(${key});`;
    return { format: 'module', source, shortCircuit: true };
  },
});

// tap names its folders by the command line, which may be longer than a name can be.
const files = process.argv.splice(2);
const { default: t } = await import('tap');
const environment = { ...process.env };

/** Takes back what a file changed in the environment, such as where the cache is. */
function restoreEnvironment(): void {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
}

for (const file of files) {
  const { href } = pathToFileURL(resolve(file));
  await t.test(file, async (test) => {
    globalThis.ptdiffTests.set(href, test);
    await import(href);
  });
  restoreEnvironment();
}
