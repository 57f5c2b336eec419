// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  kernelBuilds,
  kernelPackageName,
  pickBuilds,
} from '../../../images/debian/kernel-builds.ts';
import { parseKernelSpec } from '../../../images/kernel-spec.ts';
import { given } from '../../given.ts';
import { recordedPackages } from '../recorded-index.ts';

const builds = kernelBuilds(recordedPackages(kernelPackageName));

function pick(text: string) {
  const spec = parseKernelSpec(text);
  if (spec.kind !== 'debian') {
    throw new Error(`${text} is no Debian kernel`);
  }
  return pickBuilds(builds, spec);
}

t.test('the newest of each series, by dpkg order and not by text', async (t) => {
  const newest = {
    '6.12': '6.12.107',
    '6.16': '6.16.12',
    '6.17': '6.17.13',
    '6.18': '6.18.15',
    '6.19': '6.19.14',
  };
  for (const [series, upstream] of Object.entries({
    ...newest,
    '7.0': '7.0.13',
    '7.1': '7.1.13',
    '7.2': '7.2.13',
  })) {
    t.equal(given(pick(`debian:${series}`)[0]).upstream, upstream);
  }
  t.equal(given(pick('debian:7.2')[0]).suite, 'sid');
});

t.test('a release is preferred to a release candidate, which can still be named', async (t) => {
  t.equal(given(pick('debian:7.3')[0]).version, '7.3.4-1~bpo13+1');
  t.equal(given(pick('debian:latest')[0]).version, '7.3.4-1~bpo13+1');
  t.equal(given(pick('debian:7.3-rc7')[0]).release, '7.3-arm64');
  t.equal(given(pick('debian:7.3~rc7')[0]).version, '7.3~rc7-1~exp1');
});

t.test('flavours', async (t) => {
  t.equal(given(pick('debian:7.3.4:16k')[0]).release, '7.3.4+deb13-arm64-16k');
  t.equal(given(pick('debian:6.12:cloud')[0]).image.name, 'linux-image-6.12.107+deb13-cloud-arm64');
  t.equal(given(pick('debian:6.12:rt-arm64')[0]).release, '6.12.107+deb13-rt-arm64');
});

t.test('a version is matched by whole numbers', async (t) => {
  t.same(pick('debian:6.1'), []);
  t.same(pick('debian:7.3.40'), []);
  t.equal(pick('debian:6.12.9').length, 0);
  t.equal(given(pick('debian:6.12.90-1~bpo12+1')[0]).release, '6.12.90+deb12-arm64');
});

t.test(
  'the Image comes from linux-image to 6.18 and from linux-binary afterwards; the signed one first',
  async (t) => {
    t.equal(given(pick('debian:6.18')[0]).image.name, 'linux-image-6.18.15+deb13-arm64');
    t.equal(given(pick('debian:6.12.107')[0]).image.name, 'linux-image-6.12.107+deb13-arm64');
    t.equal(given(pick('debian:6.12.95')[0]).image.name, 'linux-image-6.12.95+deb12-arm64');
    t.equal(given(pick('debian:6.19')[0]).image.name, 'linux-binary-6.19.14+deb13-arm64');
    t.equal(given(pick('debian:7.3')[0]).config?.name, 'linux-base-7.3.4+deb13-arm64');
    const unsignedOnly = kernelBuilds(
      recordedPackages(/^linux-image-6\.12\.95\+deb12-arm64-unsigned$/),
    );
    t.equal(given(unsignedOnly[0]).image.name, 'linux-image-6.12.95+deb12-arm64-unsigned');
  },
);

t.test(
  'an image package that is empty beside linux-binary is never taken for a kernel',
  async (t) => {
    t.same(kernelBuilds(recordedPackages(/^linux-image-7\.3\.4/)), []);
  },
);

t.test('all builds of the newest version are offered, and none of another one', async (t) => {
  t.same(
    pick('debian:6.12.90').map(({ version }) => version),
    ['6.12.90-2~bpo12+1', '6.12.90-1~bpo12+1'],
  );
  t.same(
    pick('debian:6.12.94').map(({ suite }) => suite),
    ['trixie', 'bookworm-backports'],
  );
});

t.test('every build names its packages by address, size and hash', async (t) => {
  t.ok(builds.length > 100);
  for (const { image } of builds) {
    t.match(image, {
      url: /^http:\/\/mirror\.invalid\/debian\/pool\/.*\.deb$/,
      sha256: /^[0-9a-f]{64}$/,
    });
    t.ok(image.bytes > 2 ** 20, image.name);
  }
});

t.test(
  'modules are in the package of the Image to 6.18, afterwards in one of their own',
  async (t) => {
    const old = given(pick('debian:6.18')[0]);
    t.equal(old.modules, old.image);
    const own = recordedPackages(/^linux-binary-7\.3\.4\+deb13-arm64$/);
    const modules = { ...given(own[0]), name: 'linux-modules-7.3.4+deb13-arm64' };
    t.equal(given(kernelBuilds([...own, modules])[0]).modules?.name, modules.name);
    t.equal(given(kernelBuilds(own)[0]).modules, undefined);
  },
);
