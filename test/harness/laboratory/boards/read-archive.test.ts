// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { readArchive } from '../../../../harness/laboratory/boards/read-archive.ts';
import { PtdiffError } from '../../../../src/errors.ts';
import { boardMembers } from '../../../../src/evidence/board.ts';
import { given } from '../../../given.ts';
import { numbersOf } from '../../../random.ts';
import { archiveOf, type Member, membersOfTar, packed, tarOf } from './board-archive.ts';

/** Of a guest with Debian's 7.3.4, KASLR and one CPU `max`, made by `collect` inside it. */
const real = readFileSync(
  join(import.meta.dirname, '../../../evidence/fixtures/board-7.3-max.tar.gz'),
);
const tar = gunzipSync(real);
const members = membersOfTar(tar);
const bytesOf = (name: string): Buffer => given(members.get(name));

/** Reads bytes as an archive in a file. */
async function read(directory: string, bytes: Uint8Array): ReturnType<typeof readArchive> {
  const path = join(directory, 'board.tar.gz');
  writeFileSync(path, bytes);
  return readArchive(path);
}

/** Every refusal is one line that can be printed, names the file, and is a sentence. */
function isSentence(error: unknown): boolean {
  return (
    error instanceof PtdiffError &&
    error.fault === 'usage' &&
    /^[ -~…]+board\.tar\.gz[ -~…]+\.$/.test(error.message) &&
    error.message.length < 600
  );
}

const withMember = (name: string, bytes: Uint8Array): Buffer =>
  archiveOf(new Map(members).set(name, Buffer.from(bytes)));
const asFiles = (): Member[] => [...members].map(([name, bytes]) => ({ name, bytes }));

t.test('a real archive is read whole, packed or not', async (t) => {
  const directory = t.testdir();
  for (const bytes of [real, tar, archiveOf(members)]) {
    const board = await read(directory, bytes);
    t.match(board.collected, { source: 'kcore', walks: 2, settled: true, lost: { length: 0 } });
    t.match(board.vmcoreinfo, {
      release: '7.3.4+deb13-arm64',
      granule: 4096,
      vaBits: 52,
      t1sz: 12,
    });
    t.match(board.root, { pa: 0x428f9000, entries: 16 });
    t.equal(board.descriptors.length, 121);
    t.same(board.memory, [{ start: 2 ** 30, end: 2 ** 31, flags: 0, node: 0 }]);
    t.equal(board.reserved?.length, 35);
    t.match(board.cpus, [{ cpu: 0, online: true, registers: { MIDR_EL1: 0xf0510n } }]);
    t.equal(board.variables.memstart_addr, 0x40000000n);
    t.match(board.secret, [{ start: 0x4507d000, end: 0x45083000 }]);
    t.match(board.files['/proc/iomem'], /Kernel code/);
    t.equal(board.fdt?.length, 36246);
  }
});

t.test('what no collect writes ends in one sentence', async (t) => {
  const directory = t.testdir();
  const text = (name: string): string => bytesOf(name).toString();
  const file = (name: string, bytes: string | Uint8Array = ''): Member => ({
    name,
    bytes: Buffer.from(bytes),
  });
  // A gigabyte of them, in members of a file of gzip as any number may follow each other.
  const zeroes = Buffer.concat(Array<Buffer>(64).fill(packed(Buffer.alloc(2 ** 24))));
  const refused: [string, Uint8Array, RegExp][] = [
    ['nothing', Buffer.alloc(0), /not a whole archive/],
    ['text', Buffer.from('hello'), /not a whole archive/],
    ['cut short', real.subarray(0, -200), /not a whole archive/],
    ['cut in tar', tar.subarray(0, 20_000), /not a whole archive/],
    [
      'a symbolic link',
      tarOf([...asFiles(), { ...file('Image'), type: '2', link: '/etc/shadow' }]),
      /'Image' in it is no file, but SymbolicLink/,
    ],
    [
      'a link',
      tarOf([...asFiles(), { ...file('Image'), type: '1', link: 'fdt' }]),
      /no file, but Link/,
    ],
    ['a folder', tarOf([...asFiles(), { ...file('x'), type: '5' }]), /no file, but Directory/],
    [
      'a device',
      tarOf([...asFiles(), { ...file('fdt2'), type: '3' }]),
      /no file, but CharacterDevice/,
    ],
    [
      'an absolute name',
      tarOf([...asFiles(), file('/etc/passwd')]),
      /'\/etc\/passwd' in it belongs to no archive/,
    ],
    ['a way out', tarOf([...asFiles(), file('../fdt')]), /'\.\.\/fdt' in it belongs/],
    ['escapes', tarOf([...asFiles(), file('\x1b[31mred\x07\n')]), /'\?\[31mred\?\?' in it/],
    ['twice', tarOf([...asFiles(), file('cmdline')]), /'cmdline' in it is there twice/],
    [
      'a large file',
      withMember('iomem', Buffer.alloc(5 * 2 ** 20, 'x')),
      /'iomem' in it is larger/,
    ],
    ['zeroes', zeroes, /more than any archive has/],
    ['a gigabyte of one', tarOf([{ ...file('Image'), size: 2 ** 30 }]), /larger than it can be/],
    ['no JSON', withMember('collect.json', Buffer.from('{')), /collect\.json is not JSON/],
    [
      'a later schema',
      withMember('collect.json', Buffer.from('{"schema":2}')),
      /schema 2.*use a newer one/,
    ],
    [
      'more in it',
      withMember('collect.json', Buffer.from(text('collect.json').replace('{', '{"a":1,'))),
      /collect\.json is wrong/,
    ],
    [
      'a wrong level',
      withMember('descriptors', Buffer.from(text('descriptors').replace('\n3 ', '\n4 '))),
      /number from -1 to 3/,
    ],
    ['no root', withMember('descriptors', Buffer.from('')), /names no root/],
    [
      'a field too few',
      withMember('descriptors', Buffer.from('root 1000\n')),
      /has 2 fields, not 3/,
    ],
    [
      '0x',
      withMember('memblock', Buffer.from('memory 0x40000000 1 0 0\n')),
      /no hexadecimal number as field 2/,
    ],
    [
      'an overlap',
      withMember('memblock', Buffer.from('memory 0 2000 0 0\nmemory 1000 2000 0 0\n')),
      /overlaps/,
    ],
    ['no end', withMember('memblock', Buffer.from('memory 0 2000 0 0')), /has no end/],
    [
      'an unknown variable',
      withMember('variables', Buffer.from('jiffies 00\n')),
      /line 1 of variables/,
    ],
    [
      'a short variable',
      withMember('variables', Buffer.from('memstart_addr 00\n')),
      /has 1 bytes, not 8/,
    ],
    [
      'a CPU twice',
      withMember('cpus', Buffer.from('0 online A_B=1\n0 online A_B=1\n')),
      /number from 1/,
    ],
    [
      'a name of a CPU',
      withMember('cpus', Buffer.from('0 online __proto__=1\n')),
      /has no register/,
    ],
    [
      'no T1SZ',
      withMember('vmcoreinfo', Buffer.from(text('vmcoreinfo').replace(/.*T1SZ.*\n/, ''))),
      /no NUMBER\(TCR_EL1_T1SZ\)/,
    ],
    [
      'odd pages',
      withMember('vmcoreinfo', Buffer.from(text('vmcoreinfo').replace('=4096', '=8192'))),
      /8192 bytes/,
    ],
    ['all secret', withMember('secret', Buffer.from('0 fffffffff000\n')), /secret/],
  ];
  for (const [what, bytes, message] of refused) {
    const error = await read(directory, bytes).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    t.ok(isSentence(error), `${what}: ${String(error)}`);
    t.match(String(error), message, what);
  }
  await t.rejects(readArchive(join(directory, 'none')), {
    fault: 'usage',
    message: /no such file/,
  });
  await t.rejects(readArchive(directory), { fault: 'usage', message: /it is a directory/ });
});

/** One of the ways in which a file breaks. */
function damage(below: (limit: number) => number): Buffer {
  const flip = (bytes: Uint8Array, count: number): Buffer => {
    const broken = Buffer.from(bytes);
    for (let done = 0; done < count && broken.length > 0; done++) {
      const at = below(broken.length);
      broken[at] = given(broken[at]) ^ (1 << below(8));
    }
    return broken;
  };
  const names = [...members.keys()];
  const name = given(names[below(names.length)]);
  const own = bytesOf(name);
  const cut = (bytes: Buffer): Buffer => bytes.subarray(0, below(bytes.length));
  const lines = own.toString('latin1').split('\n');
  const line = below(lines.length);
  const fields = given(lines[line]).split(' ');
  const odd = ['ffffffffffffffff', '0', '-1', '', '\x1b[2J', '10000000000000', '__proto__', 'x'];
  fields[below(fields.length)] = given(odd[below(odd.length)]);
  const edited = lines.with(line, fields.join(' ')).join('\n');
  const ways = [
    () => flip(real, 1 + below(8)),
    () => packed(flip(tar, 1 + below(8))),
    () => cut(real),
    () => packed(cut(tar)),
    () => withMember(name, flip(own, 1 + below(4))),
    () => withMember(name, cut(own)),
    () => withMember(name, Buffer.from(edited, 'latin1')),
    () => withMember(name, Buffer.concat([own, own])),
    () => archiveOf(new Map([...members].filter(([other]) => other !== name))),
    () => withMember(given([...boardMembers][below(boardMembers.size)]), own),
  ];
  return given(ways[below(ways.length)])();
}

t.test('a damaged archive is read, or ends in one sentence', async (t) => {
  const directory = t.testdir();
  const number = numbersOf(15);
  const told = { read: 0, refused: 0 };
  for (let round = 0; round < 600; round++) {
    const bytes = damage((limit) => Math.floor(number() * limit));
    try {
      await read(directory, bytes);
      told.read++;
    } catch (error) {
      if (!isSentence(error)) throw new Error(`round ${round}: ${String(error)}`, { cause: error });
      told.refused++;
    }
  }
  t.ok(told.read > 50 && told.refused > 200, JSON.stringify(told));
});
