// SPDX-License-Identifier: GPL-2.0-only
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { sha256File } from '../../host/cache.ts';
import { readCaseLines, readRunRecord } from '../../results/run-folder.ts';
import { given } from '../given.ts';
import { flipBit } from '../images/damage.ts';

// From an empty cache: 250 MiB of downloads, and more for what the tests damage.
t.setTimeout(30 * 60_000);

const repository = join(import.meta.dirname, '..', '..');
const place = join(t.testdir(), 'ptdiff März 🐧, 50%');
const project = join(place, 'pro jekt');
const cache = join(place, 'ca che');
const env = {
  PTDIFF_CACHE: cache,
  PTDIFF_STORE: join(place, 'st ore.sqlite'),
  PTDIFF_NODE: process.execPath,
};

/** A copy of this project, with its installed packages. */
function checkout(): void {
  for (const name of [
    'src',
    'host',
    'harness',
    'images',
    'guest',
    'results',
    'package.json',
    'package-lock.json',
    'ptdiff',
  ]) {
    const filter = (path: string) => !path.includes('/results/runs');
    cpSync(join(repository, name), join(project, name), {
      recursive: true,
      preserveTimestamps: true,
      filter,
    });
  }
  symlinkSync(join(repository, 'node_modules'), join(project, 'node_modules'));
}

const ptdiff = (...words: string[]) =>
  execa(join(project, 'ptdiff'), words, { env, cwd: place, reject: false });

/** What is said of the cache's damage in the output of a run. */
const damageLines = (stderr: string) =>
  stderr.split('\n').filter((line) => / in the cache is /.test(line));

/**
 * Calls one of the functions that bring things, in a process of its own, and answers with its value
 * and what it said of damage.
 */
async function bring(
  file: string,
  call: string,
): Promise<{ value: Record<string, unknown>; lines: string[] }> {
  const program = `import * as brought from ${JSON.stringify(pathToFileURL(join(project, file)))};
    const progress = (line) => console.error(line);
    console.log(JSON.stringify(await brought.${call}));`;
  const { stdout, stderr } = await execa(process.execPath, ['--input-type=module', '-e', program], {
    env,
  });
  return { value: JSON.parse(stdout), lines: damageLines(stderr) };
}

const inCache = (...parts: string[]) => join(cache, ...parts);
/** The folder of a kind whose name begins so. */
const folderOf = (kind: string, start = '') =>
  inCache(
    kind,
    readdirSync(inCache(kind)).find(
      (name) => name.startsWith(start) && !/\.json$|^packages$/.test(name),
    ) ?? '',
  );

t.test('the first use works in a place with blanks, commas and letters beyond ASCII', async (t) => {
  mkdirSync(project, { recursive: true });
  checkout();
  const out = join(place, 'ö u t');
  const { exitCode, stderr } = await ptdiff(
    'run',
    '--kernel',
    'debian:7.3',
    '--scenario',
    'realm+max',
    '--out',
    out,
  );
  t.equal(exitCode, 0, stderr);
  t.match(readCaseLines(out), [{ verdict: 'pass' }], stderr);
  t.same(damageLines(stderr), []);
  const { kernels, initramfs } = readRunRecord(out);
  t.equal(given(kernels[0]).sha256, await sha256File(join(folderOf('kernels'), 'Image')));
  t.equal(initramfs.sha256, await sha256File(join(folderOf('guest', 'init-'), 'initramfs.cpio')));
  t.match(await ptdiff('cache', 'verify'), { exitCode: 0, stdout: /all are whole$/ });
});

t.test('a kernel whose cached Image has a flipped bit passes after one line', async (t) => {
  const image = join(folderOf('kernels'), 'Image');
  const whole = await sha256File(image);
  flipBit(image, 20 * 2 ** 20);
  t.match(await ptdiff('cache', 'verify'), {
    exitCode: 1,
    stdout: /^kernels\/[0-9a-f]+\/Image is damaged$/m,
  });
  const out = join(place, 'again');
  const { exitCode, stderr } = await ptdiff(
    'run',
    '--kernel',
    'debian:7.3',
    '--scenario',
    'max',
    '--out',
    out,
  );
  t.equal(exitCode, 0, stderr);
  t.match(readCaseLines(out), [{ verdict: 'pass', findings: { length: 0 } }]);
  t.match(damageLines(stderr), [
    /kernels\/[0-9a-f]+\/Image in the cache is damaged: it is made again$/,
  ]);
  t.equal(given(readRunRecord(out).kernels[0]).sha256, whole);
  t.equal(await sha256File(image), whole);
});

t.test(
  'whatever a boot is made of is made again when it is damaged, cut short or gone',
  async (t) => {
    const [kernel, init, monitor] = [
      folderOf('kernels'),
      folderOf('guest', 'init-'),
      folderOf('guest', 'monitor-'),
    ];
    const qemu = folderOf('tools', 'qemu-');
    const libraries = join(
      qemu,
      'usr/lib',
      readdirSync(join(qemu, 'usr/lib')).find((name) => /-linux-gnu$/.test(name)) ?? '',
    );
    const library = join(
      libraries,
      readdirSync(libraries).find((name) => /^libglib-2\.0\.so\.0\.\d/.test(name)) ?? '',
    );
    const loader = join(
      libraries,
      readdirSync(libraries).find((name) => /^ld-linux/.test(name)) ?? '',
    );
    const cases: [
      name: string,
      file: string,
      damage: (file: string) => void,
      module: string,
      call: string,
    ][] = [
      [
        'Image',
        join(kernel, 'Image'),
        (file) => truncateSync(file, 2 ** 20),
        'images/kernels.ts',
        'KERNEL',
      ],
      ['Image', join(kernel, 'Image'), unlinkSync, 'images/kernels.ts', 'KERNEL'],
      [
        'initramfs',
        join(init, 'initramfs.cpio'),
        (file) => flipBit(file, 9000),
        'guest/build.ts',
        'buildInitramfs',
      ],
      [
        'initramfs',
        join(init, 'initramfs.cpio'),
        (file) => truncateSync(file, 5000),
        'guest/build.ts',
        'buildInitramfs',
      ],
      [
        'monitor',
        join(monitor, 'monitor.bin'),
        (file) => flipBit(file, 900),
        'guest/build-monitor.ts',
        'buildMonitor',
      ],
      [
        'emulator',
        join(qemu, 'usr/bin/qemu-system-aarch64'),
        (file) => flipBit(file, 2 ** 22),
        'images/emulator/emulator.ts',
        'QEMU',
      ],
      ['loader', loader, unlinkSync, 'images/emulator/emulator.ts', 'QEMU'],
      ['library', library, (file) => flipBit(file, 2 ** 16), 'images/emulator/emulator.ts', 'QEMU'],
    ];
    const calls: Record<string, string> = {
      KERNEL: "resolveKernel('debian:7.3', { progress })",
      QEMU: 'packagedEmulator({ progress })',
    };
    for (const [name, file, damage, module, call] of cases) {
      const whole = await sha256File(file);
      damage(file);
      const asked = calls[call] ?? `${call}({ progress })`;
      const { value, lines } = await bring(module, asked);
      const [, relative] = file.split('/ca che/');
      t.equal(lines.length, 1, `${name}: ${lines}`);
      t.match(lines[0], relative, name);
      t.equal(await sha256File(file), whole, `${name} is what it was`);
      t.same(
        await bring(module, asked),
        { value, lines: [] },
        `${name} is taken in silence afterwards`,
      );
    }
  },
);

t.test('modules of a kernel are made again, too', async (t) => {
  const kernel = (await bring('images/kernels.ts', "resolveKernel('debian:7.3')")).value;
  const call = `debianModules(${JSON.stringify(kernel)}, ['virtio_mmio'], { progress })`;
  const { value } = await bring('images/debian/modules.ts', call);
  const file = given((Object.values(value) as string[])[0]);
  const whole = await sha256File(file);
  flipBit(file, 500);
  const again = await bring('images/debian/modules.ts', call);
  t.match(again, {
    value,
    lines: [/virtio_mmio\.ko\S* in the cache is damaged: it is made again$/],
  });
  t.equal(await sha256File(file), whole);
});

t.test(
  'records with a flipped digit are found out again, and facts of a boot are none',
  async (t) => {
    const record = given(readdirSync(inCache('kernels/packages'))[0]);
    const path = inCache('kernels/packages', record);
    const text = readFileSync(path, 'latin1');
    // 7.3.4 would become 7.3.5, and the kernel be judged by its rules.
    flipBit(path, text.indexOf('"release": "7.3.') + '"release": "7.3.'.length);
    const { value, lines } = await bring(
      'images/kernels.ts',
      "resolveKernel('debian:7.3', { progress })",
    );
    t.match(lines, [
      `kernels/packages/${record} in the cache is damaged, or from another ptdiff: it is made again`,
    ]);
    t.match(value, { release: JSON.parse(text).release });
    t.equal(readFileSync(path, 'latin1'), text);

    t.match(await ptdiff('predict', '--kernel', 'debian:7.3', '--scenario', 'max'), {
      exitCode: 0,
    });
    for (const name of readdirSync(inCache('facts'))) {
      const facts = inCache('facts', name);
      flipBit(facts, readFileSync(facts, 'latin1').indexOf('"pa": ') + '"pa": '.length);
    }
    const { exitCode, stderr } = await ptdiff(
      'predict',
      '--kernel',
      'debian:7.3',
      '--scenario',
      'max',
    );
    t.not(exitCode, 0);
    t.match(damageLines(stderr), [/facts\/[0-9a-f]+\.json in the cache is damaged/]);
  },
);

t.test(
  'kernels are not built in a place that the kernel refuses, which is said before anything is fetched',
  async (t) => {
    const { exitCode, stderr } = await ptdiff(
      'run',
      '--kernel',
      'source:7.3',
      '--scenario',
      'max',
      '--out',
      join(place, 's'),
    );
    t.equal(exitCode, 3);
    t.match(
      stderr,
      /No kernel can be built below .*ca che.*: set PTDIFF_CACHE to a path without them\./,
    );
    t.notMatch(stderr, /download/);
  },
);

t.test('what nobody used is removed, but not while a ptdiff uses the cache', async (t) => {
  const program = `import { useCache } from ${JSON.stringify(pathToFileURL(join(project, 'host/cache-in-use.ts')))};
    await useCache(); console.log('used'); process.stdin.resume();`;
  const user = execa(process.execPath, ['--input-type=module', '-e', program], {
    env,
    reject: false,
    stdin: 'pipe',
  });
  await new Promise((resolve) => user.stdout.once('data', resolve));
  const refused = await ptdiff('cache', 'prune', '--older-than', '0');
  t.match(refused, { exitCode: 3, stderr: /Another ptdiff uses this cache/ });
  t.match(await ptdiff('cache', 'prune', '--older-than', '30'), { exitCode: 3 });
  t.match(await ptdiff('cache', 'prune', '--dry-run', '--older-than', '0'), {
    exitCode: 0,
    stdout: /^kernels .*7\.3\./m,
  });
  user.stdin.end();
  await user;
  t.match(await ptdiff('cache', 'prune', '--older-than', '30'), {
    exitCode: 0,
    stderr: /0 MiB were removed/,
  });
  t.match(await ptdiff('cache', 'prune', '--older-than', '0'), {
    exitCode: 0,
    stdout: /^kernels .*7\.3\./m,
  });
  t.same(readdirSync(inCache('tools')), []);
  t.same(readdirSync(inCache('kernels/packages')), []);
});

t.teardown(() => rmSync(place, { recursive: true, force: true }));
