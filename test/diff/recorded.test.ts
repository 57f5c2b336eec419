// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import t from 'tap';
import { bigintReviver } from '../../src/bigint-json.ts';
import { type CheckpointContext, checkpointContext, imageVa } from '../../src/diff/context.ts';
import { type JudgeInput, judge } from '../../src/diff/judge.ts';
import { _PAGE_END, _PAGE_OFFSET } from '../../src/linux/kernel-layout.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';
import { readFixture } from '../fixture.ts';
import { rewrite, withAttributes } from './synthetic.ts';

const recordings = ['6.12.107-cortex-a76-kaslr', '7.3.4-neoverse-v3-r0p2-noalias-kfence-kaslr'];

/**
 * What the files hold: what was kept of judge()'s input before it had complaints, calls of a realm
 * and the alias bit.
 */
interface Recording extends Pick<JudgeInput, 'release' | 'scenario'> {
  schema: 2;
  evidence: JudgeInput['boot']['evidence'];
  boot: Omit<JudgeInput['boot'], 'aliasBit' | 'layout' | 'evidence'>;
  prediction: Omit<JudgeInput['prediction'], 'complaints' | 'rsi'>;
}

/** A recorded boot, fresh for each call; see fixtures/README.md. */
function recorded(name: string): JudgeInput {
  const path = join(import.meta.dirname, 'fixtures', `${name}.json.gz`);
  const { evidence, boot, prediction, scenario, release } = readFixture<Recording>(
    path,
    2,
    bigintReviver,
  );
  // Stock kernels of Debian: CONFIG_ARM64_VA_BITS=52, where VA_BITS_MIN is 48 with 4K pages.
  const layout = { pageOffset: _PAGE_OFFSET(52), pageEnd: _PAGE_END(48) };
  return {
    prediction: { complaints: [], rsi: [], ...prediction },
    boot: { aliasBit: 0, ...boot, layout, evidence },
    release,
    scenario,
    knownIssues: [],
  };
}

/** Judges a recorded boot after its tables at init were changed. */
function idsAfter(name: string, change: (context: CheckpointContext) => void): string[] {
  const input = recorded(name);
  const capture = input.boot.evidence.captures.find(({ checkpoint }) => checkpoint === 'init');
  if (!capture) throw new Error(`${name} has no capture at init`);
  change(checkpointContext(input.boot, capture));
  return judge(input).findings.map(({ id }) => id);
}

/** The largest valid run of the linear map, where ordinary memory is. */
function ordinary({ capture, linear }: CheckpointContext): LeafRun {
  const runs = capture.ttbr1.leaves.filter(
    (run) => run.va >= linear.start && run.va < linear.end && run.valid,
  );
  return runs.reduce((most, run) => (run.size > most.size ? run : most));
}

for (const name of recordings) {
  t.test(name, (t) => {
    t.test('passes, at all checkpoints', (t) => {
      const { verdict, findings, notPredicted, linearMap } = judge(recorded(name));
      t.same(
        { verdict, findings, notPredicted },
        { verdict: 'pass', findings: [], notPredicted: [] },
      );
      t.same(Object.keys(linearMap), ['paging_init', 'free_initmem', 'init']);
      t.end();
    });

    const middle = (context: CheckpointContext) => {
      const { va, size, level } = ordinary(context);
      const entry = { 3: 4096, 2: 2 ** 21 }[level as 2 | 3];
      return { va: va + BigInt(Math.floor(size / entry / 2) * entry), entry };
    };
    const atMiddle =
      (change: (leaf: LeafRun) => LeafRun | undefined) => (context: CheckpointContext) => {
        const { va, entry } = middle(context);
        rewrite(context, va, entry, change);
      };
    const mutations: [string, (context: CheckpointContext) => void, string[]][] = [
      [
        'one leaf is gone',
        atMiddle(() => undefined),
        [
          'mismatch/linear-map/memory/missing@init',
          'invariant/linear-map-is-ram/ram-not-mapped@init',
        ],
      ],
      [
        'one leaf points to its neighbour',
        atMiddle((leaf) => ({ ...leaf, pa: leaf.pa + leaf.size })),
        [
          'mismatch/linear-map/memory/wrong-address@init',
          'invariant/linear-map-is-ram/wrong-address@init',
        ],
      ],
      [
        'one leaf lost its PXN bit',
        atMiddle((leaf) => withAttributes(leaf, leaf.attributes & ~(1n << 53n))),
        // PXNTable above keeps it from being executable where the hierarchy counts, that is,
        // without permission indirection.
        [
          'mismatch/linear-map/memory/executable@init',
          ...(name.startsWith('6.12')
            ? []
            : [
                'invariant/write-xor-execute/writable-executable@init',
                'invariant/linear-map-not-executable/executable@init',
              ]),
        ],
      ],
      [
        'one leaf is non-cacheable',
        atMiddle((leaf) =>
          withAttributes(leaf, leaf.attributes ^ ((leaf.attributes ^ (2n << 2n)) & (7n << 2n))),
        ),
        [
          'mismatch/linear-map/memory/memory-type@init',
          'invariant/linear-map-memory-type/not-write-back@init',
        ],
      ],
      [
        'one page of kernel text became writable in the image',
        (context) =>
          rewrite(context, imageVa(context.image, '_stext'), 4096, (leaf) =>
            withAttributes(leaf, (leaf.attributes & ~(1n << 7n)) | (1n << 51n) | (1n << 53n)),
          ),
        ['invariant/kernel-text-read-only/text-writable@init'],
      ],
      [
        'coherent DMA memory is not declared',
        (context) => {
          context.evidence.files['/proc/vmallocinfo'] = '';
        },
        ['free_initmem', 'init'].map(
          (checkpoint) => `invariant/aliases-agree/non-cacheable-and-write-back@${checkpoint}`,
        ),
      ],
      [
        'a table descriptor changed',
        (context) => {
          const table = context.capture.ttbr1.tables.findLast(
            ({ va, level }) => level === 3 && va < context.linear.end,
          );
          if (table) table.attributes ^= 1n << 61n;
        },
        ['mismatch/tables/attributes@init'],
      ],
    ];
    for (const [what, change, ids] of mutations) {
      t.test(what, (t) => {
        t.same(idsAfter(name, change), ids);
        t.end();
      });
    }
    t.end();
  });
}
