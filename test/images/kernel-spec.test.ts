import fc from 'fast-check';
import t from 'tap';
import { formatKernelSpec, parseKernelSpec } from '../../images/kernel-spec.ts';

t.test('the forms of a spec', async (t) => {
  t.same(parseKernelSpec('debian:7.3.4'), { kind: 'debian', version: '7.3.4', flavour: 'arm64' });
  t.same(parseKernelSpec('debian:latest:16k'), { kind: 'debian', version: 'latest', flavour: '16k' });
  t.same(parseKernelSpec('debian:7.3-rc7:cloud-arm64'), { kind: 'debian', version: '7.3~rc7', flavour: 'cloud' });
  t.same(parseKernelSpec('file:a/Image'), { kind: 'file', path: 'a/Image' });
  t.same(parseKernelSpec('file:/b:c,d/Image,config=/e,f'), { kind: 'file', path: '/b:c,d/Image', config: '/e,f' });
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
    t.throws(() => parseKernelSpec(text), { fault: 'usage', message: /debian:VERSION\[:FLAVOUR\].*file:PATH/ }, text);
  }
  t.throws(() => parseKernelSpec('debian:7.3:64k'), { fault: 'usage', message: /'64k'.*arm64, 16k, cloud, rt/ });
});

t.test('formatting and parsing are inverse', async (t) => {
  const debian = fc.record({
    kind: fc.constant('debian' as const),
    version: fc.oneof(fc.constant('latest'), fc.stringMatching(/^[1-9]\.\d{1,2}(\.\d{1,3})?(~rc\d)?$/)),
    flavour: fc.constantFrom('arm64' as const, '16k' as const, 'cloud' as const, 'rt' as const),
  });
  fc.assert(
    fc.property(debian, (spec) => {
      t.same(parseKernelSpec(formatKernelSpec(spec)), spec);
    }),
    { numRuns: 50 },
  );
});
