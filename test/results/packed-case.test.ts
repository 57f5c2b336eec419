// SPDX-License-Identifier: GPL-2.0-only

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { create } from 'tar';
import { initramfsOf, readBlobs, withArchivedCase } from '../../harness/laboratory/open-case.ts';
import { type EndedCase, packCase } from '../../harness/laboratory/pack-case.ts';
import { storeBlobs } from '../../results/case-inputs.ts';
import { bigintReplacer } from '../../src/bigint-json.ts';
import { sizedRange } from '../../src/linux/physical-range.ts';
import { scenarioVersion } from '../../src/scenario/types.ts';
import { given } from '../given.ts';
import { sampleReport } from '../report/sample-run.ts';

const report = sampleReport(0.02);
const signal = new AbortController().signal;
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');
const result = given(report.cases[0]);
const [scenario] = report.run.scenarios;

const overrides = [
  { cpus: [1], register: { crm: 7, op2: 2 }, mask: 0xf0000000000000n, value: 2n << 52n },
];
const monitor = {
  flash: Buffer.from('flash'),
  places: { image: 1, initramfs: 2, deviceTree: 3, memory: 4 },
  memory: sizedRange(5, 6),
  aliasBit: 2 ** 39,
  overrides,
};

/** A case that has ended, with a cache of its own; `at` is where everything lies. */
function endedCase(t: Test): { at: string; ended: EndedCase; archive: string } {
  const at = t.testdir({ cache: {}, cases: { [result.case]: { files: { proc_iomem: 'iomem' } } } });
  process.env.PTDIFF_CACHE = join(at, 'cache');
  const directory = join(at, 'cases', result.case);
  const put = (name: string, content: string) => {
    writeFileSync(join(at, name), content);
    return { path: join(at, name), sha256: sha256(content) };
  };
  const [image, initramfs] = [
    put('kernel', 'the kernel '.repeat(9999)),
    put('ram', 'the initial RAM disk'),
  ];
  const inputs = {
    schema: 1,
    scenarioVersion,
    kernel: {
      ...{
        spec: 'file:gone',
        release: '7.3.4',
        version: '7.3.4',
        flavour: 'local',
        source: 'gone',
      },
      ...{
        imagePath: image.path,
        configPath: put('config', 'CONFIG_X=y').path,
        sha256: image.sha256,
      },
    },
    ...{ scenario, cpu: 'max', commandLine: 'nokaslr', initramfs },
    emulator: { version: '11.1.3', sha256: sha256('qemu'), origin: 'qemu-system-arm' },
    blobs: storeBlobs({ deviceTree: Buffer.from('tree'), monitor }),
  };
  writeFileSync(join(directory, 'inputs.json'), JSON.stringify(inputs, bigintReplacer));
  writeFileSync(join(directory, 'console.log'), 'console');
  writeFileSync(join(directory, 'repro.sh'), 'names paths of this host');
  return {
    at,
    ended: { result, directory, ptdiff: report.run.ptdiff },
    archive: join(at, 'a.tar.zst'),
  };
}

/** The sentence with which an archive is refused. */
async function refusal(archive: string): Promise<string> {
  const told = await withArchivedCase(archive, async () => undefined).catch(
    (error: Error) => error,
  );
  if (!(told instanceof Error)) throw new Error('it was taken');
  t.match(told, { name: 'PtdiffError', fault: 'usage' });
  return told.message;
}

t.test('a packed case is whole elsewhere, when all that it was made of is gone', async (t) => {
  const { at, ended, archive } = endedCase(t);
  await packCase(ended, archive, signal);
  process.env.PTDIFF_CACHE = join(at, 'elsewhere');
  await withArchivedCase(archive, async (opened) => {
    t.same(opened.result, result);
    t.match(opened, {
      scenario,
      cpu: 'max',
      commandLine: 'nokaslr',
      kernel: { spec: 'file:gone', release: '7.3.4' },
    });
    t.equal(initramfsOf(opened).sha256, opened.files['initramfs.cpio']);
    t.throws(() => initramfsOf({ ...opened, files: {} }), {
      fault: 'usage',
      message: /contains no initramfs\.cpio/,
    });
    t.same(await readBlobs(opened), { deviceTree: Buffer.from('tree'), monitor });
    const read = (name: string) => readFileSync(join(opened.folder, name), 'utf8');
    t.equal(read('Image').length, 'the kernel '.length * 9999);
    t.equal(read('config'), 'CONFIG_X=y');
    t.equal(read('evidence/files/proc_iomem'), 'iomem');
    t.notMatch(
      Object.keys(opened.files).map(read).join('\n'),
      at,
      'no path of the host that packed it',
    );
    t.match(read('repro.sh'), sha256('flash'));
  });
  t.same(readdirSync(join(at, 'elsewhere', 'tmp')), [], 'nothing stays behind');
});

t.test('the same case gives the same bytes, also when two pack it at once', async (t) => {
  const { at, ended, archive } = endedCase(t);
  await Promise.all([packCase(ended, archive, signal), packCase(ended, archive, signal)]);
  await packCase(ended, join(at, 'b.tar.zst'), signal);
  t.ok(readFileSync(archive).equals(readFileSync(join(at, 'b.tar.zst'))));
});

t.test('what changed since the boot is not packed', async (t) => {
  const { at, ended, archive } = endedCase(t);
  rmSync(join(at, 'config'));
  await t.rejects(packCase(ended, archive, signal), {
    fault: 'image',
    message: /Cannot pack .*config, which the case/,
  });
  writeFileSync(join(at, 'kernel'), 'another kernel');
  await t.rejects(packCase(ended, archive, signal), {
    fault: 'image',
    message: /no longer the file/,
  });
  writeFileSync(join(ended.directory, 'inputs.json'), '{"schema":2}');
  await t.rejects(packCase(ended, archive, signal), {
    fault: 'usage',
    message: /inputs\.json cannot be used: schema/,
  });
  await t.rejects(packCase({ ...ended, directory: at }, archive, signal), {
    fault: 'usage',
    message: /run the case again/,
  });
  t.notOk(existsSync(archive));
});

t.test('an aborted or impossible write leaves no archive', async (t) => {
  const { at, ended, archive } = endedCase(t);
  await t.rejects(packCase(ended, archive, AbortSignal.abort(new Error('interrupted'))), {
    message: 'interrupted',
  });
  await t.rejects(packCase(ended, join(at, 'none', 'x'), signal), {
    fault: 'host',
    message: /Cannot write .*none/,
  });
  t.same(
    readdirSync(at).filter((name) => /tar\.zst/.test(name)),
    [],
  );
  t.same(readdirSync(join(at, 'cache', 'tmp')), []);
});

t.test('truncated, changed or foreign archives are refused in one sentence', async (t) => {
  const { at, ended, archive } = endedCase(t);
  await packCase(ended, archive, signal);
  const whole = readFileSync(archive);
  for (const length of [0, 1, 100, whole.length >> 1, whole.length - 200]) {
    writeFileSync(archive, whole);
    truncateSync(archive, length);
    t.match(await refusal(archive), /not a complete packed case: [^\n]+\.$/, `${length} bytes`);
  }
  const flipped = Buffer.from(whole);
  flipped[whole.length >> 1] = given(flipped[whole.length >> 1]) ^ 0x40;
  writeFileSync(archive, flipped);
  t.match(await refusal(archive), /not a complete packed case/);
  const tar = zstdDecompressSync(whole);
  writeFileSync(archive, zstdCompressSync(tar.subarray(0, tar.length >> 1)));
  t.match(await refusal(archive), /not a complete packed case/, 'a whole stream of half a tar');
  const at2 = tar.indexOf('CONFIG_X=y');
  tar.write('CONFIG_X=n', at2);
  writeFileSync(archive, zstdCompressSync(tar));
  t.match(await refusal(archive), /'config' in it is missing or was changed/);
  t.match(await refusal(join(at, 'ram')), /not a complete packed case/);
  t.match(await refusal(join(at, 'nothing')), /not a complete packed case: ENOENT/);
});

t.test(
  'an archive cannot write outside, nor bring links or files that it does not own',
  async (t) => {
    const { at, ended, archive } = endedCase(t);
    await packCase(ended, archive, signal);
    const source = join(at, 'source', 'evil');
    mkdirSync(source, { recursive: true });
    writeFileSync(join(at, 'outside'), 'escaped');
    writeFileSync(join(source, 'case.json'), '{}');
    symlinkSync('/etc', join(source, 'link'));
    const pack = (names: string[]) => {
      const options = {
        cwd: join(at, 'source'),
        file: join(at, 'evil.tar'),
        preservePaths: true,
        sync: true,
      } as const;
      create(options, names);
      writeFileSync(archive, zstdCompressSync(readFileSync(join(at, 'evil.tar'))));
    };
    pack(['../outside']);
    t.match(await refusal(archive), /leads out of it/);
    pack([join(at, 'outside')]);
    t.match(await refusal(archive), /leads out of it/);
    pack(['evil']);
    t.match(await refusal(archive), /'evil\/link' in it is not a file/);
    pack(['evil/case.json']);
    t.match(await refusal(archive), /schema/);
    t.notOk(existsSync(join(at, 'cache', 'outside')));
  },
);
