// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { CheckpointName } from '../../../src/evidence/capture.ts';
import { PTE_VALID } from '../../../src/linux/pgprot.ts';
import { kfenceEnabled } from '../../../src/model/mm/kfence.ts';
import { predict } from '../../../src/model/predict.ts';
import type { Question } from '../../../src/model/question.ts';
import { questionOfGolden, readGolden } from '../golden.ts';

/** A recorded question with another kfence.sample_interval=, as often as given. */
function withInterval(name: string, ...values: string[]): Question {
  const question = questionOfGolden(readGolden(`${name}.json.gz`));
  const others = question.parameters.filter((word) => !word.startsWith('kfence.'));
  return {
    ...question,
    parameters: [...others, ...values.map((value) => `kfence.sample_interval=${value}`)],
  };
}

/**
 * The leaf that maps the first page of the pool, and whether that page is invalid, as a guard page
 * is.
 */
function firstOfPool(
  question: Question,
  checkpoint: CheckpointName,
): { size: number; guard: boolean } | undefined {
  const pa = question.facts.kfencePool ?? 0;
  const leaf = predict(question).checkpoints[checkpoint]?.leaves.find(
    (run) => pa >= run.pa && pa < run.pa + run.size,
  );
  return leaf && { size: leaf.size, guard: (leaf.attributes & PTE_VALID) === 0n };
}

const capable = '7.2.13+deb14-arm64@neoverse-v3-r0p2+off+kfence100';
const old = '6.12.107+deb13-arm64@max+noalias+kfence100';

t.test(
  'a number that both parsers take: the pool is early, and its first page is a guard page',
  async (t) => {
    for (const name of [capable, old]) {
      for (const value of ['100', '0x64', '0144']) {
        const question = withInterval(name, value);
        t.ok(predict(question).decisions.kfenceEarlyInit, value);
        t.match(firstOfPool(question, 'init'), { guard: true }, `${name}: ${value}`);
      }
    }
  },
);

t.test(
  'what only the early parser takes maps the pool in pages, and kfence_init() leaves it alone',
  async (t) => {
    for (const name of [capable, old]) {
      for (const value of ['-5', '100ms']) {
        const question = withInterval(name, value);
        t.ok(predict(question).decisions.kfenceEarlyInit, value);
        t.match(firstOfPool(question, 'init'), { guard: false }, `${name}: ${value}`);
      }
    }
  },
);

t.test(
  'what only the later parser takes gives a pool that becomes pages when it is set up',
  async (t) => {
    for (const name of [capable, old]) {
      for (const value of ['+100', '4294967296']) {
        const question = withInterval(name, value);
        t.notOk(predict(question).decisions.kfenceEarlyInit, value);
        t.match(firstOfPool(question, 'paging_init'), { guard: false }, `${name}: ${value}`);
        t.match(firstOfPool(question, 'init'), { guard: true }, `${name}: ${value}`);
      }
    }
  },
);

t.test('the last value that a parser takes counts for it', async (t) => {
  t.notOk(predict(withInterval(capable, '100', '0')).decisions.kfenceEarlyInit);
  t.ok(predict(withInterval(capable, '0', '100', 'x')).decisions.kfenceEarlyInit);
  t.match(
    firstOfPool(withInterval(capable, '100', '-5'), 'init'),
    { guard: true },
    'the later one refuses -5',
  );
});

t.test('a kernel without KFENCE asks for no sample interval', async (t) => {
  const { traits } = questionOfGolden(readGolden(`${capable}.json.gz`));
  const config = { ...traits.config, kfenceEarlyInit: true };
  const asks = ['kfence.sample_interval=100'];
  t.equal(kfenceEnabled({ ...traits, config }, asks), true);
  t.equal(kfenceEnabled({ ...traits, config: { ...config, kfence: false } }, asks), false);
  t.equal(kfenceEnabled({ ...traits, config: { ...config, kfence: false } }, []), false);
});
