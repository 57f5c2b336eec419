// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { packBuilt, unpackBuilt } from '../../../../harness/laboratory/farm/built-kernel.ts';
import { kernelJobSchema } from '../../../../harness/laboratory/farm/protocol.ts';
import { mangle } from './recorded-case.ts';

t.test('an Image travels with its configuration', async (t) => {
  const image = Buffer.from('an Image, '.repeat(1000));
  const config = Buffer.from('CONFIG_ARM64=y\n');
  const packed = await packBuilt({ image, config });
  const found = await unpackBuilt(packed);
  t.same(Buffer.from(found.image), image);
  t.same(Buffer.from(found.config), config);
  await t.rejects(unpackBuilt(mangle(packed)));
  await t.rejects(unpackBuilt(await packBuilt({ image: Buffer.alloc(0), config })), /no Image/);
});

t.test('a job to build a kernel names a tree by its hash, and no path', async (t) => {
  const hash = 'a'.repeat(64);
  const tree = 'b'.repeat(40);
  const option = { value: 'y', line: 'CONFIG_ARM64=y', optional: false, from: 'base' };
  const job = {
    schema: 1,
    ptdiff: hash,
    run: '0123456789abcdef',
    what: 'git:/src/linux@v7.3',
    tree,
    packs: [{ tree, pack: hash }],
    name: '7.3',
    compiler: 'gcc',
    complete: false,
    options: [['CONFIG_ARM64', option]],
    key: hash,
  };
  t.ok(kernelJobSchema.safeParse(job).success);
  for (const wrong of [
    { ...job, tree: '--upload-pack=x' },
    { ...job, compiler: '/bin/sh' },
    { ...job, alternates: ['/home'] },
    { ...job, packs: [{ tree, pack: '../x' }] },
  ])
    t.notOk(kernelJobSchema.safeParse(wrong).success);
});
