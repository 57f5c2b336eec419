// SPDX-License-Identifier: GPL-2.0-only
import { diffLeaves } from '../../src/diff/compare.ts';
import type { CaseResult, Finding, Verdict } from '../../src/diff/types.ts';
import { bootCheckpoints, splitCheckpoints } from '../../src/evidence/capture.ts';
import { linearMapSizes } from '../../src/linux/leaf-kind.ts';
import type { DerivationStep, PredictedRun } from '../../src/model/types.ts';
import {
  type CaseDossier,
  type CaseDrawing,
  type PlannedCase,
  type Report,
  runSchemaVersion,
} from '../../src/report/types.ts';
import { countVerdicts } from '../../src/report/verdicts.ts';
import { type Rodata, type Scenario, scenarioVersion } from '../../src/scenario/types.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';
import { judged } from '../diff/judged.ts';
import { decisions } from '../diff/sample-decisions.ts';
import { given } from '../given.ts';
import { layout, leafRun, linearStart, MiB, registers } from './sample-layout.ts';

/** A report of the shape and size of a real run. */

export const derivation: DerivationStep[] = [
  {
    where: 'kfence_early_init',
    source: 'arch/arm64/mm/mmu.c, 840b23986344 (6.2)',
    outcome: 'The sample interval is 0, so the pool is not set up early.',
  },
  {
    where: 'can_set_direct_map()',
    source: 'arch/arm64/mm/pageattr.c',
    outcome: 'True: rodata_full is set.',
  },
  {
    where: 'force_pte_mapping()',
    source: 'arch/arm64/mm/mmu.c, a166563e7ec3 (6.18)',
    outcome: 'True: the boot CPU lacks BBML2_NOABORT and can_set_direct_map() holds.',
  },
  {
    where: 'map_mem()',
    source: 'arch/arm64/mm/mmu.c',
    outcome: 'Every region is mapped with NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS: pages only.',
  },
];

const sampleKernels = [
  '6.12.107',
  '6.16.12',
  '6.17.13',
  '6.18.15',
  '6.19.14',
  '7.0.13',
  '7.1.13',
  '7.2.12',
  '7.3.4',
].flatMap((release) => [
  { spec: `debian:${release}`, release: `${release}+deb14-arm64`, flavour: 'arm64' },
  ...(release === '6.12.107' || release === '7.3.4'
    ? [
        {
          spec: `debian:${release}:16k`,
          release: `${release}+deb14-arm64-16k`,
          flavour: 'arm64-16k',
        },
      ]
    : []),
]);

const sampleScenarios = [
  'max',
  'neoverse-v3-r0p2',
  'neoverse-v3-r0p1',
  'cortex-a76',
  'neoverse-n2',
].flatMap((cpu) =>
  ['', '+noalias', '+off'].flatMap((rodata) =>
    ['', '+kfence'].map((kfence) => `${cpu}${rodata}${kfence}`),
  ),
);

function rodataOf(options: readonly string[]): Rodata {
  if (options.includes('noalias')) return 'noalias';
  return options.includes('off') ? 'off' : 'default';
}

function scenarioOf(name: string): Scenario {
  const [cpu = '', ...options] = name.split('+');
  return {
    name,
    machine: { cpu, cpus: 2, memory: 1024, holes: [], world: 'normal' },
    rodata: rodataOf(options),
    ...(options.includes('kfence') ? { kfenceSampleInterval: 100 } : {}),
    kaslr: true,
    parameters: [],
    probes: ['memfd_secret'],
  };
}

export const mismatch: Finding = {
  id: 'mismatch-init-kernel-text-alias-pmd-for-contpte',
  kind: 'mismatch',
  checkpoint: 'init',
  title: 'The alias of the kernel text is mapped by PMD blocks where contiguous PTEs are predicted',
  detail:
    'At init, 4 leaves of 2 MiB translate the alias of [_stext, __init_begin), predicted as 64 KiB\ncontiguous groups.\n\n  0xfff0000042800000  8 MiB  predicted contPte RO  0x00780000000787\n                             actual    pmd     RW  0x00680000000701\n\nKernel: map_mem() maps this range with NO_CONT_MAPPINGS.',
};

const known: Finding = {
  id: 'splat-warn-split-kernel-leaf-mapping',
  kind: 'splat',
  title: 'WARNING in split_kernel_leaf_mapping()',
  detail:
    'WARNING: CPU: 0 PID: 1 at arch/arm64/mm/mmu.c:812 split_kernel_leaf_mapping\n  set_memory_ro <script>alert(1)</script>\n  \u001b[31mbpf_prog_pack_alloc\u001b[0m',
  known: 'split-before-caps-final',
};

function verdictOf(kernel: string, scenario: string): Verdict {
  if (kernel.includes('7.3.4') && scenario.startsWith('neoverse-v3-r0p2+noalias')) return 'fail';
  if (kernel.includes('6.18') && scenario.startsWith('neoverse-v3-r0p2')) return 'known';
  if (kernel.includes('7.0.13') && scenario === 'cortex-a76') return 'hang';
  if (kernel.includes('6.17.13') && scenario === 'neoverse-n2+off') return 'crash';
  if (kernel.includes('6.19.14') && scenario === 'max+off+kfence') return 'error';
  return 'pass';
}

/** Leaves as a walk finds them: it does not know what they are for. */
function found(runs: readonly PredictedRun[]): LeafRun[] {
  return runs.map(({ why: _why, alternatives: _alternatives, ...run }) => run);
}

/** What a mismatching kernel shows instead: 8 MiB of the text alias as writable blocks. */
function spoil(runs: readonly PredictedRun[]): PredictedRun[] {
  return runs.flatMap((run) => {
    if (run.why !== 'kernel text and rodata alias') return [run];
    return [
      leafRun(run.pa, 4 * MiB, 'contPte', 'ro', run.why),
      leafRun(run.pa + 4 * MiB, 8 * MiB, 'pmd', 'rw', run.why),
      leafRun(run.pa + 12 * MiB, run.size - 12 * MiB, 'contPte', 'ro', run.why),
    ];
  });
}

/** What was made once, by its name: reports of many cases share few maps. */
const made = new Map<string, unknown>();
function once<T>(name: string, make: () => T): T {
  if (!made.has(name)) made.set(name, make());
  return made.get(name) as T;
}

/** Findings of a boot that ended so after init. */
const endedFindings = (end: 'hang' | 'panic'): Finding[] => [
  ...once(end, () => judged({ end, after: 'init' }).findings),
];

function drawings(verdict: Verdict, scenario: string, seed: number): CaseDrawing[] {
  const kfence = scenario.endsWith('+kfence');
  const large = (kfence && scenario.includes('+n')) || scenario.startsWith('neoverse-v3-r0p2');
  const shape = {
    large,
    kfence,
    imageAt: (2 + (seed % 64) * 2) * MiB,
    hole: scenario.startsWith('neoverse-n2'),
  };
  return [
    ...once(JSON.stringify([shape, verdict === 'fail']), () => drawingsOf(layout(shape), verdict)),
  ];
}

function drawingsOf(predicted: PredictedRun[], verdict: Verdict): CaseDrawing[] {
  return bootCheckpoints
    .filter((name) => !splitCheckpoints.includes(name))
    .map((checkpoint) => {
      const spoilt = verdict === 'fail' && checkpoint === 'init';
      const actual = found(spoilt ? spoil(predicted) : predicted);
      const differences = diffLeaves(predicted, actual);
      const linearRegion = { start: linearStart, end: linearStart + 2n ** 51n };
      return { checkpoint, registers, linearRegion, predicted, actual, differences };
    });
}

function makeCase(
  planned: PlannedCase,
  index: number,
): { result: CaseResult; dossier: CaseDossier } {
  const kernel = given(sampleKernels.find(({ spec }) => spec === planned.kernel));
  const verdict = verdictOf(kernel.release, planned.scenario);
  const maps = verdict === 'error' ? [] : drawings(verdict, planned.scenario, index * 7);
  const findings: Record<Verdict, () => Finding[]> = {
    pass: () => [],
    error: () => [],
    hang: () => endedFindings('hang'),
    crash: () => endedFindings('panic'),
    fail: () => [mismatch],
    known: () => [known],
  };
  return {
    result: {
      case: planned.case,
      kernel: { ...kernel, sha256: 'a3'.repeat(32), generation: '6.18' },
      scenario: planned.scenario,
      verdict,
      findings: findings[verdict](),
      linearMap: Object.fromEntries(
        maps.map(({ checkpoint, actual }) => [checkpoint, linearMapSizes(actual)]),
      ),
      symbols: { linear_map_requires_bbml2: '0', rodata_full: '1' },
      seconds: 3 + (index % 5),
      ...(['hang', 'crash', 'error'].includes(verdict)
        ? { reason: `The boot ended at free_initmem: ${verdict}.` }
        : {}),
    },
    dossier: {
      case: planned.case,
      decisions,
      derivation,
      predictedProbes: [{ probe: 'memfd_secret', errno: 0, why: 'can_set_direct_map() holds.' }],
      probes: [{ probe: 'memfd_secret', errno: 0, call: 'ok', pages: [0x4567_8000] }],
      drawings: maps,
      repro: `sh results/run/cases/${planned.case}/repro.sh`,
      consoleTail:
        '[    1.204511] Run /init as init process\n[    1.3] \u001b[2J<b>Kernel panic</b> - not syncing\n',
    },
  };
}

/** A whole report; `share` of the full matrix is run, the rest left out by thinning. */
export function sampleReport(share = 0.5): Report {
  const all = sampleKernels.flatMap(({ spec }) =>
    sampleScenarios.map((scenario) => ({
      case: `${spec.replaceAll(':', '-')}_${scenario}`,
      kernel: spec,
      scenario,
    })),
  );
  const kept = (index: number) => (index * 37) % 100 < share * 100;
  const planned = all.filter((_, index) => kept(index));
  const results = planned.map(makeCase);
  const cases = results.map(({ result }) => result);
  return {
    run: {
      schema: runSchemaVersion,
      scenarioVersion,
      ptdiff: { version: '0.1.0' },
      command: ['./ptdiff', 'run', '--out', 'results/run'],
      asked: {
        kernels: sampleKernels.map(({ spec }) => spec),
        scenarios: sampleScenarios,
        jobs: 2,
      },
      scenarios: sampleScenarios.map(scenarioOf),
      emulator: {
        version: '11.1.3 (Debian 1:11.1.3+ds-1)',
        sha256: '5f'.repeat(32),
        origin: 'the pinned package, from the cache',
        notes: [
          'The archive no longer has QEMU 11.1.2, which is pinned; 11.1.3 of the same suite was taken.',
        ],
      },
      kernels: sampleKernels.map((kernel) => ({
        ...kernel,
        version: given(kernel.release.split('+')[0]),
        sha256: 'a3'.repeat(32),
      })),
      unavailable: [
        {
          spec: 'debian:6.15',
          reason: 'The archive lists linux-image-6.15.4-arm64 but no longer has it.',
        },
      ],
      initramfs: { sha256: '0c'.repeat(32) },
      generations: ['6.12', '6.17', '6.18', '7.0', '7.1', '7.2', '7.3'],
      host: {
        cpu: 'AMD EPYC 7B13',
        cores: 2,
        kernel: '6.1.0-18-amd64',
        os: 'Debian GNU/Linux 12 (bookworm)',
      },
      started: '2026-11-22T15:00:00.000Z',
      ended: '2026-11-22T15:09:41.000Z',
      planned,
      leftOut: all.filter((_, index) => !kept(index)),
      unfit: [],
      counts: countVerdicts(cases),
    },
    cases,
    dossiers: new Map(results.map(({ dossier }) => [dossier.case, dossier])),
    knownIssues: [
      {
        id: 'split-before-caps-final',
        title: 'Splitting the linear map before the CPU capabilities are final warns and fails',
        kernels: ['6.18..6.19'],
        match: ['splat-*'],
        when: {},
        cause: 'The capability is asked for before it is final.',
        explanation:
          'split_leaf_mapping_possible() of 6.18 and 6.19 refuses before system capabilities are final.',
        references: ['f12b435de2f2 (7.1)', 'https://lore.kernel.org/linux-arm-kernel/'],
      },
    ],
  };
}
