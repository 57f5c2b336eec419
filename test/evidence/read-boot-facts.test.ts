// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { bootFactsOf } from '../../src/evidence/read-boot-facts.ts';
import { goldenCase } from '../compare/golden-case.ts';
import { given } from '../given.ts';
import { kernelOfSlice, readSlice } from '../linux/slices.ts';
import { readGolden } from '../model/golden.ts';

const boot = '7.3.4+deb13-arm64@max+noalias';

t.test('pages of memfd_secret files are a fact, those that another probe touched are none', (t) => {
  const evidence = given(goldenCase(boot).evidence);
  const { traits } = readGolden(`${boot}.json.gz`).question;
  const { symbols } = kernelOfSlice(readSlice('7.3.4+deb13-arm64'));
  const result = { errno: 0, call: 'ok' };
  const facts = bootFactsOf({
    evidence: {
      ...evidence,
      probes: [
        { ...result, probe: 'memfd_secret', pages: [0x4300_0000, 0x4300_1000] },
        { ...result, probe: 'another', pages: [0x4400_0000] },
      ],
    },
    traits,
    symbols,
    hidden: [],
  });
  t.same(facts.probePages, [0x4300_0000, 0x4300_1000]);
  t.end();
});
