// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { bootEndId, didNotComplete } from '../../src/diff/boot-end.ts';
import type { CheckpointContext } from '../../src/diff/context.ts';
import { judge } from '../../src/diff/judge.ts';
import type { KnownIssue } from '../../src/diff/match-known.ts';
import { type EarlyEnd, earlyEnds } from '../../src/evidence/capture.ts';
import { given } from '../given.ts';
import { caseOf, issue, readOnlyPage } from './judged.ts';
import { KiB, linearOf, MiB, prot, rewrite, withAttributes } from './synthetic.ts';

t.test('pass', (t) => {
  const { verdict, findings, linearMap, symbols, notPredicted, reason } = judge(caseOf());
  t.same(
    { verdict, findings, notPredicted, reason },
    { verdict: 'pass', findings: [], notPredicted: [], reason: undefined },
  );
  t.same(linearMap, {
    init: { page: 64 * MiB, contPte: 0, pmd: 0, contPmd: 0, pud: 0, invalid: 0 },
  });
  t.match(symbols, {
    rodata_full: '1',
    kfence_early_init: '0',
    'predicted can_set_direct_map': 'true',
  });
  t.end();
});

t.test('fail and known', (t) => {
  t.equal(judge(caseOf(readOnlyPage)).verdict, 'fail');
  const known = judge(caseOf(readOnlyPage, [issue]));
  t.equal(known.verdict, 'known');
  t.same(
    known.findings.map(({ id, known }) => [id, known]),
    [[issue.match[0], issue.id]],
  );
  t.equal(
    judge(caseOf(readOnlyPage, [{ ...issue, kernels: ['7.2..7.2'] }])).verdict,
    'fail',
    'on another kernel',
  );
  const two = judge(
    caseOf(
      (context) => {
        readOnlyPage(context);
        given(context.capture.cpus[1]).registers.MAIR_EL1 ^= 0x0fn;
      },
      [issue],
    ),
  );
  t.equal(two.verdict, 'fail', 'one finding is not known');
  t.same(
    two.findings.map(({ known }) => known),
    ['read-only-page', undefined, undefined],
  );
  t.end();
});

t.test('a boot that does not complete', (t) => {
  const ended = (kind: EarlyEnd, knownIssues: KnownIssue[] = []) =>
    judge(
      caseOf((context) => {
        context.evidence.end = {
          kind,
          reason: 'Kernel panic - not syncing',
          lastCheckpoint: 'paging_init',
        };
        context.evidence.captures = [];
        context.evidence.probes = [];
      }, knownIssues),
    );
  t.match(ended('panic'), {
    verdict: 'crash',
    reason: 'Kernel panic - not syncing',
    findings: [{ id: 'splat/boot/panic' }],
  });
  t.match(ended('died'), { verdict: 'crash', findings: [{ id: 'splat/boot/died' }] });
  t.match(ended('hang'), { verdict: 'hang', findings: [{ id: 'splat/boot/hang' }] });
  t.equal(ended('hang', [{ ...issue, match: ['splat/boot/hang'] }]).verdict, 'known');
  for (const kind of earlyEnds) {
    t.ok(didNotComplete(ended(kind)), kind);
    t.ok(didNotComplete(ended(kind, [{ ...issue, match: [bootEndId(kind)] }])), `a known ${kind}`);
  }
  t.notOk(didNotComplete(judge(caseOf(readOnlyPage))));
  t.end();
});

t.test('what watchdogs say on a busy host is told as the fault of the host', (t) => {
  // 6.12.57 with eight CPUs on two busy cores.
  const log = [
    '[   72.000000] watchdog: BUG: soft lockup - CPU#5 stuck for 27s! [swapper/0:1]',
    '[   72.100000] pc : sched_balance_update_blocked_averages+0x100/0x680',
    '[   93.000000] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:',
  ].join('\n');
  const stalled = (
    hostWaitSeconds: number,
    change: (context: CheckpointContext) => void = () => {},
  ) =>
    judge(
      caseOf((context) => {
        Object.assign(context.evidence, { console: log, hostWaitSeconds });
        change(context);
      }),
    );
  t.match(stalled(64), {
    verdict: 'error',
    findings: [],
    reason: /soft lockup, but one of its CPUs waited 64 s for/,
  });
  t.match(stalled(3), {
    verdict: 'fail',
    findings: [{ id: /^splat\/lockup/ }, { id: /^splat\/rcu-stall/ }],
  });
  const wrong = stalled(64, (context) => {
    given(context.capture.cpus[1]).registers.MAIR_EL1 ^= 0x0fn;
  });
  t.match(
    wrong,
    { verdict: 'fail', reason: /soft lockup/ },
    'what is wrong all the same is the verdict',
  );
  t.notOk(wrong.findings.some(({ id }) => id.startsWith('splat/')));
  const hanging = stalled(64, ({ evidence }) => {
    evidence.end = { kind: 'hang', reason: 'it idled for 60 s', lastCheckpoint: 'paging_init' };
  });
  t.equal(hanging.verdict, 'hang', 'a guest that came no further by its own time hangs');
  t.ok(hanging.findings.some(({ id }) => id.startsWith('splat/lockup')));
  t.end();
});

t.test('a predicted complaint is no finding, and its absence is one', (t) => {
  const log =
    '[    2.000000] CPU features: CPU1: Detected conflict for capability 11 (BBM Level 3), System: 1, CPU: 0\n';
  const saying = (text: string, complaints: string[]) => {
    const input = caseOf((context) => {
      context.evidence.console = text;
    });
    input.prediction.complaints = complaints;
    return judge(input).findings.map(({ id }) => id);
  };
  const title = 'CPU refused for lacking BBM Level 3';
  t.same(saying(log, [title]), []);
  t.same(saying(log, []), ['splat/cpu/cpu-refused-for-lacking-bbm-level']);
  t.same(saying('', [title]), ['mismatch/complaint/cpu-refused-for-lacking-bbm-level/absent']);
  t.end();
});

t.test('missing evidence of a completed boot is an error, never a pass', (t) => {
  const noCapture = judge(caseOf((context) => void context.evidence.captures.pop()));
  t.match(noCapture, { verdict: 'error', reason: /checkpoint init was never captured/ });
  const noMemstart = judge(
    caseOf((context) => void delete context.capture.variables.memstart_addr),
  );
  t.match(noMemstart, {
    verdict: 'error',
    findings: [],
    reason: /but memstart_addr could not be read, .* \(init\)/,
  });
  const noBooks = judge(
    caseOf(({ capture }) => {
      capture.variables._debug_pagealloc_enabled_early = 1n;
    }),
  );
  t.match(noBooks, {
    verdict: 'error',
    reason: /was free at init according to the page allocator could not be read/,
  });
  const noProbe = judge(caseOf((context) => void context.evidence.probes.pop()));
  t.match(noProbe, { verdict: 'error', reason: /no result of the probe memfd_secret/ });
  const trouble = judge(
    caseOf((context) => {
      context.evidence.guestProblems = ['/sys: mount failed', 'another'];
    }),
  );
  t.match(trouble, {
    verdict: 'error',
    reason: "The guest's init could not send everything: /sys: mount failed.",
  });
  t.end();
});

t.test('a checkpoint without prediction is named, and its invariants are checked', (t) => {
  const input = caseOf((context) => {
    given(context.capture.cpus[1]).registers.MAIR_EL1 = 0n;
  });
  input.prediction.checkpoints = {};
  const { notPredicted, findings } = judge(input);
  t.same(notPredicted, ['init']);
  t.same(
    findings.map(({ id }) => id),
    ['invariant/cpus-agree/MAIR_EL1@init'],
  );
  t.end();
});

t.test(
  'a model that is wrong about the linear region hides no writable alias of kernel text, and is told',
  (t) => {
    const writableText = (context: CheckpointContext) =>
      rewrite(context, linearOf(context, context.image.pa), 4 * KiB, (leaf) =>
        withAttributes(leaf, prot.data),
      );
    const alias = 'invariant/kernel-text-read-only/linear-alias-writable@init';
    t.ok(judge(caseOf(writableText)).findings.some(({ id }) => id === alias));
    const wrong = (start: bigint, end: bigint): string[] => {
      const input = caseOf(writableText);
      const { linearRegion } = input.prediction;
      input.prediction.linearRegion = {
        start: linearRegion.start + start,
        end: linearRegion.end + end,
      };
      return judge(input).findings.map(({ id }) => id);
    };
    for (const [start, end, border] of [
      [2n ** 40n, 0n, 'start'],
      [0n, 2n ** 30n - 2n ** 47n, 'end'],
    ] as const) {
      const ids = wrong(start, end);
      t.ok(ids.includes(alias), 'the rules do not ask the model where the linear map is');
      t.ok(ids.includes(`mismatch/linear-region/${border}@init`));
    }
    t.end();
  },
);

t.test('a model that is wrong about VA - PA is told, and no leaf is blamed by a rule', (t) => {
  const input = caseOf();
  const predicted = input.prediction.checkpoints.init;
  for (const leaf of predicted?.leaves ?? []) leaf.pa += 4 * KiB;
  Object.assign(predicted?.variables ?? {}, { memstart_addr: 0x4000_1000n });
  const ids = judge(input).findings.map(({ id }) => id);
  t.ok(ids.includes('mismatch/variable/memstart_addr/value@init'));
  t.notOk(ids.some((id) => id.startsWith('invariant/')));
  t.end();
});
