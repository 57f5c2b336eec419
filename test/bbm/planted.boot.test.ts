// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { dir } from 'tmp-promise';
import { prepareLaboratory } from '../../harness/laboratory/laboratory.ts';
import { type LoadedKernel, loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { scenariosNamed } from '../../harness/laboratory/plan.ts';
import { runCase } from '../../harness/laboratory/run-case.ts';
import { readRecording } from '../../results/recording-file.ts';
import type { UpdateSite } from '../../src/bbm/check-updates.ts';
import { traitsOf } from '../../src/linux/traits.ts';
import { given } from '../given.ts';
import { type LeftOut, leaveOut } from './planted/code.ts';
import { chosenBy, isNamed, type Planted, sitesAt, siteText } from './planted/planted.ts';

// What `npm run test:planted` builds from source, in a stock kernel: its instructions are replaced by
// NOPs. Words choose some of them, as they do there.

t.setTimeout(30 * 60_000);

const stock = await loadKernel('debian:7.3');

/**
 * The stock kernel without some instructions of a function.
 * @param directory takes its Image
 */
function without(t: Test, left: LeftOut, directory: string): LoadedKernel {
  const image = new Uint8Array(readFileSync(stock.image.imagePath));
  let count = 0;
  const symbols = stock.symbols.list();
  for (const [at, { name, address }] of symbols.entries()) {
    if (name !== left.function) continue;
    const end = given(symbols.slice(at).find((next) => next.address > address)).address;
    const offset = Number(address - stock.symbols.textBase);
    const target = left.to && Number(given(stock.symbols.address(left.to)) - address) / 4;
    const code = new Uint32Array(image.buffer, offset, Number(end - address) / 4);
    count += leaveOut(code, left, target || undefined);
  }
  t.ok(count > 0, `${count} instructions are left out`);
  const imagePath = join(directory, 'Image');
  writeFileSync(imagePath, image);
  const sha256 = createHash('sha256').update(image).digest('hex');
  const description = traitsOf(stock.image.release, image, stock.symbols);
  return { ...stock, image: { ...stock.image, imagePath, sha256 }, ...description };
}

async function sitesOf(
  kernel: LoadedKernel,
  each: Planted,
  directory: string,
): Promise<UpdateSite[]> {
  const scenario = given((await scenariosNamed(each.scenario))[0]);
  const laboratory = await prepareLaboratory([scenario], undefined, true);
  const { verdict, reason } = await runCase(
    laboratory,
    { name: 'planted', kernel, scenario, directory, depth: each.depth },
    new AbortController().signal,
  );
  // The kernel may crash of it.
  if (verdict === 'error') throw new Error(reason);
  return sitesAt(given(readRecording(directory)), each.level);
}

const stockSites = new Map<string, UpdateSite[]>();
for (const each of chosenBy(process.argv.slice(2))) {
  const { code, patch, scenario, depth, level } = each;
  if (code === undefined) continue;
  t.test(`${patch}: named in ${each.in}()`, async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-planted-', unsafeCleanup: true });
    t.teardown(cleanup);
    const folder = async (name: string) => {
      await mkdir(join(path, name));
      return join(path, name);
    };
    const key = `${scenario} ${depth} ${level}`;
    const clean = stockSites.get(key) ?? (await sitesOf(stock, each, await folder('stock')));
    stockSites.set(key, clean);
    t.same(clean.filter(isNamed(each)).map(siteText), [], 'not without the defect');
    const kernel = without(t, code, path);
    const found = await sitesOf(kernel, each, await folder('planted'));
    t.ok(found.some(isNamed(each)), found.map(siteText).join('\n') || 'no site at all');
  });
}
