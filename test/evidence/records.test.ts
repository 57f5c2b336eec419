// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { decodeRecords, guestTexts } from '../../src/evidence/records.ts';
import { given } from '../given.ts';
import {
  fileEnd,
  fileRecords,
  ramWith,
  recordTypes,
  type SentRecord,
} from '../linux/records-writer.ts';

const encoder = new TextEncoder();

function textRecord(type: number, name: string, text: string): SentRecord {
  return { type, name, payload: encoder.encode(text) };
}

for (const pageBytes of [4096, 16384, 65536]) {
  t.test(`files, probes and problems arrive over ${pageBytes}-byte pages`, async (t) => {
    const long = 'maps\n'.repeat(700_000); // more data pages than one index page of 4 KiB lists
    const { directory, read } = ramWith(
      [
        ...fileRecords('/proc/version', 'Linux version 7.3.4\n'),
        ...fileRecords('/proc/kallsyms', long, 60),
        ...fileRecords('/proc/modules', ''),
        fileEnd('/proc/config.gz', 2, 0),
        textRecord(
          recordTypes.probe,
          'memfd_secret',
          'call=ok\nerrno=0\npage=0x4500e000\npage=0x4500d000\n',
        ),
        textRecord(recordTypes.probe, 'virtio-rng', 'call=ok\nerrno=0\ndata=00ff\n'),
        textRecord(recordTypes.probe, 'refused', 'call=mmap\nerrno=12\n'),
        textRecord(recordTypes.problem, '/sys', 'mount failed: Invalid argument'),
      ],
      pageBytes,
    );
    const report = decodeRecords(directory, read);
    t.strictSame(report.damage, []);
    t.equal(report.nonce, 0x1234n);
    const texts = guestTexts(report);
    t.equal(texts['/proc/version'], 'Linux version 7.3.4\n');
    t.equal(texts['/proc/kallsyms'], long);
    t.equal(texts['/proc/modules'], '', 'empty is not absent');
    t.notOk('/proc/config.gz' in texts);
    t.equal(report.files.get('/proc/config.gz')?.errno, 2, 'absent, and it was asked for');
    t.strictSame(report.probes, [
      { probe: 'memfd_secret', call: 'ok', errno: 0, pages: [0x4500e000, 0x4500d000] },
      { probe: 'virtio-rng', call: 'ok', errno: 0, pages: [], data: '00ff' },
      { probe: 'refused', call: 'mmap', errno: 12, pages: [] },
    ]);
    t.strictSame(report.problems, [{ where: '/sys', what: 'mount failed: Invalid argument' }]);
  });
}

t.test('a file that is sent again replaces the first', async (t) => {
  const { directory, read } = ramWith([
    ...fileRecords('dmesg', 'early', 2),
    ...fileRecords('dmesg', 'late', 2),
  ]);
  t.equal(guestTexts(decodeRecords(directory, read)).dmesg, 'late');
});

t.test('a guest that died in a file leaves what it had sent, marked as cut', async (t) => {
  const { directory, read } = ramWith(
    fileRecords('/proc/iomem', '40000000-7fffffff : System RAM\n', 2).slice(0, 2),
  );
  const file = decodeRecords(directory, read).files.get('/proc/iomem');
  t.equal(file?.cut, true);
  t.equal(file?.bytes.length, 31);
});

t.test('a directory that is none is one sentence', async (t) => {
  const { directory, read } = ramWith([]);
  const report = (at: number, value: number) => {
    const damaged = directory.slice();
    damaged[at] = value;
    return decodeRecords(damaged, read);
  };
  t.match(decodeRecords(new Uint8Array(8), read).damage, [/cut short/]);
  t.match(report(0, 0).damage, [/no record directory/]);
  t.match(report(8, 9).damage, [/version 9/]);
  t.match(report(12, 1).damage, [/pages of 4097 bytes/]);
  t.match(report(29, 1).damage, [/claims 1099511627776 bytes/]);
  t.equal(report(8, 9).files.size, 0);
});

t.test('a page that is no RAM ends the records, and what came before stays', async (t) => {
  const ram = ramWith([
    ...fileRecords('first', 'a'.repeat(3000)),
    ...fileRecords('second', 'b'.repeat(3000)),
  ]);
  const pages = [...ram.pages.keys()];
  ram.pages.delete(given(pages[1])); // the second data page
  const report = decodeRecords(ram.directory, ram.read);
  t.equal(report.files.get('first')?.bytes.length, 3000);
  t.notOk(report.files.has('second'));
  t.match(report.damage, [/cannot be read on from byte/, /records end after 4096 of/]);
});

t.test('lost records are reported', async (t) => {
  const { directory, read } = ramWith([]);
  new DataView(directory.buffer).setBigUint64(32, 3n, true);
  t.match(decodeRecords(directory, read).damage, [/no memory for 3 records/]);
});

t.test(
  'any damage to one byte is noticed, and no undamaged file is lost with a wrong content',
  async (t) => {
    const contents = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`/file/${i}`, `content ${i} `.repeat(40)]),
    );
    const records = Object.entries(contents).flatMap(([name, content]) =>
      fileRecords(name, content, 3),
    );
    const used = ramWith(records);
    const committed = Number(new DataView(used.directory.buffer).getBigUint64(24, true));
    fc.assert(
      fc.property(fc.nat(committed - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const ram = ramWith(records);
        const page = given([...ram.pages.values()][Math.floor(at / 4096)]);
        page[at % 4096] = given(page[at % 4096]) ^ flip;
        const report = decodeRecords(ram.directory, ram.read);
        const wholeFiles = [...report.files].filter(([, file]) => !file.cut);
        const wrong = wholeFiles.filter(
          ([name, file]) => new TextDecoder().decode(file.bytes) !== contents[name],
        );
        // Padding between records is covered by no checksum: there a change harms nothing.
        return wrong.length === 0 && (report.damage.length > 0 || wholeFiles.length === 12);
      }),
    );
    t.pass();
  },
);

t.test('a stream of rubbish gives a bounded report', async (t) => {
  const ram = ramWith(
    Array.from({ length: 500 }, () => ({ type: 99, name: 'x', payload: new Uint8Array(0) })),
  );
  t.equal(decodeRecords(ram.directory, ram.read).damage.length, 20);
});
