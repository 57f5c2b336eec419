// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { parseNightConfig, singleWatches } from '../../src/nightly/config.ts';

t.test('a configuration is completed with what it leaves out', async (t) => {
  const config = parseNightConfig(
    { kernels: ['debian:7.3', { suite: 'sid' }], budget: '1h30m' },
    'night.yaml',
  );
  t.same(config, {
    kernels: ['debian:7.3', { suite: 'sid', flavours: ['arm64'] }],
    scenarios: ['all'],
    budget: 5400,
    nights: 7,
    explore: 10,
  });
  for (const [text, seconds] of [
    ['2h', 7200],
    ['90m', 5400],
  ] as const) {
    t.equal(
      parseNightConfig({ kernels: ['debian:7.3'], budget: text }, 'night.yaml').budget,
      seconds,
    );
  }
});

t.test('each flavour of a suite is watched by itself', async (t) => {
  t.same(singleWatches(['debian:7.3', { suite: 'sid', flavours: ['arm64', 'rt'] }]), [
    { watch: 'debian:7.3', spec: 'debian:7.3' },
    { watch: 'sid arm64', suite: 'sid', flavour: 'arm64' },
    { watch: 'sid rt', suite: 'sid', flavour: 'rt' },
  ]);
});

t.test('what is wrong is named, with its file', async (t) => {
  const wrong: [unknown, RegExp][] = [
    [null, /^night\.yaml is not a configuration for nightly: the file: .*\.$/],
    [{ kernels: [], budget: '2h' }, /kernels: /],
    [{ kernels: ['debian:7.3'] }, /budget: /],
    [{ kernels: ['debian:7.3'], budget: '2 hours' }, /budget: must be a time such as '2h'/],
    [{ kernels: ['debian:7.3'], budget: '0m' }, /budget: must be more than nothing/],
    [{ kernels: ['debian:7.3'], budget: '' }, /budget: must be a time/],
    [{ kernels: ['debian:7.3'], budget: '2h', night: 3 }, /"night"/],
    [{ kernels: [{ suite: 'sid', flavour: '16k' }], budget: '2h' }, /kernels\.0: /],
    [{ kernels: ['debian:7.3'], budget: '2h', nights: 0 }, /nights: /],
    [{ kernels: ['debian:7.3'], budget: '2h', explore: 91 }, /explore: /],
  ];
  for (const [data, message] of wrong) {
    t.throws(() => parseNightConfig(data, 'night.yaml'), {
      name: 'PtdiffError',
      fault: 'usage',
      message,
    });
  }
});
