// SPDX-License-Identifier: GPL-2.0-only
/**
 * Records of real realms that are changed here: a call that is missing, comes too early, differs or
 * was not predicted.
 */

import t from 'tap';
import { compareRsi, missingCalls, type RsiEvidence } from '../../src/diff/compare-rsi.ts';
import type { RsiCall } from '../../src/evidence/capture.ts';
import { predict } from '../../src/model/predict.ts';
import type { PredictedRsiCall } from '../../src/model/types.ts';
import { given, take } from '../given.ts';
import { goldenNames, questionOfGolden, readGolden } from '../model/golden.ts';

const granule = 4096;
const [ram, empty] = [1n, 0n];

/** A realm with three ranges of memory, as it was recorded; each call gives fresh objects. */
function recorded(): {
  predicted: PredictedRsiCall[];
  evidence: RsiEvidence & { rsi: { calls: RsiCall[] } };
} {
  const golden = readGolden('6.18.15+deb13-arm64@realm+neoverse-v3-r0p2+nodes.json.gz');
  const { captures, rsi = { calls: [], lost: 0 }, files = {} } = golden;
  return {
    predicted: predict(questionOfGolden(golden)).rsi ?? [],
    evidence: { captures, rsi, sharing: golden.question.facts.sharing, files },
  };
}

/** Ids of the findings when the record is changed. */
function found(change: (calls: RsiCall[], evidence: RsiEvidence) => void): string[] {
  const { predicted, evidence } = recorded();
  change(evidence.rsi.calls, evidence);
  return compareRsi(predicted, evidence, granule).map(({ id }) => id.replace('mismatch/rsi/', ''));
}

/** Numbers of the calls that change the state of memory to `state`. */
const changes = (calls: RsiCall[], state: bigint): number[] =>
  [...calls.entries()]
    .filter(([, call]) => call.rsi === 'IPA_STATE_SET' && call.arguments[2] === state)
    .map(([index]) => index);
const numberOf = (calls: RsiCall[], name: RsiCall['rsi']): number =>
  calls.findIndex(({ rsi }) => rsi === name);

/** Two calls change places. */
function swap(calls: RsiCall[], one: number, other: number): void {
  [calls[one], calls[other]] = [given(calls[other]), given(calls[one])];
}

t.test('every recorded realm asks what it must ask, and nothing else', async (t) => {
  const realms = goldenNames()
    .map(readGolden)
    .filter(({ rsi }) => rsi !== undefined);
  t.ok(
    new Set(realms.map(({ question }) => question.traits.generation)).size >= 5,
    'of every generation that knows realms',
  );
  for (const golden of realms) {
    const { captures, rsi, files = {}, question } = golden;
    const { rsi: predicted = [] } = predict(questionOfGolden(golden));
    t.ok(predicted.length >= 3, `${golden.from}: version, configuration and memory`);
    t.same(
      compareRsi(
        predicted,
        { captures, files, sharing: question.facts.sharing, ...(rsi && { rsi }) },
        question.traits.geometry.granule,
      ),
      [],
    );
  }
});

t.test('whichever call is left out, it is missed', async (t) => {
  const { calls } = recorded().evidence.rsi;
  for (const [index, { rsi, arguments: args }] of calls.entries()) {
    if (rsi === 'IPA_STATE_GET') continue;
    const memory = args[2] === ram ? 'setup-memory' : 'share';
    const step = { VERSION: 'version', REALM_CONFIG: 'realm-config' }[rsi as string] ?? memory;
    t.same(
      found((each) => each.splice(index, 1)),
      [`${step}/missing`],
    );
  }
});

t.test('a kernel that forgets a range of its memory is told which', async (t) => {
  const { predicted, evidence } = recorded();
  const [, second] = take(changes(evidence.rsi.calls, ram), 2);
  evidence.rsi.calls.splice(second, 1);
  const { title, detail } = given(compareRsi(predicted, evidence, granule)[0]);
  t.equal(title, 'a call to the RMM that this kernel must make is missing');
  t.match(detail, 'RSI_IPA_STATE_SET(0x74400000 to 0x76200000, RAM, RSI_NO_CHANGE_DESTROYED)');
  t.match(detail, 'arm64_rsi_setup_memory()');
});

t.test('the order of arm64_rsi_init() counts', async (t) => {
  const [first, second] = take(changes(recorded().evidence.rsi.calls, ram), 2);
  t.same(
    found((calls) => swap(calls, first, second)),
    ['setup-memory/order'],
  );
  t.same(
    found((calls) => swap(calls, numberOf(calls, 'VERSION'), numberOf(calls, 'REALM_CONFIG'))),
    ['realm-config/order'],
  );
  t.same(
    found((calls) => swap(calls, first, given(changes(calls, empty)[0]))),
    ['setup-memory/order', 'share/order'],
    'memory is shared before all of it is RAM',
  );
});

t.test(
  'requests of several CPUs may overtake each other, unless they are about the same memory',
  async (t) => {
    const [one, other] = take(changes(recorded().evidence.rsi.calls, empty), 2);
    t.same(
      found((calls) => swap(calls, one, other)),
      [],
    );
    const { predicted, evidence } = recorded();
    const { calls } = evidence.rsi;
    const share = predicted.find(({ step }) => step === 'share') as PredictedRsiCall & {
      rsi: 'IPA_STATE_SET';
    };
    const back: PredictedRsiCall = { ...share, step: 'unshare', ripas: 'RAM' };
    const call = given(calls[one]);
    const [base, top, , flags] = call.arguments;
    const takenBack: RsiCall = { ...call, arguments: [base, top, ram, flags] };
    const inOrder = { ...evidence, rsi: { calls: [...calls, takenBack], lost: 0 } };
    t.same(compareRsi([...predicted, back], inOrder, granule), []);
    const tooEarly = { ...evidence, rsi: { calls: calls.toSpliced(one, 0, takenBack), lost: 0 } };
    t.match(compareRsi([...predicted, back], tooEarly, granule), [
      { id: 'mismatch/rsi/unshare/order' },
    ]);
  },
);

t.test('a call with another argument is told from one that is missing', async (t) => {
  const argument = (index: number, number: number, value: bigint) => (calls: RsiCall[]) => {
    given(calls[index]).arguments[number] = value;
  };
  const { calls } = recorded().evidence.rsi;
  const memory = given(changes(calls, ram)[0]);
  const share = given(changes(calls, empty)[0]);
  const [, top] = given(calls[memory]).arguments;
  t.same(
    found(argument(memory, 3, 1n)),
    ['setup-memory/flags'],
    'DESTROYED memory would become RAM',
  );
  t.same(found(argument(memory, 2, empty)), ['setup-memory/state']);
  t.same(
    found(argument(memory, 1, top - 0x1000n)),
    ['setup-memory/range'],
    'the last page is forgotten',
  );
  t.same(found(argument(share, 3, 0n)), ['share/flags']);
  t.same(found(argument(numberOf(calls, 'VERSION'), 0, 0x10001n)), ['version/argument']);
  t.same(
    found(argument(numberOf(calls, 'REALM_CONFIG'), 0, 0n)),
    ['realm-config/argument'],
    'no page of the kernel',
  );
});

t.test('what is not predicted is found', async (t) => {
  const host: RsiCall = {
    rsi: 'HOST_CALL',
    arguments: [0x4000_0000n, 0n, 0n, 0n],
    results: [0n, 0n, 0n],
    cpu: 0,
    before: 'init',
  };
  t.same(
    found((calls) => calls.push(host)),
    ['other/extra'],
  );
  t.same(
    found((calls) => calls.push(given(calls[given(changes(calls, ram)[0])]))),
    ['other/extra'],
    'nor may a call be made twice',
  );
});

t.test(
  'where the kernel does not show who asks to share, nobody is blamed for what was shared',
  async (t) => {
    const unknown = (calls: RsiCall[], evidence: RsiEvidence) => {
      calls.push(given(calls[given(changes(calls, empty)[0])]));
      delete evidence.sharing;
    };
    t.same(found(unknown), []);
  },
);

t.test('an RMM that does a part is asked again, from where it stopped', async (t) => {
  const halves = (calls: RsiCall[]): RsiCall[] => {
    const index = given(changes(calls, ram)[0]);
    const call = given(calls[index]);
    const [base, top, ...rest] = call.arguments;
    const middle = (base + top) / 2n;
    const answer = (reached: bigint): RsiCall['results'] => [0n, reached, 0n];
    const second: RsiCall = { ...call, arguments: [middle, top, ...rest], results: answer(top) };
    return calls.splice(index, 1, { ...call, results: answer(middle) }, second);
  };
  t.same(found(halves), []);
  const dropSecond = (calls: RsiCall[]) => {
    halves(calls);
    calls.splice(given(changes(calls, ram)[1]), 1);
  };
  t.same(found(dropSecond), ['setup-memory/short']);
});

t.test(
  'a device that is mapped without a question is found, one that was refused too',
  async (t) => {
    const { calls } = recorded().evidence.rsi;
    const { arguments: uart } = calls.find(
      ({ arguments: [base] }) => base === 0x900_0000n,
    ) as RsiCall;
    const others = (each: RsiCall[]) =>
      each.splice(0, each.length, ...each.filter(({ arguments: [base] }) => base !== uart[0]));
    t.same(found(others), ['device/missing']);
    const refuse = (each: RsiCall[]) => {
      given(each[numberOf(each, 'IPA_STATE_GET')]).results[0] = 1n;
    };
    t.same(found(refuse), ['device/refused']);
  },
);

t.test('a boot that ended early is not blamed for what it had not come to', async (t) => {
  const upTo = (count: number) => (calls: RsiCall[], evidence: RsiEvidence) => {
    calls.splice(0);
    evidence.captures = evidence.captures.slice(0, count);
    evidence.files = {};
  };
  t.same(found(upTo(0)), []);
  t.same(found(upTo(1)), [], 'arm64_rsi_init() comes after paging_init()');
  t.same(found(upTo(2)), [
    'version/missing',
    'realm-config/missing',
    'setup-memory/missing',
    'share/missing',
  ]);
});

t.test('a CPU that is stopped on its way to a call has not forgotten it', async (t) => {
  const { predicted, evidence } = recorded();
  const { calls } = evidence.rsi;
  const last = changes(calls, empty).at(-1) as number;
  const until = 'init' as const;
  const late = predicted.map((each, index) =>
    index === predicted.length - 1 ? { ...each, before: until } : each,
  );
  const without = { ...evidence, rsi: { calls: calls.toSpliced(last, 1), lost: 0 } };
  t.match(compareRsi(late, without, granule), [{ id: 'mismatch/rsi/share/missing' }]);
  const cpu = given(given(evidence.captures[0]).cpus[0]);
  const two = evidence.captures.map((capture) => ({
    ...capture,
    cpus: [cpu, { ...cpu, online: true }],
  }));
  t.same(compareRsi(late, { ...without, captures: two }, granule), []);
});

t.test('a record with gaps says nothing of the kernel, and is said to have them', async (t) => {
  const { predicted, evidence } = recorded();
  const gaps = { ...evidence, rsi: { calls: [], lost: 3 } };
  t.same(compareRsi(predicted, gaps, granule), []);
  t.match(missingCalls(predicted, gaps), /lost 3 calls/);
  t.match(missingCalls(predicted, {}), /not recorded/);
  t.equal(missingCalls(predicted, evidence), undefined);
  t.equal(missingCalls([], {}), undefined, 'the normal world has no RMM');
});
