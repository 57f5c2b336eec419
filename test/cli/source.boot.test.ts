// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { readCaseLines } from '../../results/run-folder.ts';
import { given } from '../given.ts';

// From an empty cache: 260 MiB of downloads, and about ten CPU minutes for the first build; the
// others take seconds.
t.setTimeout(20 * 60_000);

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

/** force_pte_mapping() of arch/arm64/mm/mmu.c with another answer for a capable CPU. */
const forcePages = (answer: string) => `--- a/arch/arm64/mm/mmu.c
+++ b/arch/arm64/mm/mmu.c
@@ -784,6 +784,6 @@ static inline bool force_pte_mapping(void)
 	if (debug_pagealloc_enabled())
 		return true;
 	if (bbml3)
-		return false;
+		return ${answer};
 	return rodata_full || arm64_kfence_can_set_direct_map() || is_realm_world();
 }
`;

t.test(
  'a kernel from source boots as predicted; a patch that breaks a rule is found; one that does not build is an error',
  async (t) => {
    const directory = t.testdir({
      'pages.diff': forcePages('true'),
      'bad.diff': forcePages('undeclared'),
    });
    const out = join(directory, 'run');
    const patched = (name: string) => `source:7.3,patch=${join(directory, name)}`;
    const kernels = ['source:7.3', patched('pages.diff'), patched('bad.diff')];
    const scenarios = ['neoverse-v3-r0p2', 'realm+max'];
    const words = [
      ...kernels.flatMap((each) => ['--kernel', each]),
      ...scenarios.flatMap((each) => ['--scenario', each]),
    ];
    const { exitCode, stderr } = await execa(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, 'run', ...words, '--out', out],
      {
        reject: false,
      },
    );
    t.equal(exitCode, 1, stderr);

    const cases = readCaseLines(out);
    const verdicts = (kernel: string) =>
      Object.fromEntries(
        cases
          .filter((each) => each.kernel.spec === kernel)
          .map(({ scenario, verdict }) => [scenario, verdict]),
      );
    t.same(verdicts(given(kernels[0])), { 'neoverse-v3-r0p2': 'pass', 'realm+max': 'pass' });
    t.same(
      verdicts(given(kernels[1])),
      { 'neoverse-v3-r0p2': 'fail', 'realm+max': 'pass' },
      'max never was capable',
    );
    t.same(verdicts(given(kernels[2])), { 'neoverse-v3-r0p2': 'error', 'realm+max': 'error' });

    t.match(
      cases.find(({ verdict }) => verdict === 'error')?.reason,
      /mmu\.c:\d+:\d+: error: 'undeclared' undeclared/,
    );
    const labels = [...new Set(cases.map((each) => given(each.case.split('@')[0])))];
    t.match(
      labels.find((label) => /-p[0-9a-f]{8}$/.test(label)),
      /^7\.3\.\d+-p/,
      'the patched kernel of one release has a name of its own',
    );
    const passed = cases.find(({ verdict }) => verdict === 'pass')?.case ?? '';
    t.ok(
      existsSync(join(out, 'cases', passed, 'files', 'kernel_page_tables')),
      "the guest's own dump was compared",
    );
    t.match(readFileSync(join(out, 'cases', passed, 'repro.sh'), 'utf8'), /linux-source-7\.3/);
  },
);
