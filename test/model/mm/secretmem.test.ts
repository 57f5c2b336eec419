// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { parseRelease } from '../../../src/linux/release.ts';
import { secretmem_enable } from '../../../src/model/mm/secretmem.ts';
import { predict } from '../../../src/model/predict.ts';
import type { Question } from '../../../src/model/question.ts';
import { given } from '../../given.ts';
import { questionOfGolden, sharedGolden } from '../golden.ts';

// A module_param of type bool: param_set_bool(), kernel/params.c; the last word that it takes counts.
for (const [words, enabled] of [
  ['', true],
  ['secretmem.enable=0', false],
  ['secretmem.enable=n', false],
  ['secretmem.enable=on', true],
  ['secretmem.enable=0 secretmem.enable', true],
  ['secretmem.enable secretmem.enable=0', false],
  ['secretmem.enable=0 secretmem.enable=perhaps', false],
  ['secretmem.enabled=0', true],
] as const)
  t.equal(secretmem_enable(words.split(' '), parseRelease('7.3.4')), enabled, words);

t.test('memfd_secret() without its option, or switched off, is ENOSYS', async (t) => {
  const name = '7.3.4+deb13-arm64@neoverse-v3-r0p2.json.gz';
  const asked = questionOfGolden(sharedGolden(name));
  const answer = (question: Question) => {
    const { probes } = predict({ ...question, probes: ['memfd_secret'] });
    return given(probes[0]);
  };
  t.match(answer(asked), { errno: 0 });
  const off = answer({ ...asked, parameters: [...asked.parameters, 'secretmem.enable=0'] });
  t.match(off, { errno: 38, why: /secretmem\.enable=/ });
  const { traits } = asked;
  const without = { ...traits, config: { ...traits.config, secretmem: false } };
  t.match(answer({ ...asked, traits: without }), { errno: 38, why: /CONFIG_SECRETMEM is off/ });
});
