// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readRecording } from '../../results/recording-file.ts';
import { timelineOf } from '../../src/report/timeline.ts';
import { exerciseNames } from '../../src/scenario/types.ts';
import { ptdiffHere } from '../cli/in-process.ts';
import { given } from '../given.ts';

t.setTimeout(10 * 60_000);

t.test(
  'a recorded boot goes on until init has exercised its tables and the kernel’s',
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-exercises-', unsafeCleanup: true });
    t.teardown(cleanup);
    const out = join(path, 'run');
    const kept = ['--out', out, '--store', join(path, 's')];
    const { exitCode, stderr } = await ptdiffHere(
      ...['run', '--kernel', 'debian:7.3', '--scenario', 'max', ...kept],
    );
    t.equal(exitCode, 0, stderr);
    const folder = join(out, 'cases', '7.3.4+deb13-arm64@max');
    const { probes } = JSON.parse(readFileSync(join(folder, 'guest.json'), 'utf8'));
    t.same(
      probes
        .slice(1)
        .map(({ probe, call, errno }: Record<string, unknown>) => [probe, call, errno]),
      exerciseNames.filter((name) => name !== 'module').map((name) => [name, 'ok', 0]),
    );
    const recording = given(readRecording(folder));
    const { before, deeds } = given(timelineOf(recording).at(-1));
    t.equal(before, 'the end');
    const told = (what: RegExp) => deeds.filter(({ by }) => what.test(by));
    for (const [what, function_] of [
      ['contiguous ranges are cut', /^__contpte_try_unfold <- change_protection/],
      ['and shared by fork()', /^contpte_wrprotect_ptes <- copy_page_range/],
      ['and go', /^contpte_clear_full_ptes <- unmap_vmas/],
      ['blocks are split', /^__split_huge_pmd/],
      ['mappings move', /^move_page_tables/],
      ['memory of vmalloc() comes', /^__vmap_pages_range_noflush <- __vmalloc_node_range/],
      ['and goes', /^__vunmap_range_noflush <- vfree <- bpf_prog/],
      ['secret memory is given back', /^set_direct_map_default_noflush <- secretmem_free_folio/],
    ] as const)
      t.ok(told(function_).length > 0, what);
    t.ok(
      told(/purge_vmap_area_lazy/).some(({ invalidations }) => invalidations > 0),
      'what was freed is purged',
    );
  },
);

for (const scenario of ['max+devices', 'realm+max+devices'])
  t.test(`${scenario}: where a driver is a module, it goes and comes again`, async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-exercises-', unsafeCleanup: true });
    t.teardown(cleanup);
    const out = join(path, 'run');
    const kept = ['--out', out, '--store', join(path, 's')];
    const { exitCode, stderr } = await ptdiffHere(
      ...['run', '--kernel', 'debian:7.3', '--scenario', scenario, ...kept],
    );
    // What it shares then is after the last checkpoint, in a realm.
    t.equal(exitCode, 0, stderr);
    const folder = join(out, 'cases', `7.3.4+deb13-arm64@${scenario}`);
    const { probes } = JSON.parse(readFileSync(join(folder, 'guest.json'), 'utf8'));
    t.match(
      probes.find(({ probe }: { probe: string }) => probe === 'module'),
      { call: 'ok', errno: 0 },
    );
    const { deeds } = given(timelineOf(given(readRecording(folder))).at(-1));
    for (const [what, function_] of [
      ['its text becomes read-only', /^set_memory_ro <- module_enable_text_rox/],
      ['and goes', /^__vunmap_range_noflush <- vfree <- execmem_free/],
      [
        'with the permissions of its alias',
        /^set_direct_map_invalid_noflush <- vfree <- execmem_free/,
      ],
    ] as const)
      t.ok(
        deeds.some(({ by }) => function_.test(by)),
        what,
      );
  });
