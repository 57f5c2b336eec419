// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { changes as table } from '../../src/linux/changes/index.ts';
import { lifeOfLeaf } from '../../src/model/leaf-life.ts';
import { predict } from '../../src/model/predict.ts';
import { formatLeafLife } from '../../src/report/terminal-prediction.ts';
import { given } from '../given.ts';
import { questionOfGolden, readGolden } from './golden.ts';

const question = questionOfGolden(readGolden('7.3.4+deb13-arm64@neoverse-v3-r0p2.json.gz'));
const linearOf = (name: string): bigint => {
  const { linearRegion } = predict(question);
  const [first] = predict(question).checkpoints.paging_init?.leaves ?? [];
  const offset = question.facts.image.pa + question.symbolOffset(name) - (first?.pa ?? 0);
  return linearRegion.start + BigInt(offset);
};

t.test(
  'the leaf of kernel text is made by map_mem(), and made read-only when the CPUs are there',
  async (t) => {
    const life = lifeOfLeaf(question, linearOf('_stext'));
    t.same(
      life.map(({ step }) => step.where),
      ['map_mem()', 'mark_linear_text_alias_ro()'],
    );
    t.same(
      life.map(({ step }) => step),
      life.map(({ index }) => predict(question).derivation[index]),
      'each is a step of the derivation',
    );
  },
);

t.test('the last state of a life is what the prediction holds at init', async (t) => {
  for (const run of predict(question).checkpoints.init?.leaves ?? []) {
    const last = lifeOfLeaf(question, run.va).at(-1);
    t.same(last?.leaf, { level: run.level, attributes: run.attributes }, run.why);
  }
});

t.test('each step cites the commits behind it, with their subjects', async (t) => {
  const va = linearOf('_stext');
  const subject = { kernel: '7.3.4', scenario: 's', granule: 4096 as const, va };
  const text = formatLeafLife(lifeOfLeaf(question, va), subject, { colour: false });
  const steps = text.split(/^ {2}\d+\. /m).slice(1);
  t.match(
    given(steps[0]),
    /^map_mem\(\)[\s\S]*d672a4b72c95 \("arm64: mm: Don't abuse memblock NOMAP/,
  );
  t.match(given(steps[1]), /^mark_linear_text_alias_ro\(\)[\s\S]*[0-9a-f]{12} \("arm64/);
  for (const { commits } of lifeOfLeaf(question, va)) {
    t.ok(commits.length > 0);
    for (const { subject } of commits) t.ok(subject && text.includes(`("${subject}")`));
  }
});

t.test('a step cites no commit that its kernel lacks', async (t) => {
  const older = questionOfGolden(readGolden('6.18.15+deb13-arm64@neoverse-v3-r0p2.json.gz'));
  const idsOf = (asked: typeof question) => {
    const [run] = predict(asked).checkpoints.init?.leaves ?? [];
    return lifeOfLeaf(asked, given(run).va).flatMap(({ commits }) => commits.map(({ id }) => id));
  };
  const later = table['kernel-alias-first'].commits.map(({ id }) => id);
  t.ok(later.every((id) => idsOf(question).includes(id)));
  t.notOk(later.some((id) => idsOf(older).includes(id)));
});

t.test('a leaf that becomes a smaller one, with the same attributes, has changed', async (t) => {
  const large = questionOfGolden(readGolden('7.3.4+deb13-arm64@neoverse-v3-r0p2+8g.json.gz'));
  const leaves = predict(large).checkpoints.paging_init?.leaves ?? [];
  const { va, attributes } = given(leaves.find(({ level }) => level === 1));
  // The second page: its block becomes pages, and those beside it are no group any more.
  const [start, end] = [va + 4096n, va + 8192n];
  const splitRequests = [{ start, end, before: 'free_initmem' as const }];
  const split = { ...large, facts: { ...large.facts, splitRequests } };
  const life = lifeOfLeaf(split, va + 2n ** 21n);
  t.same(
    life.map(({ leaf }) => leaf),
    [1, 2].map((level) => ({ level, attributes })),
  );
});

t.test('an address that the linear map never has is said to be none', async (t) => {
  const va = 0xfff0_0000_0000_0000n + 2n ** 46n;
  t.same(lifeOfLeaf(question, va), []);
  const subject = { kernel: '7.3.4', scenario: 's', granule: 4096 as const, va };
  t.match(formatLeafLife([], subject, { colour: false }), /the linear map never has this address/);
});
