// SPDX-License-Identifier: GPL-2.0-only
/**
 * The monitor's image: the same bytes every time from each compiler, with room for the parameters.
 */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { buildMonitor, linkMonitor } from '../../guest/build-monitor.ts';
import { parametersOffset } from '../../guest/monitor-parameters.ts';
import { compilerNames, crossToolchain } from '../../images/toolchain/toolchain.ts';

t.setTimeout(0);

for (const compiler of compilerNames) {
  t.test(
    `two builds by ${compiler} give the same bytes, which are those of the cache`,
    async (t) => {
      const toolchain = await crossToolchain({ compiler });
      const [one, two] = [await linkMonitor(toolchain), await linkMonitor(toolchain)];
      t.ok(Buffer.from(one).equals(two));
      t.ok(Buffer.from(one).equals(await readFile((await buildMonitor({ compiler })).path)));
      t.ok(one.length < parametersOffset);
    },
  );
}

t.test('a compiler that nobody knows is refused', async (t) => {
  process.env.PTDIFF_COMPILER = 'icc';
  t.teardown(() => delete process.env.PTDIFF_COMPILER);
  await t.rejects(buildMonitor(), {
    fault: 'usage',
    message: /PTDIFF_COMPILER is 'icc': write one of gnu, llvm\./,
  });
});
