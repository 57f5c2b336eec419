/** The monitor's image: the same bytes every time, with room for the parameters. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { buildMonitor, linkMonitor } from '../../guest/build-monitor.ts';
import { parametersOffset } from '../../guest/monitor-parameters.ts';
import { crossToolchain } from '../../images/toolchain.ts';

t.setTimeout(0);

t.test('two builds give the same bytes, which are those of the cache', async (t) => {
  const toolchain = await crossToolchain();
  const [one, two] = [await linkMonitor(toolchain), await linkMonitor(toolchain)];
  t.ok(Buffer.from(one).equals(two));
  t.ok(Buffer.from(one).equals(await readFile((await buildMonitor()).path)));
  t.ok(one.length < parametersOffset);
});
