// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  descriptorOf,
  type PtdumpAttributes,
  type PtdumpRun,
  parsePtdump,
  ptdumpAttributes,
  ptdumpLevels,
} from '../../src/linux/ptdump.ts';
import { permissions } from '../../src/vmsa/permissions.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';
import { walk } from '../../src/vmsa/walk.ts';
import { given } from '../given.ts';
import { type Recorded, recorded } from './recorded-ptdump.ts';

function walkRecorded({ registers, tables }: Recorded) {
  const values = Object.entries(registers).map(([name, value]) => [name, BigInt(value)]);
  const regime = stage1Regime(Object.fromEntries(values), 'ttbr1');
  const pages = new Map(
    tables.map(({ pa, content }) => [pa, Uint8Array.from(Buffer.from(content, 'base64')).buffer]),
  );
  const table = (pa: number, bytes: number) => {
    const page = pages.get(pa);
    return page && new Uint32Array(page, 0, bytes / 4);
  };
  return { regime, result: walk(regime, { size: 2 ** 27, table }) };
}

/** What the kernel prints of leaf runs: physical addresses do not matter to it. */
function asPrinted(runs: LeafRun[]): PtdumpRun[] {
  return runs.map((run) => ({
    start: run.va,
    end: run.va + BigInt(run.size),
    level: given(ptdumpLevels[run.level + 1]),
    attributes: ptdumpAttributes(run.attributes),
  }));
}

/** Lines that touch and say the same become one; holes are left out. */
function folded(runs: PtdumpRun[]): PtdumpRun[] {
  const result: PtdumpRun[] = [];
  for (const run of runs) {
    if (run.attributes === undefined) continue;
    const last = result.at(-1);
    const same =
      last?.level === run.level &&
      JSON.stringify(last.attributes) === JSON.stringify(run.attributes);
    if (last !== undefined && same && last.end === run.start) last.end = run.end;
    else result.push({ ...run });
  }
  return result;
}

for (const name of ['a76', 'v3']) {
  t.test(`the walk from outside and the guest's own dump agree: ${name}`, (t) => {
    const record = recorded(name);
    const dump = parsePtdump(record.dump);
    const { regime, result } = walkRecorded(record);
    t.same(dump.unreadable, [], 'every line is read');
    t.same(result.malformed, []);
    t.ok(result.leaves.length > 20 && result.tables.length === record.tables.length);
    t.same(folded(asPrinted(result.leaves)), folded(dump.runs));
    const writable = result.leaves.filter((run) => permissions(regime, run).el1.write);
    t.ok(writable.length > 10);
    t.notOk(
      writable.some((run) => permissions(regime, run).el1.execute),
      'W^X holds',
    );
    t.ok(
      result.leaves.some((run) => permissions(regime, run).el1.execute),
      'and the kernel can run',
    );
    t.end();
  });
}

t.test('a descriptor shows what it was made of', (t) => {
  const lines = ['a76', 'v3'].flatMap((name) => parsePtdump(recorded(name).dump).runs);
  for (const { level, attributes } of lines) {
    if (attributes === undefined) continue;
    const made = ptdumpAttributes(descriptorOf(attributes, level === 'PTE' ? 3 : 2));
    t.same(made, attributes);
  }
  const nameless = {
    ...given(lines.find((line) => line.attributes)).attributes,
    memory: undefined,
  };
  t.equal(ptdumpAttributes(descriptorOf(nameless as PtdumpAttributes, 3)).memory, undefined);
  t.end();
});

t.test('markers and holes have their place', (t) => {
  const { runs, markers } = parsePtdump(recorded('v3').dump);
  t.match(markers[0], { name: 'Linear Mapping start', before: 0 });
  const end = markers.find((marker) => marker.name === 'Linear Mapping end');
  t.equal(given(runs[end?.before ?? 0]).start, 0xffff_8000_0000_0000n);
  t.match(runs.at(-1), {
    start: 0xffff_ffff_ff80_0000n,
    end: 2n ** 64n,
    level: 'PMD',
    attributes: undefined,
  });
  t.ok(
    runs.some((run) => run.attributes?.block && run.attributes.contiguous),
    'blocks of contiguous groups',
  );
  t.ok(
    runs.some((run) => run.attributes?.valid === false),
    'entries that are present but not valid',
  );
  t.ok(
    runs.every((run, index) => index === 0 || given(runs[index - 1]).end === run.start),
    'no gap between lines',
  );
  t.end();
});

t.test('what is not a line of the dump is counted, and the rest is read', (t) => {
  const lines = recorded('a76').dump.split('\n').slice(0, 4);
  const noisy = [
    lines[0],
    '[    1.234] hello',
    given(lines[1]).slice(0, 75),
    lines[1],
    lines[2],
    '\u001b[2J',
    lines[3],
    '',
  ];
  const { runs, unreadable } = parsePtdump(noisy.join('\r\n'));
  t.same(unreadable, [2, 3, 6]);
  t.equal(runs.length, 3);
  const flood = parsePtdump('x'.repeat(1000).concat('\n').repeat(5000));
  t.equal(flood.unreadable.length, 100);
  t.same(parsePtdump(''), { runs: [], markers: [], unreadable: [] });
  t.end();
});

t.test('every column is read from its place', (t) => {
  const line = (columns: string) =>
    parsePtdump(`0xffff000000000000-0xffff000000200000           2M PMD ${columns}`).runs[0]
      ?.attributes;
  t.same(line('F USR ro NX SHD AF NG CON BLK UXN GP DEVICE/nGnRnE'), {
    valid: false,
    user: true,
    readOnly: true,
    pxn: true,
    shared: true,
    accessed: true,
    notGlobal: true,
    contiguous: true,
    block: true,
    uxn: true,
    guarded: true,
    memory: 'DEVICE/nGnRnE',
  });
  const bare = [' ', '   ', 'RW', 'x ', '   ', '  ', '  ', '   ', '   ', '   ', '  '].join(' ');
  t.match(line(bare), {
    valid: true,
    user: false,
    readOnly: false,
    pxn: false,
    guarded: false,
    memory: undefined,
  });
  t.equal(line(bare.slice(0, -1)), undefined, 'a line that was cut short');
  t.equal(line('F USR ro NX SHD AF NG CON BLK UXN GP NONSENSE'), undefined);
  t.end();
});
