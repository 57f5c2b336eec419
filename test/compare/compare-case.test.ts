// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { compareCases } from '../../src/compare/compare-case.ts';
import { explain } from '../../src/compare/steps.ts';
import type { ComparedCase, Difference } from '../../src/compare/types.ts';
import { earlyEnds } from '../../src/evidence/capture.ts';
import type { Question } from '../../src/model/question.ts';
import type { DerivationStep } from '../../src/model/types.ts';
import { judged } from '../diff/judged.ts';
import { given } from '../given.ts';
import { goldenNames } from '../model/golden.ts';
import { changedCase, goldenCase } from './golden-case.ts';

const keys = (a: ComparedCase, b: ComparedCase): string[] =>
  compareCases('pair', { a, b })
    .differences.map(({ key }) => key)
    .sort();

t.test('a recorded boot does not differ from itself, and everything was looked at', async (t) => {
  for (const file of goldenNames().filter((_, index) => index % 4 === 0)) {
    const name = file.replace('.json.gz', '');
    const outcome = compareCases(name, { a: goldenCase(name), b: goldenCase(name) });
    t.same(outcome.differences, [], name);
    t.same(outcome.moved, [], name);
    t.ok(outcome.compared.leaves > 500 && outcome.compared.decisions > 12, name);
    t.equal(outcome.compared.checkpoints, outcome.compositions.length, name);
  }
});

t.test(
  'two real kernels: sizes of the image do not count, what the code does counts',
  async (t) => {
    const outcome = compareCases('v3', {
      a: goldenCase('6.18.15+deb13-arm64@neoverse-v3-r0p2'),
      b: goldenCase('6.19.14+deb13-arm64@neoverse-v3-r0p2'),
    });
    t.same(
      outcome.differences.map(({ key }) => key).filter((key) => key.startsWith('layout/')),
      [
        'memory',
        'kernel text and rodata alias',
        'kernel init alias',
        'kernel data and bss alias',
      ].map((area) => `layout/${area}/attributes/software dirty`),
      'PAGE_KERNEL got PTE_DIRTY back (c25c4aa3f79a)',
    );
    t.ok(outcome.moved.includes('kernel text and rodata alias has another size'));
  },
);

t.test('the data alias of 7.3 is invalid, and a realm shares less', async (t) => {
  const found = keys(
    goldenCase('7.0.13+deb13-arm64@realm-late-rsi'),
    goldenCase('7.3.4+deb13-arm64@realm+max+noalias+kfence100'),
  );
  t.ok(found.some((key) => key.startsWith('layout/kernel data and bss alias/attributes/invalid')));
  t.ok(found.includes('shared/some → none'), 'the small swiotlb of 7.3 lies inside one block');
  t.ok(found.includes('variable/rsi_present/absent → 1') === false, 'both are realms');
});

t.test('where more is shared at a later checkpoint, both amounts are told', async (t) => {
  const scenario = 'realm+neoverse-v3-r0p2+then-max';
  const { differences } = compareCases(scenario, {
    a: goldenCase(`6.18.15+deb13-arm64@${scenario}`),
    b: goldenCase(`7.3.4+deb13-arm64@${scenario}`),
  });
  t.match(
    differences.filter(({ aspect }) => aspect === 'shared'),
    [
      {
        a: '65536 KiB, then 65920 KiB',
        b: '1408 KiB, then 1536 KiB',
        checkpoints: ['before_split', 'after_split', 'free_initmem', 'init'],
      },
    ],
  );
});

const blocks = '7.3.4+deb13-arm64@neoverse-v3-r0p2+noalias';
const kfence = '7.2.13+deb14-arm64@max+off+kfence100';

const placed =
  (offset: number) =>
  (question: Question): Question => ({
    ...question,
    facts: {
      ...question.facts,
      image: { ...question.facts.image, pa: question.facts.image.pa + offset },
      splitRequests: [],
      probePages: [],
      readOnlyVmalloc: {},
    },
  });

t.test('an image that only moves is said to have moved', async (t) => {
  for (const name of [
    blocks,
    kfence,
    '6.12.107+deb13-arm64@max+noalias+kfence100',
    '6.18.15+deb13-arm64@neoverse-v3-r0p2',
  ]) {
    for (const offset of [0x1_0000, 0x20_0000, 0x123_0000]) {
      const outcome = compareCases(name, {
        a: changedCase(name, placed(0)),
        b: changedCase(name, placed(offset)),
      });
      t.same(outcome.differences, [], `${name} by ${offset}`);
      t.ok(outcome.moved.includes('kernel text and rodata alias lies elsewhere'), name);
    }
  }
});

t.test(
  'a KFENCE pool that lies elsewhere is no difference; one that is in blocks is',
  async (t) => {
    const move = (question: Question): Question => {
      const facts = placed(0)(question).facts;
      return { ...question, facts: { ...facts, kfencePool: (facts.kfencePool ?? 0) - 0x40_0000 } };
    };
    const outcome = compareCases(kfence, {
      a: changedCase(kfence, placed(0)),
      b: changedCase(kfence, move),
    });
    t.same(outcome.differences, []);
    t.ok(outcome.moved.includes('KFENCE pool lies elsewhere'));
  },
);

t.test(
  'pages where there were blocks are a difference of every part of memory, wherever things lie',
  async (t) => {
    const pages = (question: Question): Question => ({
      ...placed(0x1_0000)(question),
      parameters: [],
    });
    const found = keys(changedCase(kfence, placed(0)), changedCase(kfence, pages));
    t.ok(
      found.includes('layout/memory/sizes/the largest leaves that fit → pages only'),
      found.join('\n'),
    );
    t.ok(
      found.includes('layout/KFENCE pool/only a'),
      'without kfence.sample_interval there is no early pool',
    );
  },
);

t.test('what was never contiguous is told from what was', async (t) => {
  const never = '7.1.13+deb13-arm64@neoverse-v3-r0p2+off+kfence100';
  const mayChange = (question: Question): Question => ({
    ...placed(0)(question),
    traits: {
      ...question.traits,
      mapsKernelFirst: true,
      keepsTables: true,
      keepsSingleLeaves: true,
      contiguousMayChange: true,
      protectsContiguously: true,
    },
  });
  const found = keys(changedCase(never, placed(0)), changedCase(never, mayChange));
  t.ok(
    found.includes(
      'layout/kernel text and rodata alias/sizes/blocks, never contiguous → the largest leaves that fit',
    ),
    found.join('\n'),
  );
});

t.test('one other leaf at the same place is a difference of its own', async (t) => {
  const b = changedCase(blocks, placed(0));
  const capture = b.evidence?.captures.at(-1);
  if (!capture) throw new Error('no capture');
  const { leaves } = capture.ttbr1;
  const index = leaves.findIndex(({ size, level }) => level === 2 && size > 64 * 2 ** 20);
  const run = given(leaves[index]);
  const hole = { ...run, va: run.va + BigInt(run.size), pa: run.pa + run.size, size: 0 };
  capture.ttbr1.leaves = leaves
    .with(index, { ...run, size: run.size - 32 * 2 ** 20 })
    .filter((each) => each !== hole);
  const found = keys(changedCase(blocks, placed(0)), b);
  t.same(found, ['layout/exact/mapped on one side only'], '32 MiB are not mapped');
});

t.test('findings that come and go, and those that only concern the model', async (t) => {
  const finding = (id: string, kind: 'mismatch' | 'splat') => ({ id, kind, title: id, detail: '' });
  const a = changedCase(blocks, placed(0));
  const b = changedCase(blocks, placed(0));
  a.result.findings = [finding('splat/warning/x', 'splat'), finding('splat/bug/both', 'splat')];
  b.result.findings = [
    finding('mismatch/linear-map/memory/smaller-leaves@init', 'mismatch'),
    finding('splat/bug/both', 'splat'),
  ];
  t.same(keys(a, b), [
    'finding/gone/splat/warning/x',
    'model/new/mismatch/linear-map/memory/smaller-leaves',
  ]);
});

t.test('a boot that died takes no finding with it', async (t) => {
  const shown = changedCase(blocks, placed(0));
  shown.result.findings = [{ id: 'invariant/x/y@init', kind: 'invariant', title: 'x', detail: '' }];
  for (const end of earlyEnds) {
    const dead = changedCase(blocks, placed(0));
    Object.assign(dead.result, judged({ end }));
    const findings = (pair: { a: ComparedCase; b: ComparedCase }) =>
      compareCases('pair', pair)
        .differences.map(({ key }) => key)
        .filter((key) => key.startsWith('finding/') && !key.includes('splat/boot/'));
    t.same(findings({ a: shown, b: dead }), [], `gone with a ${end}`);
    t.same(findings({ a: dead, b: shown }), [], `new after a ${end}`);
  }
});

t.test('a boot that died is compared as far as it came', async (t) => {
  const b = goldenCase(blocks);
  if (!b.evidence) throw new Error('no evidence');
  b.evidence = {
    ...b.evidence,
    captures: b.evidence.captures.slice(0, 1),
    probes: [],
    end: { kind: 'panic', reason: 'x', lastCheckpoint: 'paging_init' },
  };
  const outcome = compareCases('dead', { a: goldenCase(blocks), b });
  t.same(
    outcome.differences.map(({ key }) => key),
    ['boot/completed, 3 checkpoints → panic after paging_init'],
    'what it did not come to is no difference',
  );
  t.same(outcome.completed, { a: true, b: false });
  t.equal(outcome.compared.checkpoints, 1);
  const nothing = compareCases('none', { a: goldenCase(blocks), b: { result: b.result } });
  t.same(
    nothing.differences.map(({ key }) => key),
    ['boot/completed, 3 checkpoints → no evidence'],
  );
});

t.test('attributes are named on both sides, and where they are those of a part', async (t) => {
  // DBM is a bit of the permission index.
  const writable = 1n << 51n;
  const withPart = (attributes: (before: bigint) => bigint, tables = 3): ComparedCase => {
    const each = changedCase(blocks, placed(0));
    const capture = each.evidence?.captures.at(-1);
    if (!capture) throw new Error('no capture');
    const { leaves } = capture.ttbr1;
    const index = leaves.findIndex(({ size, level }) => level === 2 && size > 64 * 2 ** 20);
    const run = given(leaves[index]);
    const cut = run.size - 32 * 2 ** 20;
    const rest = { ...run, va: run.va + BigInt(cut), pa: run.pa + cut, size: run.size - cut };
    const bits = attributes(run.attributes);
    const part = { ...rest, attributes: bits, valid: (bits & 1n) === 1n, tableAttributes: tables };
    capture.ttbr1.leaves = leaves.toSpliced(index, 1, { ...run, size: cut }, part);
    return each;
  };
  const difference = (b: ComparedCase) => {
    const { differences } = compareCases('pair', { a: changedCase(blocks, placed(0)), b });
    t.equal(differences.length, 1);
    const { key, subject, a, b: now } = given(differences[0]);
    return [key, subject, a, now];
  };
  t.same(difference(withPart((before) => before & ~writable)), [
    'layout/memory/attributes/in a part of it, read only',
    'a part of memory',
    'writable',
    'read only (bit 51 of the descriptor)',
  ]);
  t.same(difference(withPart((before) => (before & ~(7n << 2n)) | (4n << 2n))), [
    'layout/memory/attributes/in a part of it, memory type',
    'a part of memory',
    'AttrIndx 1 = Normal-WB',
    'AttrIndx 4 = Device-nGnRE (bits 2 and 4 of the descriptor)',
  ]);
  t.same(difference(withPart((before) => before, 1)).slice(1), [
    'a part of memory',
    'tables with attributes 0x3',
    'tables with attributes 0x1',
  ]);
  t.same(difference(withPart((before) => before & ~1n)).slice(2), [
    'valid',
    'invalid (bit 0 of the descriptor)',
  ]);
});

t.test('memory that is shared in another amount is explained by the amounts', async (t) => {
  const each = goldenCase('7.3.4+deb13-arm64@realm+neoverse-v3-r0p2');
  const pair = compareCases('realm', { a: each, b: each });
  const key = 'shared/another amount';
  const shared: Difference = {
    key,
    aspect: 'shared',
    subject: 'x',
    a: '1472 KiB',
    b: '65984 KiB',
    checkpoints: [],
  };
  const larger = pair.derivation.b.map((step) => ({
    ...step,
    outcome: step.outcome.replace(/^256 pages for swiotlb/, '16384 pages for swiotlb'),
  }));
  const told = (b: DerivationStep[]) =>
    explain({
      names: ['realm'],
      differences: [shared],
      example: { ...pair, derivation: { ...pair.derivation, b } },
    });
  const amount = told(larger);
  t.equal(amount.kind, 'amount');
  t.match(amount.steps.a, [{ outcome: /^256 pages for swiotlb/ }]);
  t.match(amount.steps.b, [{ outcome: /^16384 pages for swiotlb/ }]);
  const same = told(pair.derivation.a);
  t.equal(same.kind, 'same');
  const texts = same.steps.a.map(({ where, outcome }) => `${where}: ${outcome}`);
  t.ok(texts.length > 2);
  t.equal(new Set(texts).size, texts.length, 'each step once');
});
