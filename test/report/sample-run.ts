import type { CaseResult, Finding, Verdict } from '../../src/diff/types.ts';
import { checkpointNames } from '../../src/linux/capture.ts';
import { linearMapSizes } from '../../src/linux/leaf-kind.ts';
import type { Decisions, DerivationStep, PredictedRun } from '../../src/model/types.ts';
import {
  type CaseDossier,
  type CaseDrawing,
  type PlannedCase,
  type Report,
  runSchemaVersion,
} from '../../src/report/types.ts';
import { countVerdicts } from '../../src/report/verdicts.ts';
import type { Rodata, Scenario } from '../../src/scenario/types.ts';
import type { LeafRun, Level, SystemRegisters } from '../../src/vmsa/types.ts';

/** A report of the shape and size of a real run: the layouts follow what stock kernels do with 1 GiB of 4K pages. */

const MiB = 2 ** 20;
const linearStart = 0xfff0_0000_0000_0000n;
const ramStart = 0x4000_0000;

/** Kinds of leaf for the builders below: level and contiguous bit. */
const shapes: Record<string, { level: Level; contiguous: boolean }> = {
  page: { level: 3, contiguous: false },
  contPte: { level: 3, contiguous: true },
  pmd: { level: 2, contiguous: false },
  contPmd: { level: 2, contiguous: true },
};

export function leafRun(
  pa: number,
  size: number,
  shape: keyof typeof shapes,
  access: 'rw' | 'ro' | 'invalid',
  why: string,
): PredictedRun {
  const { level, contiguous } = shapes[shape];
  const type = level === 3 ? 0x3n : 0x1n;
  let attributes = 0x68_0000_0000_0700n | type | (contiguous ? 1n << 52n : 0n);
  if (access === 'ro') attributes |= 0x80n;
  if (access === 'invalid') attributes &= ~1n;
  return {
    va: linearStart + BigInt(pa),
    pa,
    size,
    level,
    contiguous,
    valid: access !== 'invalid',
    attributes,
    tableAttributes: 0,
    why,
    alternatives: [],
  };
}

/** Memory in 2M blocks, in contiguous groups where 32 MiB fit. */
function blocks(from: number, to: number): PredictedRun[] {
  const first = Math.min(to, Math.ceil(from / (32 * MiB)) * 32 * MiB);
  const last = Math.max(first, Math.floor(to / (32 * MiB)) * 32 * MiB);
  return [
    { from, to: first, shape: 'pmd' },
    { from: first, to: last, shape: 'contPmd' },
    { from: last, to, shape: 'pmd' },
  ]
    .filter((part) => part.to > part.from)
    .map((part) => leafRun(part.from, part.to - part.from, part.shape, 'rw', 'memory'));
}

function memory(from: number, to: number, large: boolean): PredictedRun[] {
  return large ? blocks(from, to) : [leafRun(from, to - from, 'page', 'rw', 'memory')];
}

function kfencePool(at: number): PredictedRun[] {
  return Array.from({ length: 512 }, (_, page) => {
    const guard = page < 2 || page % 2 === 1;
    return leafRun(
      at + page * 4096,
      4096,
      'page',
      guard ? 'invalid' : 'rw',
      guard ? 'KFENCE guard page' : 'KFENCE pool',
    );
  });
}

/** The linear map of 1 GiB (and of a second region above a hole) at init. */
export function layout(options: { large: boolean; kfence: boolean; imageAt: number; hole: boolean }): PredictedRun[] {
  const image = ramStart + options.imageAt;
  const text = image + 28 * MiB;
  const data = text + 4 * MiB;
  const pool = 0x7c00_0000;
  const end = ramStart + 1024 * MiB;
  return [
    ...memory(ramStart, image, options.large),
    leafRun(image, text - image, options.large ? 'contPte' : 'page', 'ro', 'kernel text and rodata alias'),
    leafRun(text, data - text - 64 * 1024, 'page', 'rw', 'kernel init memory, freed'),
    leafRun(data - 64 * 1024, 64 * 1024, 'page', 'invalid', 'kernel data and bss alias'),
    ...(options.kfence
      ? [...memory(data, pool, options.large), ...kfencePool(pool), ...memory(pool + 2 * MiB, end, options.large)]
      : memory(data, end, options.large)),
    ...(options.hole ? memory(0x1_4000_0000, 0x1_4000_0000 + 512 * MiB, options.large) : []),
  ];
}

export const decisions: Decisions = {
  debugPagealloc: false,
  rodataEnabled: true,
  rodataFull: true,
  kfenceEarlyInit: false,
  bootCpuBbml: false,
  systemBbml: false,
  forcePteMapping: true,
  canSetDirectMap: true,
  linearMapRequiresBbml: false,
  useNgMappings: false,
  lpa2: true,
};

export const derivation: DerivationStep[] = [
  {
    where: 'kfence_early_init',
    source: 'arch/arm64/mm/mmu.c, 840b23986344 (6.2)',
    outcome: 'The sample interval is 0, so the pool is not set up early.',
  },
  { where: 'can_set_direct_map()', source: 'arch/arm64/mm/pageattr.c', outcome: 'True: rodata_full is set.' },
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

export const sampleKernels = [
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
    ? [{ spec: `debian:${release}:16k`, release: `${release}+deb14-arm64-16k`, flavour: 'arm64-16k' }]
    : []),
]);

export const sampleScenarios = ['max', 'neoverse-v3-r0p2', 'neoverse-v3-r0p1', 'cortex-a76', 'neoverse-n2'].flatMap(
  (cpu) => ['', '+noalias', '+off'].flatMap((rodata) => ['', '+kfence'].map((kfence) => `${cpu}${rodata}${kfence}`)),
);

function rodataOf(options: readonly string[]): Rodata {
  if (options.includes('noalias')) return 'noalias';
  return options.includes('off') ? 'off' : 'default';
}

function scenarioOf(name: string): Scenario {
  const [cpu, ...options] = name.split('+');
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

/** 4K granule, 52-bit addresses with DS, MMU on. */
export const registers: SystemRegisters = {
  TTBR0_EL1: 0x4000_0000n,
  TTBR1_EL1: 0x4100_0000n,
  TCR_EL1: (1n << 59n) | (6n << 32n) | (2n << 30n) | (12n << 16n) | 12n,
  MAIR_EL1: 0xff_44f0n,
  SCTLR_EL1: 1n,
};

function drawings(verdict: Verdict, scenario: string, seed: number): CaseDrawing[] {
  const kfence = scenario.endsWith('+kfence');
  const large = (kfence && scenario.includes('+n')) || scenario.startsWith('neoverse-v3-r0p2');
  const predicted = layout({
    large,
    kfence,
    imageAt: (2 + (seed % 64) * 2) * MiB,
    hole: scenario.startsWith('neoverse-n2'),
  });
  return checkpointNames.map((checkpoint) => ({
    checkpoint,
    registers,
    linearRegion: { start: linearStart, end: linearStart + 2n ** 51n },
    predicted,
    actual: found(verdict === 'fail' && checkpoint === 'init' ? spoil(predicted) : predicted),
  }));
}

function makeCase(planned: PlannedCase, index: number): { result: CaseResult; dossier: CaseDossier } {
  const kernel = sampleKernels.find(({ spec }) => spec === planned.kernel) ?? sampleKernels[0];
  const verdict = verdictOf(kernel.release, planned.scenario);
  const maps = verdict === 'error' ? [] : drawings(verdict, planned.scenario, index * 7);
  const findings: Record<Verdict, Finding[]> = {
    pass: [],
    error: [],
    hang: [],
    crash: [],
    fail: [mismatch],
    known: [known],
  };
  return {
    result: {
      case: planned.case,
      kernel: { ...kernel, sha256: 'a3'.repeat(32), generation: '6.18' },
      scenario: planned.scenario,
      verdict,
      findings: findings[verdict],
      linearMap: Object.fromEntries(maps.map(({ checkpoint, actual }) => [checkpoint, linearMapSizes(actual)])),
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
      consoleTail: '[    1.204511] Run /init as init process\n[    1.3] \u001b[2J<b>Kernel panic</b> - not syncing\n',
    },
  };
}

/** A whole report; `share` of the full matrix is run, the rest left out by thinning. */
export function sampleReport(share = 0.5): Report {
  const all = sampleKernels.flatMap(({ spec }) =>
    sampleScenarios.map((scenario) => ({ case: `${spec.replaceAll(':', '-')}_${scenario}`, kernel: spec, scenario })),
  );
  const kept = (index: number) => (index * 37) % 100 < share * 100;
  const planned = all.filter((_, index) => kept(index));
  const made = planned.map(makeCase);
  const cases = made.map(({ result }) => result);
  return {
    run: {
      schema: runSchemaVersion,
      ptdiff: { version: '0.1.0' },
      command: ['./ptdiff', 'run', '--out', 'results/run'],
      asked: { kernels: sampleKernels.map(({ spec }) => spec), scenarios: sampleScenarios, jobs: 2 },
      scenarios: sampleScenarios.map(scenarioOf),
      emulator: {
        version: '11.1.3 (Debian 1:11.1.3+ds-1)',
        sha256: '5f'.repeat(32),
        origin: 'the pinned package, from the cache',
        notes: ['The archive no longer has QEMU 11.1.2, which is pinned; 11.1.3 of the same suite was taken.'],
      },
      kernels: sampleKernels.map((kernel) => ({
        ...kernel,
        version: kernel.release.split('+')[0],
        sha256: 'a3'.repeat(32),
      })),
      unavailable: [
        { spec: 'debian:6.15', reason: 'The archive lists linux-image-6.15.4-arm64 but no longer has it.' },
      ],
      initramfs: { sha256: '0c'.repeat(32) },
      generations: ['6.12', '6.17', '6.18', '7.0', '7.1', '7.2', '7.3'],
      host: { cpu: 'AMD EPYC 7B13', cores: 2, kernel: '6.1.0-18-amd64', os: 'Debian GNU/Linux 12 (bookworm)' },
      started: '2026-11-22T15:00:00.000Z',
      ended: '2026-11-22T15:09:41.000Z',
      planned,
      leftOut: all.filter((_, index) => !kept(index)),
      counts: countVerdicts(cases),
    },
    cases,
    dossiers: new Map(made.map(({ dossier }) => [dossier.case, dossier])),
    knownIssues: [
      {
        id: 'split-before-caps-final',
        title: 'Splitting the linear map before the CPU capabilities are final warns and fails',
        kernels: ['6.18..6.19'],
        match: ['splat-*'],
        when: {},
        cause: 'The capability is asked for before it is final.',
        explanation: 'split_leaf_mapping_possible() of 6.18 and 6.19 refuses before system capabilities are final.',
        references: ['f12b435de2f2 (7.1)', 'https://lore.kernel.org/linux-arm-kernel/'],
      },
    ],
  };
}
