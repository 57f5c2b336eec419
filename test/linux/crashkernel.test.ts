// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { parse_crashkernel } from '../../src/linux/crashkernel.ts';
import { parseRelease } from '../../src/linux/release.ts';

const [old, late] = [parseRelease('6.12.117'), parseRelease('7.3.4')];
const MIB = 1n << 20n;
const GIB = 1n << 30n;

/**
 * Size in MiB and place that a line asks of a machine with 1 GiB, or undefined where it is refused.
 */
function asked(line: string, release = late, ram = GIB): [size: bigint, base: bigint] | undefined {
  const request = parse_crashkernel(line, ram, release);
  return request && [request.size / MIB, request.base];
}

t.test('SIZE and SIZE@OFFSET, in every spelling of numbers that memparse() takes', async (t) => {
  fc.assert(
    fc.property(fc.bigInt(1n, 1023n), fc.bigInt(0n, 2n ** 40n), (mib, base) => {
      for (const size of [
        `${mib}M`,
        `${mib * 1024n}k`,
        `0x${(mib * MIB).toString(16)}`,
        `0${mib.toString(8)}m`,
      ]) {
        t.same(asked(`a crashkernel=${size} b`), [mib, 0n]);
        t.same(asked(`crashkernel=${size}@0x${base.toString(16)}`), [mib, base]);
      }
    }),
  );
});

t.test('what is refused', async (t) => {
  const lines = [
    '',
    '0',
    '0M',
    'M',
    '64X',
    '64MB',
    '-64M',
    ' 64M',
    '1G',
    '2G',
    '@64M',
    '64M,',
    '64M,@0x50000000',
    '64M-',
    '"64M"',
  ];
  for (const value of lines) t.equal(asked(`crashkernel=${value}`), undefined, value);
  t.equal(asked('crash-kernel=64M'), undefined);
  t.equal(asked('crashkernel 64M'), undefined);
  t.same(asked('crashkernel=64M@'), [64n, 0n], 'but an offset that is no number is none');
  t.same(asked('crashkernel=64M@x@y'), [64n, 0n]);
});

t.test('the last one counts, also where it is refused, wherever the name stands', async (t) => {
  t.same(asked('crashkernel=64M crashkernel=32M'), [32n, 0n]);
  t.equal(asked('crashkernel=64M crashkernel=x'), undefined);
  t.same(asked('crashkernel=64M -- foo.crashkernel=16M@0x50000000'), [16n, 0x50000000n]);
});

t.test('ranges: the first that holds the memory, which is rounded up to 128 MiB', async (t) => {
  const value = 'crashkernel=512M-2G:64M,2G-:128M@0x60000000';
  t.same(asked(value), [64n, 0x60000000n]);
  t.same(asked(value, late, 4n * GIB), [128n, 0x60000000n]);
  t.equal(asked(value, late, 300n * MIB), undefined, '384 MiB are in no range');
  t.same(asked(value, late, 400n * MIB), [64n, 0x60000000n], '512 MiB are');
  t.same(asked('crashkernel=0-:32M'), [32n, 0n]);
  for (const wrong of [
    '1G-512M:64M',
    '512M:64M',
    '0-',
    '0-:',
    '0-:2G',
    '512M-1G:64M',
    '2G-:64M,x',
    '0-:0,0-:64M',
    '0-:64M@',
  ]) {
    t.equal(asked(`crashkernel=${wrong}`), undefined, wrong);
  }
  t.same(
    asked('crashkernel=0-:64M,rubbish'),
    [64n, 0n],
    'what stands behind the one that counts is not read',
  );
  t.equal(asked('crashkernel=2G-:2G,0-:64M'), undefined, 'but what stands before it is');
});

t.test('a form without a suffix goes first; then SIZE,high with SIZE,low', async (t) => {
  t.match(parse_crashkernel('crashkernel=64M,high', GIB, late), {
    size: 64n * MIB,
    high: true,
    lowSize: 128n * MIB,
  });
  t.match(parse_crashkernel('crashkernel=64M,high crashkernel=0,low', GIB, late), {
    high: true,
    lowSize: 0n,
  });
  t.match(parse_crashkernel('crashkernel=64M,high crashkernel=32M', GIB, late), {
    size: 32n * MIB,
    high: false,
  });
  for (const wrong of [
    '64M,low',
    '64M,High',
    '0,high',
    '64M@1G,high',
    '2G,high',
    '64M,high crashkernel=x,low',
  ]) {
    t.equal(asked(`crashkernel=${wrong}`), undefined, wrong);
  }
});

t.test(
  'SIZE,cma came with 6.17; before, it is the last of the forms without a suffix, and refused',
  async (t) => {
    const line = 'crashkernel=64M crashkernel=32M,cma';
    t.same(asked(line, parseRelease('6.17.13')), [64n, 0n]);
    t.equal(asked(line, parseRelease('6.16.12')), undefined);
    t.equal(asked('crashkernel=32M,cma'), undefined);
  },
);

t.test('what 64 bits do not hold wraps up to 7.1, and is refused since', async (t) => {
  for (const value of ['0x4000000000000040M', '0x10000000004000000']) {
    t.same(asked(`crashkernel=${value}`, old), [64n, 0n], value);
    t.same(asked(`crashkernel=${value}`, parseRelease('7.1.13')), [64n, 0n], value);
    t.equal(asked(`crashkernel=${value}`, parseRelease('7.2.13')), undefined, value);
  }
});

t.test('no text makes the parser throw, and what it takes is less than the memory', async (t) => {
  const text = fc.stringMatching(/^[0-9a-fxKMGTPE@:,. "-]{0,24}$/);
  fc.assert(
    fc.property(fc.array(text, { maxLength: 3 }), (values) => {
      const line = values.map((value) => `crashkernel=${value}`).join(' ');
      for (const release of [old, late]) {
        const request = parse_crashkernel(line, GIB, release);
        t.ok(request === undefined || (request.size > 0n && request.size < GIB));
      }
    }),
  );
});
