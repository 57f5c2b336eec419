// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { findIomem, hidesAddresses, parseIomem } from '../../src/linux/iomem.ts';
import { parseKconfig } from '../../src/linux/kconfig.ts';
import { parseVmallocinfo } from '../../src/linux/vmallocinfo.ts';
import { anyCharacter } from '../any-character.ts';
import { given } from '../given.ts';

function recorded(name: string): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', 'proc', name), 'utf8');
}

t.test('iomem: a tree of resources', async (t) => {
  for (const [kernel, code, data] of [
    ['6.12.107', [0x40200000, 0x41f20000], [0x42230000, 0x426f0000]],
    ['7.3.4', [0x40200000, 0x42900000], [0x42d00000, 0x43440000]],
  ] as const) {
    const entries = parseIomem(recorded(`iomem-${kernel}`));
    const ranges = (name: string) => findIomem(entries, name).map(({ start, end }) => [start, end]);
    t.strictSame(ranges('System RAM'), [[0x40000000, 0x80000000]], kernel);
    t.strictSame(ranges('Kernel code'), [code], kernel);
    t.strictSame(ranges('Kernel data'), [data], kernel);
    const ram = entries.find(({ name }) => name === 'System RAM');
    t.equal(ram?.children.length, recorded(`iomem-${kernel}`).match(/^ {2}4|^ {2}7/gm)?.length);
    t.equal(given(findIomem(entries, 'rtc-pl031')[0]).start, 0x9010000, 'inside its parent');
    t.notOk(hidesAddresses(entries));
  }
  t.ok(
    hidesAddresses(
      parseIomem('00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n'),
    ),
  );
  t.strictSame(
    given(findIomem(parseIomem('8000000000-80ffffffff : System RAM\n'), 'System RAM')[0]).end,
    0x8100000000,
  );
  t.strictSame(parseIomem('rubbish\n9-3 : backwards\n'), []);
});

t.test('vmallocinfo: areas with caller, pages, physical address and flags', async (t) => {
  for (const kernel of ['6.12.107', '7.3.4']) {
    const text = recorded(`vmallocinfo-${kernel}`);
    const areas = parseVmallocinfo(text);
    t.equal(areas.length, text.trim().split('\n').length, 'every line');
    t.ok(areas.every(({ start, end }) => end > start));
    t.ok(areas.every(({ flags }) => flags.length > 0));
  }
  const areas = parseVmallocinfo(recorded('vmallocinfo-7.3.4'));
  t.strictSame(areas[0], {
    start: 0xffff800080000000n,
    end: 0xffff8000812e0000n,
    caller: 'paging_init',
    pages: undefined,
    phys: 0x40200000n,
    flags: ['vmap'],
  });
  t.match(areas[7], { caller: 'start_kernel', pages: 4, phys: undefined, flags: ['vmalloc'] });
  t.match(parseVmallocinfo('0xffff800000000000-0xffff800000400000 4194304 vm_map_ram\n')[0], {
    caller: undefined,
    flags: ['vm_map_ram'],
  });
  t.strictSame(parseVmallocinfo('0xzz-0xff 12 f+0x1/0x2\n\n'), []);
});

t.test('.config: set, unset, strings', async (t) => {
  const config = parseKconfig(
    'CONFIG_ARM64=y\nCONFIG_FOO=m\n# CONFIG_BAR is not set\nCONFIG_ARM64_VA_BITS=52\nCONFIG_CMDLINE="a \\"b\\" \\\\c"\n# a comment\nrubbish\n',
  );
  t.strictSame(
    [...config],
    [
      ['CONFIG_ARM64', 'y'],
      ['CONFIG_FOO', 'm'],
      ['CONFIG_BAR', 'n'],
      ['CONFIG_ARM64_VA_BITS', '52'],
      ['CONFIG_CMDLINE', 'a "b" \\c'],
    ],
  );
});

t.test('hostile text never throws', async (t) => {
  const parsers = [parseIomem, parseVmallocinfo, parseKconfig];
  const pieces = fc.constantFrom(
    '0x',
    'ffff',
    '-',
    ' : ',
    '\n',
    '  ',
    '=',
    'CONFIG_',
    'pages=',
    'phys=',
    '9'.repeat(40),
  );
  const text = fc
    .array(fc.oneof(pieces, fc.string({ unit: anyCharacter })), { maxLength: 60 })
    .map((parts) => parts.join(''));
  fc.assert(fc.property(text, (hostile) => parsers.every((parse) => parse(hostile) !== undefined)));
  t.pass();
});
