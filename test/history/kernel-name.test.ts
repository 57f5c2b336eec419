// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { kernelName } from '../../src/history/kernel-name.ts';
import { byKernel } from '../../src/history/order-kernels.ts';
import { look } from './look.ts';

const name = (spec: string, release = '7.3.4') =>
  kernelName({ release, spec, sha256: '0123456789abcdef' });

t.test('kernels of one release are told apart by what made them', async (t) => {
  const commit = '0123456789ab'.padEnd(40, 'c');
  t.equal(name('debian:7.3', '7.3.4+deb13-arm64'), '7.3.4+deb13-arm64');
  t.equal(name(`git:/srv/linux@${commit}`), '7.3.4 g0123456789ab');
  t.equal(
    name(`git:/srv/a@b,c@${commit},patch=/p/fix.patch,config=64k`),
    '7.3.4 g0123456789ab +fix.patch',
  );
  t.equal(
    name('source:7.3,patch=a.mbox,patch=x/b.patch,patch=c,patch=d'),
    '7.3.4 +a.mbox +b.patch +2 patches',
  );
  t.equal(name('file:/boot/Image'), '7.3.4 01234567');
  t.equal(name('debian:5.5', ''), 'debian:5.5', 'a kernel that was not to be had has no release');
});

t.test('of one version, the kernel that was looked at last stands last', async (t) => {
  const looks = [
    look({ release: '7.3.4', day: 1, sha256: 'before' }),
    look({ release: '7.3.4', day: 2, sha256: 'reverted' }),
    look({ release: '7.3.4', day: 3, sha256: 'before' }),
    look({ release: '7.3.5', day: 1, sha256: 'newer' }),
  ];
  t.same(
    byKernel(looks).map(([look]) => look?.kernel.sha256),
    ['reverted', 'before', 'newer'],
  );
});
