// SPDX-License-Identifier: GPL-2.0-only
import { execa } from 'execa';
import fc from 'fast-check';
import t from 'tap';
import { compareVersions, upstreamVersion } from '../../../images/debian/version.ts';
import { take } from '../../given.ts';

const versions = [
  '7.3~rc7-1~exp1',
  '7.3-1',
  '7.3.4-1~bpo13+1',
  '7.3.4-1',
  '6.12.90-1~bpo12+1',
  '6.12.90-2~bpo12+1',
  '6.12.107-1',
  '1:11.1.3+ds-1~bpo13+1',
  '1:10.0.13+ds-0+deb13u1',
  '1:7.2+dfsg-7+deb12u18+b3',
  '1.0',
  '1.0-0',
  '1.0a',
  '1.0+b1',
  '1.0~',
  '1.00',
];

t.test('agrees with dpkg on every pair of a list of real and odd versions', async (t) => {
  const pairs = versions.flatMap((a) => versions.map((b) => [a, b] as const));
  // A shell starts hundreds of programs sooner than Node does.
  const loop = 'while read -r a b; do dpkg --compare-versions "$a" lt "$b"; echo $?; done';
  const input = pairs.map((pair) => `${pair.join(' ')}\n`).join('');
  const { stdout } = await execa('sh', ['-c', loop], { input });
  const codes = stdout.split('\n');
  t.equal(codes.length, pairs.length);
  for (const [index, [a, b]] of pairs.entries())
    t.equal(compareVersions(a, b) < 0, codes[index] === '0', `${a} < ${b}`);
});

t.test('is an order', async (t) => {
  const version = fc.stringMatching(/^([0-9]:)?[0-9][0-9a-z.+~]{0,6}(-[0-9a-z+~]{1,4})?$/);
  fc.assert(
    fc.property(
      version,
      version,
      (a, b) =>
        Math.sign(compareVersions(a, b)) === -Math.sign(compareVersions(b, a)) ||
        compareVersions(a, b) === 0,
    ),
  );
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      const [x, y, z] = take([a, b, c].sort(compareVersions), 3);
      return compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0 && compareVersions(x, z) <= 0;
    }),
  );
  t.pass('antisymmetric and transitive');
});

t.test('the upstream part', async (t) => {
  t.equal(upstreamVersion('1:11.1.3+ds-1~bpo13+1'), '11.1.3+ds');
  t.equal(upstreamVersion('7.3~rc7-1~exp1'), '7.3~rc7');
  t.equal(upstreamVersion('1.0'), '1.0');
});
