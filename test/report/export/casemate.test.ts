// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRecording } from '../../../results/recording-file.ts';
import { followRecording } from '../../../src/evidence/follow-recording.ts';
import { casemateTrace } from '../../../src/report/export/casemate.ts';
import { Events, kinds } from '../../evidence/recorded-events.ts';
import { given } from '../../given.ts';

// A boot of debian:6.12 (6.12.117+deb13-arm64) in the scenario max, up to paging_init.
const folder = join(import.meta.dirname, '..', 'fixtures', 'recording');

/** What casemate-check's parser takes (src/casemate-check-c/src/parser.c of 3.0.2). */
const grammar = new RegExp(
  `^\\((?:${[
    'mem-init ID \\(address HEX\\) \\(size 0x1000\\)',
    'mem-write ID \\(mem-order plain\\) \\(address (HEX)\\) \\(value (HEX)\\)',
    'sysreg-write ID \\(sysreg ttbr0_el2\\) \\(value HEX\\)',
    'barrier ID (?:isb|dsb \\(kind (?:ish|ishst)\\))',
    'tlbi ID (?:alle2is|vae2is \\(value HEX\\)|vale2is \\(value HEX\\))',
  ].join('|')}) \\(src "[^":\\s]+:0"\\)\\)$`
    .replaceAll('ID', '\\(id \\d+\\) \\(tid [0-3]\\)')
    .replaceAll('HEX', '0x[0-9a-f]{1,16}'),
);

t.test('a recorded boot: every record is of the grammar, and nothing changes unseen', (t) => {
  const recording = given(readRecording(folder));
  const trace = casemateTrace(recording);
  const lines = trace.trimEnd().split('\n');
  const memory = new Map<number, bigint>();
  let wrong = 0;
  for (const line of lines) {
    const [match, address, value] = grammar.exec(line) ?? [];
    if (match === undefined) wrong++;
    if (address !== undefined) memory.set(Number(address), BigInt(given(value)));
  }
  t.equal(wrong, 0);
  const live = lines.findIndex((line) => line.startsWith('(sysreg-write'));
  const excerpt = [...lines.slice(0, 4), '...', ...lines.slice(live - 1, live + 24), '...'];
  const sum = createHash('sha256').update(trace).digest('hex');
  const summary = [...excerpt, ...lines.slice(-2), `${lines.length} records, SHA-256 ${sum}`, ''];
  t.equal(summary.join('\n'), readFileSync(join(folder, 'casemate.txt'), 'utf8'));

  // What casemate was told is what the recorder saw, in each table that it was told of.
  const { reader } = followRecording(recording);
  let [same, other] = [0, 0];
  for (const { pa, upper, level, words } of reader.tables.values()) {
    if (!upper || level < 1) continue;
    for (let at = 0; at < words.length; at += 2) {
      const word = (BigInt(given(words[at + 1])) << 32n) | BigInt(given(words[at]));
      if ((memory.get(pa + 4 * at) ?? 0n) === word) same++;
      else other++;
    }
  }
  t.equal(other, 0);
  t.ok(same > 200_000);
  t.end();
});

const insns = {
  store: 0xf9000001,
  tcr: 0xd5182040,
  ttbr1: 0xd5182020,
  dsbIshst: 0xd5033a9f,
  dsbIsh: 0xd5033b9f,
  dsbNsh: 0xd503379f,
  dsbIshld: 0xd503399f,
  isb: 0xd5033fdf,
  vaale1is: 0xd50883e0,
  vaae1: 0xd5088760,
  rvaale1is: 0xd50882e0,
  vmalle1: 0xd508871f,
  vmalle1is: 0xd508831f,
} as const;
type Insn = keyof typeof insns;
/** An instruction with what it writes: of a store, the index of the entry, too. */
type Step = [insn: Insn, value?: bigint, index?: bigint] | ['cpu', bigint];

const root = 0x4000_1000;
const pte = 0x4000_2000;
const page = 0xe8_0000_4021_0703n;

/**
 * The trace of a boot whose root has 39 bits and one table of level 2, itself with one of 3.
 * @param above a table of level 1 below a root of level 0: addresses of 48 bits
 */
function traceOf(steps: readonly Step[], tg1 = 2n, above = false): string[] {
  const events = new Events();
  const names = Object.keys(insns) as Insn[];
  for (const name of names) events.add(kinds.site).change(0n).add(insns[name]);
  const last = new Map<string, bigint>();
  const change = (what: string, value: bigint) => {
    events.change(value - (last.get(what) ?? 0n));
    last.set(what, value);
  };
  const write = (what: Insn, value: bigint) => {
    events.add(
      what === 'tcr' || what === 'ttbr1' ? kinds.msr : kinds.tlbi,
      names.indexOf(what) + 1,
    );
    change(what, value);
  };
  const table = (pa: number, level: number, index: number, value: bigint) =>
    events.add(kinds.table, (pa - 0x4000_0000) / 8, level + 1, 1, 512, 1, index, value);
  events.add(kinds.cpu, 0);
  write('tcr', ((above ? 16n : 25n) << 16n) | (tg1 << 30n));
  if (above) table(root, 0, 511, 0x4000_4003n);
  table(above ? 0x4000_4000 : root, 1, 511, 0x4000_3003n);
  table(0x4000_3000, 2, 511, BigInt(pte) | 3n);
  table(pte, 3, 0, page);
  write('ttbr1', BigInt(root));
  for (const [what, value = 0n, index = 0n] of steps) {
    if (what === 'cpu') events.add(kinds.cpu, value);
    else if (what === 'store') {
      events.add(kinds.store, names.indexOf(what) + 1);
      change('table', above ? 4n : 3n);
      change('index', index);
      change('value', value);
    } else if (/^(dsb|isb)/.test(what)) events.add(kinds.barrier, names.indexOf(what) + 1);
    else write(what, value);
  }
  const recording = {
    functions: [],
    ramBase: 0x4000_0000,
    moments: [],
    sites: ['', ...names],
    callers: [],
    events: events.bytes,
  };
  return casemateTrace(recording)
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\((\S+) \(id \d+\) \(tid (\d)\) (.*) \(src .*$/, '$2 $1 $3'));
}

const begun = [
  '0 mem-init (address 0x3ffff000) (size 0x1000)',
  '0 mem-init (address 0x40001000) (size 0x1000)',
  '0 mem-init (address 0x40003000) (size 0x1000)',
  '0 mem-init (address 0x40002000) (size 0x1000)',
  '0 mem-write (mem-order plain) (address 0x40002000) (value 0xe8000040210703)',
  '0 mem-write (mem-order plain) (address 0x40003ff8) (value 0x40002003)',
  '0 mem-write (mem-order plain) (address 0x40001ff8) (value 0x40003003)',
  '0 mem-write (mem-order plain) (address 0x3ffffff8) (value 0x40001003)',
  '0 sysreg-write (sysreg ttbr0_el2) (value 0x3ffff000)',
];
/** The last 2 MiB, of which the table of level 3 translates the first page. */
const last = 0xffff_ffff_ffe0_0000n;
const operand = (last >> 12n) & ((1n << 44n) - 1n);

t.test('one CPU: barriers and invalidations in the words that casemate has', (t) => {
  t.same(
    traceOf([
      ['store', 0n],
      ['dsbIshst'],
      ['dsbIshld'],
      ['vaale1is', operand | (0b0111n << 44n)],
      ['dsbNsh'],
      ['isb'],
      ['vmalle1'],
      ['store', page + 0x1000n],
    ]),
    [
      ...begun,
      '0 mem-write (mem-order plain) (address 0x40002000) (value 0x0)',
      '0 barrier dsb (kind ishst)',
      '0 tlbi vale2is (value 0x700ffffffe00)',
      '0 barrier dsb (kind ish)',
      '0 barrier isb',
      '0 tlbi alle2is',
      '0 mem-write (mem-order plain) (address 0x40002000) (value 0xe8000040211703)',
    ],
  );
  t.end();
});

t.test('what reaches one of two CPUs alone is left out', (t) => {
  t.same(
    traceOf([
      ['isb'],
      ['cpu', 1n],
      ['ttbr1', BigInt(root)],
      ['dsbNsh'],
      ['vaae1', operand],
      ['vmalle1'],
      ['vmalle1is'],
      ['dsbIsh'],
    ]),
    [
      ...begun,
      '0 barrier isb',
      '1 sysreg-write (sysreg ttbr0_el2) (value 0x3ffff000)',
      '1 tlbi alle2is',
      '1 barrier dsb (kind ish)',
    ],
  );
  t.end();
});

t.test('a range is what is broken in it', (t) => {
  const lines = traceOf([
    ['store', page + 0x1000n, 1n],
    ['store', page + 0x2000n, 2n],
    ['store', 0n, 1n],
    ['store', 0n, 2n],
    // From the first page on, 2 pages of 4 KiB (DDI 0487 C5.5: scale 0, num 0).
    ['rvaale1is', ((last >> 12n) & ((1n << 37n) - 1n)) | (1n << 46n)],
  ]);
  t.same(
    lines.filter((line) => line.includes('tlbi')),
    ['0 tlbi vale2is (value 0xffffffe01)'],
  );
  t.end();
});

t.test('a root of 512 entries of 512 GiB stands for itself', (t) => {
  const lines = traceOf([['store', 0n]], 2n, true);
  t.same(lines.filter((line) => line.includes('mem-init')).length, 4, 'and no page before RAM');
  t.same(lines.slice(-4), [
    '0 mem-write (mem-order plain) (address 0x40004ff8) (value 0x40003003)',
    '0 mem-write (mem-order plain) (address 0x40001ff8) (value 0x40004003)',
    '0 sysreg-write (sysreg ttbr0_el2) (value 0x40001000)',
    '0 mem-write (mem-order plain) (address 0x40002000) (value 0x0)',
  ]);
  t.end();
});

t.test('what casemate does not know is refused', (t) => {
  t.throws(() => traceOf([], 1n), { fault: 'usage', message: /pages of other than 4 KiB\.$/ });
  t.throws(
    () =>
      traceOf([
        ['cpu', 4n],
        ['ttbr1', BigInt(root)],
      ]),
    /there are 5 CPUs\.$/,
  );
  t.end();
});
