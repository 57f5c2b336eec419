// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRecording, recordingName, writeRecording } from '../../results/recording-file.ts';
import { packReturned, unpackReturned, writeReturned } from '../../results/returned-case.ts';
import { readStoredCase } from '../../results/run-folder.ts';
import { given } from '../given.ts';
import {
  mangle,
  pack,
  recordedCase,
  recordedFile,
} from '../harness/laboratory/farm/recorded-case.ts';

const most = 2 ** 26;
const recorded = await recordedCase();

t.test('a case comes back as it was, file by file', async (t) => {
  const { result, files, inputs } = await unpackReturned(readFileSync(recordedFile), most);
  t.equal(result.verdict, 'pass');
  t.equal(inputs?.scenario.name, result.scenario);
  const folder = t.testdir({ cases: {} });
  const directory = join(folder, 'cases', result.case);
  mkdirSync(directory);
  writeReturned(directory, files);
  const { evidence, prediction, unreadable } = readStoredCase(folder, result.case);
  t.same(unreadable, []);
  t.ok(prediction);
  t.equal(evidence?.captures.length, 5);
  writeFileSync(join(directory, 'repro.sh'), 'whoever takes it in makes his own\n');
  const again = await unpackReturned(await packReturned(directory, result, { a: 1 }), most);
  t.same(again.files, files);
  t.same(again.result, result);
  t.same(again.facts, { a: 1 });
});

t.test('a recording comes back to the last byte', async (t) => {
  const folder = t.testdir({ worker: {}, asker: {} });
  const [worker, asker] = [join(folder, 'worker'), join(folder, 'asker')];
  writeReturned(worker, recorded.files);
  // Bytes that are no text in UTF-8.
  const events = Uint8Array.from({ length: 1000 }, (_, index) => (index * 151) & 0xff);
  const empty = { functions: [], moments: [], sites: [], callers: [] };
  writeRecording(worker, { ...empty, ramBase: 0, events });
  const { files } = await unpackReturned(await packReturned(worker, recorded.result), most);
  writeReturned(asker, files);
  const [sent, got] = [worker, asker].map((each) => readFileSync(join(each, recordingName)));
  t.same(got, sent);
  t.same(Uint8Array.from(given(readRecording(asker)).events), events);
});

t.test('what another machine sends is refused unless it is a case', async (t) => {
  const { result, files } = recorded;
  const other = (changed: object) => pack({ ...recorded, ...changed });
  const withFile = (name: string, text: string) => other({ files: { ...files, [name]: text } });
  const { 'guest.json': guest = '', ...without } = files;
  const hostile: [string, Promise<Buffer> | Buffer, RegExp][] = [
    ['nothing', Buffer.alloc(0), /./],
    ['a bit that changed', mangle(readFileSync(recordedFile)), /./],
    ['another schema', other({ schema: 2 }), /^schema: /],
    ['more than a case has', other({ command: 'true' }), /command/],
    ['no verdict', other({ result: { ...result, verdict: 'good' } }), /^result\.verdict: /],
    ['a case elsewhere', other({ result: { ...result, case: '../x' } }), /^result\.case: /],
    ['a script', withFile('repro.sh', 'true'), /Invalid key/],
    ['a way out', withFile('files/../../../x', ''), /Invalid key/],
    ['an absolute path', withFile('/etc/passwd', ''), /Invalid key/],
    ['a guest file elsewhere', withFile('guest.json', guest.replaceAll('files/', '../')), /guest/],
    ['no evidence of the guest', other({ files: without }), /guest\.json is missing/],
    ['no tables', other({ files: { ...files, 'registers.json': '{}' } }), /registers\.json: /],
    ['a prediction that is none', withFile('prediction.json', '[]'), /^prediction\.json: /],
    ['inputs that are none', withFile('inputs.json', '{}'), /^inputs\.json: /],
    ['a recording that is none', withFile(recordingName, 'AAAA'), /^recording\.zst: /],
    ['a table that is none', withFile('leaves-init.ttbr1.txt', 'leaf x y\n'), /./],
  ];
  for (const [what, packed, why] of hostile)
    await t.rejects(unpackReturned(await packed, most), { message: why }, what);
});

t.test('a guest that was stopped before its init told of anything comes back, too', async (t) => {
  const guest = JSON.parse(given(recorded.files['guest.json']));
  const { guestProblems: _, ...silent } = guest;
  t.ok(_, 'the recorded one told');
  const early = { ...silent, end: { kind: 'stopped' } };
  const files = { ...recorded.files, 'guest.json': JSON.stringify(early) };
  const result = { ...recorded.result, depth: 'early' as const };
  const back = await unpackReturned(await pack({ ...recorded, files, result }), most);
  t.equal(back.result.depth, 'early');
  t.same(back.files, files);
});

t.test('what has no end is not unpacked', async (t) => {
  const bomb = await pack({ ...recorded, files: { 'console.log': 'x'.repeat(given(most)) } });
  t.ok(bomb.length < 2 ** 16, 'it is small as it comes');
  await t.rejects(unpackReturned(bomb, 2 ** 20), { message: 'it has no end' });
});
