// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { formatKernelSpec, parseKernelSpec, withPatches } from '../../images/kernel-spec.ts';

t.test('the forms of a spec', async (t) => {
  t.same(parseKernelSpec('debian:7.3.4'), { kind: 'debian', version: '7.3.4', flavour: 'arm64' });
  t.same(parseKernelSpec('debian:latest:16k'), {
    kind: 'debian',
    version: 'latest',
    flavour: '16k',
  });
  t.same(parseKernelSpec('debian:7.3-rc7:cloud-arm64'), {
    kind: 'debian',
    version: '7.3~rc7',
    flavour: 'cloud',
  });
  t.same(parseKernelSpec('file:a/Image'), { kind: 'file', path: 'a/Image' });
  t.same(parseKernelSpec('file:/b:c,d/Image,config=/e,f'), {
    kind: 'file',
    path: '/b:c,d/Image',
    config: '/e,f',
  });
});

t.test('kernels from source', async (t) => {
  const parts = { patches: [], configs: [], compiler: 'gcc' };
  t.same(parseKernelSpec('source:7.3'), { kind: 'source', version: '7.3', ...parts });
  t.same(parseKernelSpec('source:7.3-rc7'), { kind: 'source', version: '7.3~rc7', ...parts });
  t.same(parseKernelSpec('tarball:a,b.tar.xz'), { kind: 'tarball', path: 'a,b.tar.xz', ...parts });
  t.same(parseKernelSpec('git:../linux@v7.3'), {
    kind: 'git',
    path: '../linux',
    rev: 'v7.3',
    ...parts,
  });
  t.same(parseKernelSpec('git:/a@b/linux@HEAD@{1}'), {
    kind: 'git',
    path: '/a@b/linux',
    rev: 'HEAD@{1}',
    ...parts,
  });
  t.same(parseKernelSpec('git:l@HEAD~3,patch=a,b.diff,config=64k,patch=c,compiler=llvm'), {
    kind: 'git',
    path: 'l',
    rev: 'HEAD~3',
    patches: ['a,b.diff', 'c'],
    configs: ['64k'],
    compiler: 'llvm',
  });
  for (const text of [
    'git:',
    'git:/linux',
    'git:@HEAD',
    'git:/linux@',
    'tarball:',
    'source:',
    'source:x',
    'source:7.3,patch=',
  ]) {
    t.throws(() => parseKernelSpec(text), { fault: 'usage', message: /git:PATH@REV/ }, text);
  }
  t.throws(() => parseKernelSpec('source:7.3,compiler=tcc'), {
    fault: 'usage',
    message: /gcc or llvm/,
  });
  t.throws(() => parseKernelSpec('source:7.3,compiler=gcc,compiler=llvm'), {
    fault: 'usage',
    message: /one compiler/,
  });
});

t.test('--patch goes on top of every kernel from source', async (t) => {
  t.same(withPatches(['debian:7.3', 'source:7.3', 'git:l@v1,config=64k'], ['a', 'b']), [
    'debian:7.3',
    'source:7.3,patch=a,patch=b',
    'git:l@v1,config=64k,patch=a,patch=b',
  ]);
  t.same(withPatches(['debian:7.3'], []), ['debian:7.3']);
  t.throws(() => withPatches(['debian:7.3'], ['a']), {
    fault: 'usage',
    message: /--patch needs a kernel/,
  });
});

t.test('what is no spec is a usage error of one sentence that says how to write it', async (t) => {
  for (const text of [
    '',
    '7.3',
    'debian:',
    'debian:six',
    'debian:7',
    'file:',
    'file:,config=x',
    'file:x,config=',
    'deb:7.3',
    'debian:7.3:arm64:x',
  ]) {
    t.throws(
      () => parseKernelSpec(text),
      { fault: 'usage', message: /debian:VERSION\[:FLAVOUR\].*file:PATH/ },
      text,
    );
  }
  t.throws(() => parseKernelSpec('debian:7.3:64k'), {
    fault: 'usage',
    message: /'64k'.*arm64, 16k, cloud, rt/,
  });
});

t.test('formatting and parsing are inverse', async (t) => {
  const debian = fc.record({
    kind: fc.constant('debian' as const),
    version: fc.oneof(
      fc.constant('latest'),
      fc.stringMatching(/^[1-9]\.\d{1,2}(\.\d{1,3})?(~rc\d)?$/),
    ),
    flavour: fc.constantFrom('arm64' as const, '16k' as const, 'cloud' as const, 'rt' as const),
  });
  const path = fc.stringMatching(/^[a-z/][a-z/.,-]{0,12}$/);
  const parts = {
    patches: fc.array(path, { maxLength: 2 }),
    configs: fc.array(path, { maxLength: 2 }),
    compiler: fc.constantFrom('gcc' as const, 'llvm' as const),
  };
  const source = fc.oneof(
    fc.record({
      kind: fc.constant('git' as const),
      path,
      rev: fc.stringMatching(/^[a-z0-9~^.]{1,9}$/),
      ...parts,
    }),
    fc.record({ kind: fc.constant('tarball' as const), path, ...parts }),
    fc.record({
      kind: fc.constant('source' as const),
      version: fc.constantFrom('7.3', '7.3.4', '7.3~rc7'),
      ...parts,
    }),
  );
  fc.assert(
    fc.property(fc.oneof(debian, source), (spec) => {
      t.same(parseKernelSpec(formatKernelSpec(spec)), spec);
    }),
    { numRuns: 100 },
  );
});
