// SPDX-License-Identifier: GPL-2.0-only
import { readdir, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { sealPath } from '../../host/sealed-folder.ts';
import { keepImage, keptImage } from '../../images/keep-image.ts';
import { flipBit } from './damage.ts';

process.env.PTDIFF_CACHE = t.testdir();

t.test(
  'an Image that was kept without its configuration gets it later, and keeps it',
  async (t) => {
    const image = Buffer.from('an Image');
    const first = await keepImage(image);
    const folder = dirname(first.imagePath);
    t.equal(await readFile(first.imagePath, 'utf8'), 'an Image');
    t.same(await readdir(folder), ['Image']);
    const both = { ...first, configPath: join(folder, 'config') };
    t.same(await keepImage(image, Buffer.from('CONFIG_ARM64=y\n')), both);
    t.equal(await readFile(join(folder, 'config'), 'utf8'), 'CONFIG_ARM64=y\n');
    t.same(await keepImage(image), both);
    t.same((await readdir(folder)).sort(), ['Image', 'config']);
  },
);

t.test('an Image that is damaged, cut short or gone is none, and is kept again', async (t) => {
  const config = Buffer.from('CONFIG_ARM64=y\n');
  const image = Buffer.from('another Image');
  const { sha256: digest, imagePath, configPath = '' } = await keepImage(image, config);
  const damages: [string, () => void | Promise<void>, string][] = [
    ['flipped', () => flipBit(imagePath, 4), 'Image in the cache is damaged'],
    ['truncated', () => truncate(imagePath, 4), 'Image in the cache is damaged'],
    ['deleted beside its configuration', () => unlink(imagePath), 'Image in the cache is missing'],
    ['configuration flipped', () => flipBit(configPath, 4), 'config in the cache is damaged'],
    ['configuration deleted', () => unlink(configPath), 'config in the cache is missing'],
    ['folder emptied', () => rm(dirname(imagePath), { recursive: true }), ''],
  ];
  for (const [name, damage, told] of damages) {
    t.ok(await keptImage(digest), `${name}: whole before`);
    await damage();
    const lines: string[] = [];
    t.equal(await keptImage(digest, (line) => lines.push(line)), undefined, name);
    // What is damaged in the same way was said before, and is said once.
    if (told !== '' && name !== 'truncated') t.match(lines, [told], name);
    await keepImage(image, config);
    t.same(await readFile(imagePath), image, name);
    t.same(await readFile(configPath), config, name);
  }
});

t.test(
  'an Image of an older ptdiff, which wrote no hashes, is believed when its hash is its name',
  async (t) => {
    const image = Buffer.from('an old Image');
    const { sha256: digest, imagePath } = await keepImage(image);
    await unlink(sealPath(dirname(imagePath)));
    t.ok(await keptImage(digest));
    await unlink(sealPath(dirname(imagePath)));
    await writeFile(imagePath, 'an odd Image');
    t.equal(await keptImage(digest), undefined);
    await keepImage(image);
    t.same(await readFile(imagePath), image);
  },
);
