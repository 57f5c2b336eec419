// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { didNotComplete } from '../../../src/diff/boot-end.ts';
import type { CaseResult, Finding } from '../../../src/diff/types.ts';
import { findSplats } from '../../../src/linux/splats.ts';
import { chooseFinding } from '../../../src/report/export/choose-finding.ts';
import { formatMail, type MailMaterial } from '../../../src/report/export/mail.ts';
import { verbatim } from '../../../src/report/export/mail-layout.ts';
import { cutSplat } from '../../../src/report/export/splat-text.ts';
import { type Course, judged } from '../../diff/judged.ts';
import { given } from '../../given.ts';
import { mismatch, sampleReport } from '../sample-run.ts';
import { hostileResults, hostileText } from './hostile-results.ts';

const report = sampleReport();

function mailOf(id: string | undefined, over: Partial<MailMaterial> = {}): string {
  const chosen = chooseFinding(report.cases, id);
  const dossier = report.dossiers.get(chosen.result.case);
  if (!dossier) throw new Error('no dossier');
  return formatMail(report, { ...chosen, dossier, builtIn: true, ...over });
}

/** Lines that may be longer: an id, a command's part, an address, each whole. */
const wholeLine = /^ {2}\([^ ]+\)$|^ {7}(--\w+ )?[^ ]+( \\)?$|^Link: [^ ]+$/;

/** @param log lines of the kernel's log as the mail has them: they are not broken either */
function tooWide(mail: string, log: readonly string[] = []): string[] {
  return mail
    .split('\n')
    .filter((line) => line.length > 72 && !wholeLine.test(line) && !log.includes(line));
}

t.test('a mismatch: subject, kernel, evidence, decisions, command', async (t) => {
  const mail = mailOf(mismatch.id, { commandLine: 'nokaslr rodata=noalias' });
  const result = chooseFinding(report.cases, mismatch.id).result;
  t.match(mail, /^Subject: \[BUG\] arm64: The alias of the kernel text/);
  t.match(mail, new RegExp(`Kernel: +${result.kernel.release.replace('+', '.')}`));
  t.match(mail, `  ${result.kernel.sha256}\n`);
  t.match(mail, 'Parameters: nokaslr rodata=noalias\n');
  t.match(mail, '0xfff0000042800000');
  t.match(mail, 'force_pte_mapping(): True: the boot CPU lacks');
  t.match(mail, './ptdiff run --kernel debian:7.3.4');
  t.notMatch(mail, /Known issue|base-commit|Fixes:|Closes:|Link:/, 'nothing that is not known');
  t.same(tooWide(mail), []);
});

t.test('a kernel that died is not called free of the finding', async (t) => {
  const chosen = chooseFinding(report.cases, mismatch.id);
  const other = (release: string, course: Course): CaseResult => ({
    ...chosen.result,
    ...judged(course),
    case: release,
    kernel: { ...chosen.result.kernel, release, sha256: release },
  });
  const cases = [
    chosen.result,
    other('7.3.5', {}),
    other('7.3.6', { end: 'panic' }),
    other('7.3.7', { end: 'error' }),
  ];
  const mail = formatMail(
    { ...report, cases },
    { ...chosen, dossier: { case: '', drawings: [] }, builtIn: true },
  );
  t.match(mail, 'It does not show on 7.3.5.\n');
  t.match(mail, 'On this kernel it shows in 1 of 1 scenario.');
});

t.test('a known issue brings its cause and its thread', async (t) => {
  const known = given(report.knownIssues[0]);
  const mail = mailOf('splat-warn-split-kernel-leaf-mapping');
  t.match(mail, known.cause);
  t.match(mail, /^Link: https:\/\/lore\.kernel\.org\/linux-arm-kernel\/$/m);
});

t.test('a kernel of a commit names its base', async (t) => {
  const chosen = chooseFinding(report.cases, mismatch.id);
  const commit = '0123456789abcdef0123456789abcdef01234567';
  const kernels = report.run.kernels.map((kernel) => ({ ...kernel, commit }));
  const material = { ...chosen, dossier: { case: '', drawings: [] }, builtIn: true };
  t.match(
    formatMail({ ...report, run: { ...report.run, kernels } }, material),
    `\nbase-commit: ${commit}\n`,
  );
  const spec = 'git:/src/linux@HEAD@{1},patch=fix.diff';
  const moved = {
    ...material,
    result: { ...material.result, kernel: { ...material.result.kernel, spec } },
  };
  const run = { ...report.run, kernels: kernels.map((kernel) => ({ ...kernel, spec })) };
  t.match(
    formatMail({ ...report, run }, moved),
    `--kernel git:/src/linux@${commit.slice(0, 12)},patch=fix.diff`,
  );
});

t.test('a scenario of the user comes along', async (t) => {
  const mail = mailOf(mismatch.id, { builtIn: false });
  const { scenario } = chooseFinding(report.cases, mismatch.id).result;
  t.match(mail, `--scenario ${scenario}.json`);
  t.match(mail, '"rodata": "noalias"');
});

t.test(
  'which finding: the only new one, or the one that is named, on the newest kernel',
  async (t) => {
    const completed = report.cases.filter((each) => !didNotComplete(each));
    t.equal(chooseFinding(completed, undefined).finding.id, mismatch.id);
    const on = (release: string, findings: Finding[]): CaseResult => ({
      ...given(report.cases[0]),
      case: `${release}@max`,
      kernel: { ...given(report.cases[0]).kernel, release },
      findings,
    });
    const other = { ...mismatch, id: 'mismatch/other' };
    const cases = [
      on('6.18.9', [mismatch]),
      on('6.18.15', [mismatch, other]),
      on('6.9.1', [mismatch]),
    ];
    t.equal(chooseFinding(cases, mismatch.id).result.kernel.release, '6.18.15');
    t.throws(() => chooseFinding(cases, undefined), {
      fault: 'usage',
      message: /2 new findings.*mismatch\/other/,
    });
    t.throws(() => chooseFinding(cases, 'x'), { fault: 'usage', message: /no finding 'x'/ });
    t.throws(() => chooseFinding([on('6.18.9', [])], undefined), {
      message: /no finding to write about/,
    });
  },
);

t.test('real complaints are cut to what happened and the call chain', async (t) => {
  const cut = (name: string) => {
    const file = join(import.meta.dirname, '..', '..', 'linux', 'fixtures', 'splats', name);
    return cutSplat(given(findSplats(readFileSync(file, 'utf8'))[0]));
  };
  t.same(cut('ro-7.3.4.log').slice(0, 2), [
    'Unable to handle kernel write to read-only memory at virtual address ffff800080010000',
    'Internal error: Oops: 000000009600004f [#1]  SMP',
  ]);
  t.same(cut('ro-7.3.4.log').slice(-7), [
    'Call trace:',
    ...[
      ' __memset',
      ' el0_svc_common.constprop.0',
      ' do_el0_svc',
      ' el0_svc',
      ' el0t_64_sync_handler',
      ' el0t_64_sync',
    ],
  ]);
  for (const name of ['bug-6.12.107.log', 'oops-6.18.15.log', 'wx-7.3.4.log', 'kfence-7.3.4.log']) {
    t.notMatch(cut(name).join('\n'), /x\d+ *: [0-9a-f]{16}|Modules linked|cut here/, name);
  }
});

t.test(
  'a line of the kernel log is not broken: whoever searches for it finds it whole',
  async (t) => {
    const file = join(
      import.meta.dirname,
      '..',
      '..',
      'linux',
      'fixtures',
      'splats',
      'ro-7.3.4.log',
    );
    const [splat] = findSplats(readFileSync(file, 'utf8'));
    const material = {
      ...chooseFinding(report.cases, mismatch.id),
      dossier: { case: '', drawings: [] },
      builtIn: true,
    };
    const mail = formatMail(report, { ...material, splat });
    t.match(
      mail,
      '\n  Unable to handle kernel write to read-only memory at virtual address ffff800080010000\n  Internal error: Oops:',
    );
  },
);

t.test(
  'whatever a guest says, the mail is printable ASCII of 72 columns with one subject',
  async () => {
    const withFinding = hostileResults.filter(({ cases }) =>
      cases.some(({ findings }) => findings.length > 0),
    );
    fc.assert(
      fc.property(withFinding, hostileText, hostileText, (results, commandLine, line) => {
        const id = given(results.cases.flatMap(({ findings }) => findings)[0]).id;
        const chosen = chooseFinding(results.cases, id);
        const splat = {
          kind: 'bug' as const,
          title: line,
          lines: line.split('\n'),
          callChain: ['f'],
        };
        const mail = formatMail(results, {
          ...chosen,
          dossier: { case: '', drawings: [] },
          commandLine,
          splat,
          builtIn: false,
        });
        const subjects = mail.split('\n').filter((each) => each.startsWith('Subject:'));
        const wide = tooWide(mail, verbatim(cutSplat(splat)));
        return /^[\n\x20-\x7e]*$/.test(mail) && wide.length === 0 && subjects.length === 1;
      }),
    );
  },
);
