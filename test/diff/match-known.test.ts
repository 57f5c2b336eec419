// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type KnownIssue, withKnown } from '../../src/diff/match-known.ts';
import type { Finding } from '../../src/diff/types.ts';
import type { Scenario } from '../../src/scenario/types.ts';

const finding: Finding = {
  id: 'mismatch/linear-map/kernel-text-alias/writable@init',
  kind: 'mismatch',
  title: '',
  detail: '',
};
const scenario: Scenario = {
  name: 's',
  machine: { cpu: 'max', cpus: 1, memory: 1024, holes: [], world: 'normal' },
  rodata: 'noalias',
  kfenceSampleInterval: 100,
  kaslr: false,
  parameters: [],
  probes: [],
};
const issue: KnownIssue = {
  id: 'an-issue',
  title: '',
  kernels: ['6.16..6.18', '7.0.3..7.1.13'],
  match: [finding.id],
  when: {},
  cause: '',
  references: [],
  explanation: '',
};

function known(change: Partial<KnownIssue>, release = '6.18.15+deb13-arm64'): string | undefined {
  return withKnown([finding], { release, scenario }, [{ ...issue, ...change }])[0]?.known;
}

t.test('a finding is known only on the kernels that the issue names', (t) => {
  const releases: [string, boolean][] = [
    ['next-20261128', false],
    ['6.15.99', false],
    ['6.16.0-rc1', true],
    ['6.17.13+deb13-arm64', true],
    ['6.18.15', true],
    ['6.19.0', false],
    ['7.0.2', false],
    ['7.0.3', true],
    ['7.0.99', true],
    ['7.1.13', true],
    ['7.1.14', false],
    ['8.1.1', false],
  ];
  for (const [release, expected] of releases)
    t.equal(known({}, release), expected ? 'an-issue' : undefined, release);
  t.end();
});

t.test('patterns', (t) => {
  const patterns: [string, boolean][] = [
    ['mismatch/linear-map/*/writable@init', true],
    ['mismatch/linear-map/kernel-*/writable@*', true],
    ['mismatch/linear-map/*@init', false],
    ['mismatch/linear-map/kernel-text-alias/writable', false],
    ['mismatch/linear-map/kernel.text.alias/writable@init', false],
  ];
  for (const [pattern, expected] of patterns)
    t.equal(known({ match: [pattern] }) !== undefined, expected, pattern);
  t.end();
});

t.test('a board shows what a boot shows at its end', (t) => {
  const of = (id: string) =>
    withKnown([{ ...finding, id }], { release: '6.18.15', scenario }, [issue])[0]?.known;
  t.equal(of(finding.id.replace('@init', '@live')), issue.id);
  t.equal(of(finding.id.replace('@init', '@free_initmem')), undefined);
  t.end();
});

t.test('conditions', (t) => {
  const conditions: [KnownIssue['when'], boolean][] = [
    [{ world: 'normal' }, true],
    [{ world: 'realm' }, false],
    [{ cpu: ['max', 'cortex-a76'] }, true],
    [{ cpu: ['cortex-a76'] }, false],
    [{ rodata: ['noalias'] }, true],
    [{ rodata: ['default', 'off'] }, false],
    [{ kfence: 'set' }, true],
    [{ kfence: 'unset' }, false],
    [{ mixed: false }, true],
    [{ mixed: true }, false],
    [{ devices: false }, true],
    [{ devices: true }, false],
    [{ pagealloc: false }, true],
    [{ pagealloc: true }, false],
    [{ world: 'normal', kfence: 'unset' }, false],
  ];
  for (const [when, expected] of conditions)
    t.equal(known({ when }) !== undefined, expected, JSON.stringify(when));
  t.end();
});

t.test('conditions count parameters however they are given', (t) => {
  const when = (
    condition: KnownIssue['when'],
    parameters: string[],
    release = '6.18.15',
  ): boolean => {
    const { kfenceSampleInterval: _, ...plain } = {
      ...scenario,
      rodata: 'default' as const,
      parameters,
    };
    const where = { release, scenario: plain };
    return withKnown([finding], where, [{ ...issue, when: condition }])[0]?.known !== undefined;
  };
  t.ok(when({ kfence: 'set' }, ['kfence.sample_interval=100']));
  t.ok(when({ kfence: 'unset' }, ['kfence.other=100']));
  t.ok(when({ rodata: ['noalias'] }, ['rodata=off', 'rodata=noalias', 'rodata=nonsense']));
  t.ok(when({ rodata: ['noalias'] }, ['rodata=on'], '6.17.13'), 'the spelling before 6.18');
  t.notOk(when({ rodata: ['noalias'] }, ['rodata=on']));
  t.ok(when({ pagealloc: true }, ['debug-pagealloc=1']));
  t.ok(when({ pagealloc: false }, ['debug_pagealloc=on', 'debug_pagealloc=off']));
  t.ok(when({ isolation: true }, ['isolcpus=1']));
  t.ok(when({ isolation: true }, ['nohz-full=1']));
  t.ok(when({ isolation: false }, ['isolcpus']));
  t.ok(when({ rodataOverruled: true }, ['rodata=off', 'rodata=on']));
  t.ok(when({ rodataOverruled: false }, ['rodata=on', 'rodata=off']));
  t.ok(when({ rodataOverruled: false }, ['rodata=off', 'rodata=nonsense']), 'not a value');
  t.ok(when({ rodataOverruled: false }, ['rodata=on']));
  t.end();
});

t.test('consequences are known where the case has what they follow from', (t) => {
  const panic: Finding = { ...finding, id: 'splat/boot/panic' };
  const issues = [{ ...issue, match: [panic.id], when: { finding: 'mismatch/*/*/writable@*' } }];
  const of = (...findings: Finding[]) =>
    withKnown(findings, { release: '6.18.15', scenario }, issues).map(({ known }) => known);
  t.same(of(finding, panic), [undefined, issue.id]);
  t.same(of(panic), [undefined]);
  t.end();
});
