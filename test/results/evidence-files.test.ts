// SPDX-License-Identifier: GPL-2.0-only

import { readdirSync } from 'node:fs';
import t from 'tap';
import { readEvidence, writeEvidence } from '../../results/evidence-files.ts';
import type { Evidence } from '../../src/evidence/capture.ts';
import { formatWalk, parseWalk, walkLegend } from '../../src/evidence/leaf-text.ts';
import { type MonitorView, rsiFunctions } from '../../src/evidence/monitor-report.ts';
import { sizedRange } from '../../src/linux/physical-range.ts';
import type { WalkResult } from '../../src/vmsa/types.ts';

const walk: WalkResult = {
  leaves: [
    {
      va: 0xfff0_0000_4000_0000n,
      pa: 0x4000_0000,
      size: 0x20_0000,
      level: 2,
      contiguous: true,
      valid: true,
      attributes: 0xcc880e0ac0800000n,
      tableAttributes: 3,
    },
    {
      va: 0xfff0_0000_4020_0000n,
      pa: 0xf_ffff_ffff_f000,
      size: 0x1000,
      level: 3,
      contiguous: false,
      valid: false,
      attributes: 0n,
      tableAttributes: 0,
    },
  ],
  tables: [{ pa: 0x7ffff000, level: -1, va: 0xfff0_0000_0000_0000n, attributes: 0n }],
  malformed: [
    { va: 0n, level: 0, at: 0x41000008, descriptor: 0x2n, reason: 'Two words, and more.' },
    { va: 1n, level: 3, descriptor: 0n, reason: 'A register.' },
  ],
};

const registers = {
  TTBR0_EL1: 0n,
  TTBR1_EL1: 2n ** 64n - 1n,
  TCR_EL1: 5n,
  MAIR_EL1: 6n,
  SCTLR_EL1: 1n,
};

const counts = Object.fromEntries(
  rsiFunctions.map((name, index) => [name, { calls: index, refused: 0 }]),
);

const monitor: MonitorView = {
  state: 'running',
  world: 'realm',
  ipaBits: 40,
  cpusEntered: [0],
  regions: [sizedRange(0x4000_0000, 0x4000_0000)],
  stage2: { root: 0x8040_0000, control: 0x80053558n },
  rsi: counts as MonitorView['rsi'],
  psciCalls: 1,
  unknownCalls: 2,
  idReads: 3,
  undefinedInstructions: 4,
  granulesShared: 5,
  granulesMadePrivate: 6,
  aborts: [
    {
      time: 1n,
      kind: 'alias of RAM that is not shared',
      ipa: 2 ** 39 + 0x4000_0000,
      far: 2n ** 64n - 1n,
      elr: 3n,
      spsr: 0n,
      esr: 0x96000010,
      link: 4n,
      cpu: 0,
      ripas: 'RAM',
    },
  ],
  totalAborts: 1,
  totalCalls: 45,
  ripas: [{ ...sizedRange(0x4000_0000, 0x4000_0000), ripas: 'RAM' }],
  lastWords: '',
};

const evidence: Evidence = {
  captures: [
    {
      checkpoint: 'paging_init',
      cpus: [{ online: true, registers }],
      ttbr1: walk,
      variables: { memstart_addr: 3n },
    },
    {
      checkpoint: 'init',
      cpus: [{ online: false, registers }],
      ttbr1: walk,
      ttbr0: { leaves: [], tables: [], malformed: [] },
      variables: {},
      memblock: [{ ...sizedRange(0x4000_0000, 4096), flags: 4 }],
      monitor,
    },
  ],
  splitRequests: [{ start: 1n, end: 2n, before: 'init' }],
  sharing: [
    {
      start: 0xfff0_0000_3a90_0000n,
      pages: 256,
      direction: 'decrypt',
      capabilitiesFinal: false,
      onlineCpus: 1,
      pageAllocator: true,
      caller: 'swiotlb_update_mem_attributes',
      before: 'free_initmem',
    },
  ],
  rsi: {
    calls: [
      {
        rsi: 'VERSION',
        arguments: [0x10000n, 0n, 0n, 0n],
        results: [0n, 1n, 1n],
        cpu: 1,
        before: 'free_initmem',
      },
    ],
    lost: 2,
  },
  monitor: { ...monitor, totalCalls: 46 },
  files: {
    '/proc/iomem': 'text\n',
    '../../etc/passwd': '0x12',
    '/proc/IOMEM': 'other',
    __proto__x: '',
    '///': 'root',
  },
  probes: [{ probe: 'memfd_secret', errno: 38, call: '0x1', pages: [4096] }],
  guestProblems: ['0x1234'],
  hostWaitSeconds: 1.5,
  console: 'a\u001b[31mb',
  end: { kind: 'panic', reason: '0xdead', lastCheckpoint: 'init' },
  image: { pa: 0x40200000, slide: 0n },
  idRegisters: [{ ID_AA64MMFR2_EL1: 0x1n }],
};

t.test('loads what it stored, text of the guest as it was', (t) => {
  const directory = t.testdir();
  writeEvidence(directory, evidence);
  t.same(readEvidence(directory), evidence);
  t.end();
});

t.test('names of guest files stay inside the folder and do not collide', (t) => {
  const directory = t.testdir({ case: {} });
  writeEvidence(`${directory}/case`, evidence);
  t.same(readdirSync(directory), ['case']);
  t.equal(readdirSync(`${directory}/case/files`).length, 5);
  t.end();
});

t.test('a folder that cannot be written is the fault of the host', (t) => {
  const directory = t.testdir({ file: '' });
  t.throws(() => writeEvidence(`${directory}/file`, evidence), {
    name: 'PtdiffError',
    fault: 'host',
  });
  t.end();
});

t.test('the legend of a recorded walk is no part of it', async (t) => {
  const leaf = { va: 0xfff0_0000_0000_0000n, pa: 0x4000_0000, size: 0x20_0000, level: 2 as const };
  const walk = {
    leaves: [{ ...leaf, contiguous: false, valid: true, attributes: 0x401n, tableAttributes: 0 }],
    tables: [],
    malformed: [],
  };
  t.same(parseWalk(walkLegend + formatWalk(walk)), walk);
  t.same(parseWalk(formatWalk(walk, { fold: true })), walk);
  t.match(walkLegend, /^(# .*\n)+$/);
});
