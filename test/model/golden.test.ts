import t from 'tap';
import { differences, goldenNames, readGolden } from './golden.ts';

t.ok(goldenNames().length >= 12, 'boots of every generation are recorded');

for (const name of goldenNames()) {
  const golden = readGolden(name);
  t.same(differences(golden), [], `the model is exact for ${golden.from}`);
}
