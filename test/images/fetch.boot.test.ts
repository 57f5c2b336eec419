// SPDX-License-Identifier: GPL-2.0-only
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { cachePath, sha256File } from '../../host/cache.ts';
import { writeRecord } from '../../host/records.ts';
import { packagedEmulator, pinnedEmulatorVersion } from '../../images/emulator/emulator.ts';
import { listKernels, resolveKernel } from '../../images/kernels.ts';
import { crossToolchain } from '../../images/toolchain/toolchain.ts';
import { given } from '../given.ts';

// The downloads are real; a fresh cache makes them happen.
const root = t.testdir();
process.env.PTDIFF_CACHE = root;
t.setTimeout(15 * 60_000);

const kernels = JSON.stringify(join(import.meta.dirname, '../../images/kernels.ts'));
const program = `import { resolveKernel } from ${kernels};
  console.log(JSON.stringify(await resolveKernel('debian:7.3:cloud')));`;

t.test('two runs at once share one download of a kernel and agree', async (t) => {
  const run = () => execa(process.execPath, ['--input-type=module', '-e', program]);
  const [one, two] = (await Promise.all([run(), run()])).map(({ stdout }) => JSON.parse(stdout));
  t.same(one, two);
  t.match(one, {
    spec: 'debian:7.3:cloud',
    release: /^7\.3\.\d+\+deb\d+-cloud-arm64$/,
    flavour: 'cloud',
    notes: [],
  });
  t.equal(await sha256File(one.imagePath), one.sha256);
  t.match(await readFile(one.configPath, 'utf8'), /^CONFIG_ARM64=y$/m);
  t.same(await readdir(cachePath('tmp')), [], 'no package is kept');
});

t.test('the catalogue has all generations, newest first, and knows what is cached', async (t) => {
  const listed = await listKernels();
  const series = new Set(listed.map(({ version }) => /^\d+\.\d+/.exec(version)?.[0]));
  for (const wanted of ['6.12', '6.18', '7.3']) {
    t.ok(series.has(wanted), wanted);
  }
  t.same(
    [...new Set(listed.filter(({ cached }) => cached).map(({ flavour }) => flavour))],
    ['cloud'],
  );
});

t.test('a version that does not exist is an error that says what there is', async (t) => {
  await t.rejects(resolveKernel('debian:7.3.99'), {
    fault: 'image',
    message: /no arm64 kernel 'debian:7\.3\.99'.*7\.3.*6\.12/,
  });
});

t.test('the toolchain builds a static arm64 program, the same one each time', async (t) => {
  const directory = t.testdir({
    'main.c':
      '#include <stdio.h>\n#include "answer.h"\nint main(void) { return printf("%s %d %Lf\\n", __FILE__, answer(), 1.5L * LIMIT); }\n',
    'answer.S':
      '#define ANSWER 42\n.globl answer\nanswer: mov w0, #ANSWER\nret\n.section .note.GNU-stack,"",%progbits\n',
    'bad.c': 'int main(void) { return missing; }\n',
    include: { 'answer.h': 'int answer(void);\n' },
  });
  const toolchain = await crossToolchain();
  const build = (output: string) =>
    toolchain.compileStatic({
      sources: [join(directory, 'main.c'), join(directory, 'answer.S')],
      includeDirs: [join(directory, 'include')],
      output: join(directory, output),
      flags: ['-DLIMIT=2'],
    });
  t.equal(await build('one'), await build('deeper/two'));
  const elf = await readFile(join(directory, 'one'));
  t.equal(elf.toString('latin1', 0, 4), '\x7fELF');
  t.equal(elf.readUInt16LE(16), 2, 'ET_EXEC: needs no loader');
  t.equal(elf.readUInt16LE(18), 183, 'EM_AARCH64');
  await t.rejects(
    toolchain.compileStatic({
      sources: [join(directory, 'bad.c')],
      output: join(directory, 'bad'),
    }),
    {
      fault: 'harness',
      message: /cc1 failed: .*bad\.c:1:25: error: 'missing' undeclared/,
    },
  );
});

t.test(
  'the pinned emulator runs through its own loader and says what it consists of',
  async (t) => {
    const emulator = await packagedEmulator();
    t.match(emulator, {
      version: pinnedEmulatorVersion,
      origin: /^qemu-system-arm 1:\d/,
      notes: [],
    });
    t.ok(emulator.packages.some(({ name }) => name === 'libc6'));
    const { stdout } = await execa(given(emulator.command[0]), [
      ...emulator.command.slice(1),
      '-cpu',
      'help',
    ]);
    t.match(stdout, /\bneoverse-v1\b/);
  },
);

t.test(
  'without network, everything that is cached still works, and old lists are noted',
  async (t) => {
    const fetched = await resolveKernel('debian:7.3:cloud');
    // Nothing listens on port 1 of this machine, so through this proxy apt reaches no mirror.
    process.env.http_proxy = 'http://127.0.0.1:1';
    process.env.https_proxy = 'http://127.0.0.1:1';
    t.same(await resolveKernel('debian:7.3:cloud'), fetched);
    const archive = given(
      (await readdir(cachePath('apt'))).filter((name) => name.startsWith('kernels-'))[0],
    );
    await writeRecord(cachePath('apt', archive, 'updated.json'), {
      updated: Date.now() - 86_400_000,
    });
    t.match(await resolveKernel('debian:7.3:cloud'), {
      ...fetched,
      notes: [
        /^The package lists could not be renewed \(.*\); those of \d{4}-\d\d-\d\dT\d\d:\d\dZ are used\.$/,
      ],
    });
    await t.rejects(resolveKernel('debian:7.3:rt'), {
      fault: 'host',
      message: /^Cannot download from /,
    });
    t.match(await packagedEmulator(), { version: pinnedEmulatorVersion });
    await crossToolchain();
  },
);
