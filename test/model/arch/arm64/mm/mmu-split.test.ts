// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { predict } from '../../../../../src/model/predict.ts';
import { given } from '../../../../given.ts';
import { differences, questionOfGolden, readGolden } from '../../../golden.ts';

const name = '7.1.13+deb13-arm64@monitor+neoverse-v3-r0p2+then-max';

t.test(
  'a model that is wrong about who repaints is found out right behind the repaint',
  async (t) => {
    const golden = readGolden(`${name}.json.gz`);
    t.same(differences(golden), [], 'the recorded boot repainted, as its CPUs ask for');
    const { facts } = golden.question;
    golden.question.facts = {
      ...facts,
      idRegisters: facts.idRegisters.map(() => given(facts.idRegisters[0])),
    };
    const found = differences(golden).filter((line) => !line.includes('register'));
    t.notOk(
      found.some((line) => line.includes('before_split')),
      'until then all CPUs seemed alike',
    );
    t.ok(found.some((line) => line.startsWith('after_split: leaf')));
    t.ok(found.includes('mismatch/tables/unexpected@after_split'));
  },
);

t.test(
  'the tables around linear_map_maybe_split_to_ptes() are predicted for every kernel that has it',
  async (t) => {
    const { checkpoints } = predict(
      questionOfGolden(readGolden('7.3.4+deb13-arm64@neoverse-v3-r0p2+8g.json.gz')),
    );
    t.same(Object.keys(checkpoints), [
      'paging_init',
      'before_split',
      'after_split',
      'smp_cpus_done',
      'free_initmem',
      'init',
    ]);
    t.same(
      checkpoints.after_split?.leaves,
      checkpoints.before_split?.leaves,
      'CPUs that are alike keep their blocks',
    );
    const old = predict(
      questionOfGolden(readGolden('6.12.107+deb13-arm64@cortex-a76+kaslr.json.gz')),
    );
    t.same(Object.keys(old.checkpoints), ['paging_init', 'smp_cpus_done', 'free_initmem', 'init']);
  },
);
