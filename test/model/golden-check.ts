import { differences, goldenNames, readGolden } from './golden.ts';
import { rules } from './rules.ts';

/** Ends with 1 at the first recorded boot that the model does not predict exactly, or rule that it breaks: the mutation test runs it. */
for (const name of goldenNames()) {
  const [first] = differences(readGolden(name));
  if (first !== undefined) fail(`${name}: ${first}`);
}
for (const { name, holds } of rules) if (!holds()) fail(name);

function fail(reason: string): never {
  console.log(reason);
  process.exit(1);
}
