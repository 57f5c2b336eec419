// SPDX-License-Identifier: GPL-2.0-only

import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import {
  type PackedRepro,
  packedFiles,
  packedReproScript,
} from '../../../harness/laboratory/packed-repro.ts';
import { sizedRange } from '../../../src/linux/physical-range.ts';

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

/**
 * A folder with a packed machine, and a QEMU of the given version that prints its arguments, one a
 * line.
 */
function prepare(
  t: Test,
  version: string,
  over: Partial<PackedRepro> = {},
): { folder: string; path: string } {
  const folder = join(t.testdir(), "it's, here");
  const path = join(folder, 'bin');
  mkdirSync(path, { recursive: true });
  for (const file of ['kernel', 'initramfs', 'deviceTree', 'flash'] as const) {
    writeFileSync(join(folder, packedFiles[file]), file);
  }
  const repro: PackedRepro = {
    name: 'case\nrm -rf /',
    machine: {
      machine: { cpu: 'max', cpus: 2, memory: 512, holes: [], world: 'normal' },
      cpu: 'max,pauth=off',
      commandLine: 'console=ttyAMA0 $(touch pwned)',
    },
    sha256: { kernel: sha256('kernel'), initramfs: sha256('initramfs'), config: 'not booted' },
    emulator: { version: '11.1.3', sha256: '00', origin: 'a\npackage' },
    ...over,
  };
  writeFileSync(join(folder, 'repro.sh'), packedReproScript(repro));
  const program = `test "$1" = --version && echo "QEMU emulator version ${version} (x)" && exit\nfor a; do echo "<$a>"; done`;
  writeFileSync(join(path, 'qemu-system-aarch64'), `#!/bin/sh\n${program}\n`);
  chmodSync(join(path, 'qemu-system-aarch64'), 0o755);
  return { folder, path };
}

async function run({ folder, path }: { folder: string; path: string }) {
  const env = { PATH: `${path}:${process.env.PATH}` };
  const { exitCode, stdout, stderr } = await execa('sh', [join(folder, 'repro.sh')], {
    cwd: '/',
    env,
    reject: false,
  });
  return { exitCode, lines: stdout.split('\n'), stderr };
}

t.test('boots the files beside it by the QEMU on PATH', async (t) => {
  const packed = prepare(t, '11.1.3');
  const { exitCode, lines, stderr } = await run(packed);
  t.equal(exitCode, 0, stderr);
  t.equal(stderr, '');
  t.ok(lines.includes(`<${join(packed.folder, 'Image')}>`));
  t.ok(lines.includes('<console=ttyAMA0 $(touch pwned)>'));
  t.notOk(lines.includes('<-dtb>'));
});

t.test('a device tree and a monitor lie beside it, too', async (t) => {
  const places = {
    image: 0x4020_0000,
    initramfs: 0x4800_0000,
    deviceTree: 0x4820_0000,
    memory: 16 << 20,
  };
  const monitor = {
    flash: Buffer.from(''),
    places,
    memory: sizedRange(0x6000_0000, 16 << 20),
    overrides: [],
  };
  const files = ['kernel', 'initramfs', 'deviceTree', 'flash'] as const;
  const hashes = Object.fromEntries(files.map((file) => [file, sha256(file)]));
  const packed = prepare(t, '11.1.3', { monitor, deviceTree: Buffer.from(''), sha256: hashes });
  const { lines, stderr } = await run(packed);
  const loaded = (file: string) => join(packed.folder, file).replaceAll(',', ',,');
  t.equal(stderr, '');
  t.ok(lines.includes(`<loader,file=${loaded('Image')},addr=0x40200000,force-raw=on>`));
  t.ok(lines.includes(`<loader,file=${loaded('device-tree.dtb')},addr=0x48200000,force-raw=on>`));
  t.ok(lines.includes(`<${join(packed.folder, 'flash.bin')}>`));
});

t.test('another version of QEMU is told, and used', async (t) => {
  const { exitCode, lines, stderr } = await run(prepare(t, '10.0.2'));
  t.equal(exitCode, 0);
  t.match(stderr, 'QEMU 10.0.2 is not 11.1.3');
  t.ok(lines.includes('<-kernel>'));
});

t.test('a changed file or a missing QEMU ends it in one sentence', async (t) => {
  const changed = prepare(t, '11.1.3');
  writeFileSync(join(changed.folder, 'initramfs.cpio'), 'another');
  t.match(await run(changed), {
    exitCode: 2,
    stderr: /initramfs\.cpio is missing or is not the file of this case/,
  });
  const bare = prepare(t, '11.1.3');
  rmSync(bare.path, { recursive: true });
  t.match(await run(bare), { exitCode: 2, stderr: /qemu-system-aarch64 is no QEMU: install/ });
});
