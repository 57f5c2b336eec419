// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readCaseLines } from '../../results/run-folder.ts';
import { ptdiffHere } from './in-process.ts';

t.test('recorded boots of both worlds, and what their timelines tell', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-record-', unsafeCleanup: true });
  t.teardown(cleanup);
  const out = join(path, 'run');
  const run = async (folder: string, ...more: string[]) => {
    const kept = ['--out', folder, '--store', join(path, 's')];
    return ptdiffHere('run', '--kernel', 'debian:7.3', ...more, ...kept, '--depth', 'early');
  };
  const recorded = await run(out, '--scenario', 'realm+max');
  t.equal(recorded.exitCode, 0, recorded.stderr);
  const name = '7.3.4+deb13-arm64@realm+max';
  const timeline = (...more: string[]) => ptdiffHere('timeline', name, '--out', out, ...more);
  const all = await timeline();
  t.equal(all.exitCode, 0, all.stderr);
  t.match(all.stdout, /^up to paging_init\n.* by\n[\s\S]*paging_init <- setup_arch$/m);
  t.match(all.stdout, /mark_linear_text_alias_ro <- smp_cpus_done <- smp_init$/m);
  const json = JSON.parse((await timeline('--json')).stdout);
  t.ok(json.every(({ deeds }: { deeds: unknown[] }) => deeds.length > 0));
  // The first page of the kernel's text, at its own address: mapped once by the early code.
  const life = await timeline('--at', '0xffff800080010000');
  t.match(life.stdout, /^[\d.]+ s, CPU 0, before paging_init: \S*map_range\+0x/m);
  t.match(life.stdout, /becomes contiguous pages \(64 KiB\), valid, EL1 r-x EL0 ---/);
  const bbm = (...more: string[]) => ptdiffHere('bbm', name, '--out', out, ...more);
  const oldest = await bbm('--level', '0');
  t.equal(oldest.exitCode, 0, oldest.stderr);
  t.match(oldest.stdout, /^[\d,]+ changes at 1 site that FEAT_BBM level 0 does not allow:$/m);
  t.match(
    oldest.stdout,
    /x __pi_map_range\+0x\S+\n {4}the contiguous bit changes, after a break that lacks a DSB after the TLBI$/m,
  );
  t.match((await bbm()).stdout, /^No entry .* the CPUs of the case do not allow\.$/m);
  const other = join(path, 'other');
  const plain = await run(other, '--scenario', 'max', '--no-record');
  t.equal(plain.exitCode, 0, plain.stderr);
  const without = await ptdiffHere('timeline', '7.3.4+deb13-arm64@max', '--out', other);
  t.equal(without.exitCode, 2);
  t.match(without.stderr, /max was not recorded; run it again without --no-record\.$/);
  const elsewhere = await timeline('--at', '0xffff700000000000');
  t.match(elsewhere.stdout, /^Nothing that translates 0xffff700000000000 was changed/);
});

// The monitor changes the granule protection table by a call to EL3 for each granule that is shared.
t.test('what the monitor asks of EL3 is no exception of the kernel', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-record-', unsafeCleanup: true });
  t.teardown(cleanup);
  const out = join(path, 'run');
  const kept = ['--out', out, '--store', join(path, 's'), '--depth', 'full'];
  const words = ['--kernel', 'debian:7.3', '--scenario', 'rme+max+console'];
  const ran = await ptdiffHere('run', ...words, ...kept);
  t.equal(ran.exitCode, 0, ran.stderr);
  const [only] = readCaseLines(out);
  t.match(only, { verdict: 'pass', findings: { length: 0 } });
  const { stdout } = await ptdiffHere(
    'timeline',
    '7.3.4+deb13-arm64@rme+max+console',
    '--out',
    out,
  );
  t.match(stdout, /set_memory_decrypted/);
  t.notMatch(stdout, /__set_fixmap <- __set_fixmap/, 'what was entered was left');
});

t.test(
  'what the CPUs do not allow is a finding, and the two that every kernel has are known',
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-record-', unsafeCleanup: true });
    t.teardown(cleanup);
    const out = join(path, 'run');
    const scenarios = ['--scenario', 'monitor+max-bbm0', '--scenario', 'max+kpti'];
    const kept = ['--out', out, '--store', join(path, 's'), '--depth', 'early'];
    const ran = await ptdiffHere('run', '--kernel', 'debian:7.3', ...scenarios, ...kept);
    t.equal(ran.exitCode, 0, ran.stderr);
    t.match(ran.stdout, /^ +kpti-unmasked-tlbi +1 kernel, 1 case /m);
    t.match(ran.stdout, /^ +map-kernel-no-dsb +1 kernel, 1 case /m);
    t.notMatch(ran.stdout, 'missing TLB invalidations');
    const cases = readCaseLines(out);
    t.same(cases.flatMap(({ findings }) => findings.map(({ id }) => id)).sort(), [
      'update/contiguous-bit/__pi_map_range/no-dsb-after-tlbi',
      'update/output-address/idmap_kpti_install_ng_mappings/tlbi-of-wrong-hint',
    ]);
    const shown = await ptdiffHere('show', '7.3.4+deb13-arm64@monitor+max-bbm0', '--out', out);
    t.match(shown.stdout, /^Changes of tables, by FEAT_BBM\n +level 0/m);
  },
);

t.test('a part of the allow list has level 2, though a hypervisor hides it', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-record-', unsafeCleanup: true });
  t.teardown(cleanup);
  const [out, file] = [join(path, 'run'), join(path, 'hidden.yaml')];
  const idFields = [{ register: 'ID_AA64MMFR2_EL1', bits: '55:52', value: 0 }];
  const machine = { cpu: 'nvidia-olympus', world: 'realm', firmware: 'monitor', idFields };
  writeFileSync(file, JSON.stringify({ name: 'hidden', machine }));
  const kept = ['--out', out, '--store', join(path, 's'), '--depth', 'early'];
  const ran = await ptdiffHere('run', '--kernel', 'debian:7.3', '--scenario', file, ...kept);
  t.equal(ran.exitCode, 0, ran.stderr);
  t.same(
    readCaseLines(out).map(({ verdict, findings }) => [verdict, findings]),
    [['pass', []]],
  );
  const name = '7.3.4+deb13-arm64@hidden';
  const bbm = (...more: string[]) => ptdiffHere('bbm', name, '--out', out, ...more);
  t.match((await bbm()).stdout, /^No entry .* the CPUs of the case do not allow\.$/m);
  t.match((await bbm('--level', '0')).stdout, /split_pmd\+0x/, 'it was split without a break');
});
