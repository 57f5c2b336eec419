// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { predict } from '../../src/model/predict.ts';
import {
  explainedDifferences,
  goldenNames,
  parseGolden,
  questionOfGolden,
  readGolden,
} from './golden.ts';

t.ok(goldenNames().length >= 12, 'boots of every generation are recorded');

for (const name of goldenNames()) {
  const golden = readGolden(name);
  t.same(explainedDifferences(golden), [], `the model is exact for ${golden.from}`);
}

const complete = readGolden('7.3.4+deb13-arm64@max+noalias.json.gz');
/** A recording as a value of its own, for a test to break. */
const copied = () => structuredClone(complete);

t.test(
  'a recording that lacks a trait is refused, and never taken for one without it',
  async (t) => {
    const { traits } = copied().question;
    const paths = [
      ...Object.keys(traits),
      ...Object.keys(traits.config).map((key) => `config.${key}`),
    ];
    for (const path of paths) {
      const golden = copied();
      const [key, below] = path.split('.') as [keyof typeof traits, string | undefined];
      Reflect.deleteProperty(
        below === undefined ? golden.question.traits : golden.question.traits.config,
        below ?? key,
      );
      t.throws(() => parseGolden('x', golden), {
        message: new RegExp(`question\\.traits\\.${path.replace('.', '\\.')}: .*Record`),
      });
    }
    const golden = copied();
    t.throws(() => parseGolden('x', { ...golden, schema: 1 }), { message: /schema: / });
    t.throws(() => parseGolden('x', { ...golden, extra: 1 }), { message: /extra/ });
    Reflect.deleteProperty(golden.question.facts, 'sharing');
    t.throws(() => parseGolden('x', golden), { message: /question\.facts\.sharing: / });
  },
);

t.test('what a recording does not know it says when the model asks', async (t) => {
  const golden = copied();
  Reflect.deleteProperty(golden.question.traits.config, 'haft');
  golden.unrecorded = ['config.haft'];
  const parsed = parseGolden('x', golden);
  t.throws(() => predict(questionOfGolden(parsed)), {
    message: 'x was recorded before the trait config.haft was: record it again to ask for that.',
  });
});
