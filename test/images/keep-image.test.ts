import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { keepImage } from '../../images/keep-image.ts';

process.env.PTDIFF_CACHE = t.testdir();

t.test('an Image that was kept without its configuration gets it later, and keeps it', async (t) => {
  const image = Buffer.from('an Image');
  const first = await keepImage(image);
  const folder = dirname(first.imagePath);
  t.equal(await readFile(first.imagePath, 'utf8'), 'an Image');
  t.same(await readdir(folder), ['Image']);
  t.same(await keepImage(image, Buffer.from('CONFIG_ARM64=y\n')), first);
  t.equal(await readFile(join(folder, 'config'), 'utf8'), 'CONFIG_ARM64=y\n');
  t.same(await keepImage(image), first);
  t.same((await readdir(folder)).sort(), ['Image', 'config']);
});
