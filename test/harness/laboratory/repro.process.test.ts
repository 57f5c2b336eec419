// SPDX-License-Identifier: GPL-2.0-only

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { type Repro, reproScript } from '../../../harness/laboratory/repro.ts';
import { sizedRange } from '../../../src/linux/physical-range.ts';
import { take } from '../../given.ts';

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

/** Files of a case, with an emulator that prints its arguments, one a line, and its device tree. */
function prepare(folder: string): { repro: Repro; script: string } {
  const emulator =
    '#!/bin/sh\nfor a; do echo "<$a>"; case "$p" in -dtb | -bios) cat "$a" ;; esac; p=$a; done\n';
  const files = { kernel: 'the kernel', initramfs: 'the initramfs', emulator };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
  }
  chmodSync(join(folder, 'emulator'), 0o755);
  const at = (name: keyof typeof files) => ({
    path: join(folder, name),
    sha256: sha256(files[name]),
    origin: `get ${name}`,
  });
  const repro: Repro = {
    name: 'case\nrm -rf /',
    machine: {
      emulator: [join(folder, 'emulator'), '-L', "it's here"],
      machine: { cpu: 'max', cpus: 2, memory: 512, holes: [], world: 'normal' },
      cpu: 'max,midr=0x410fd842',
      image: join(folder, 'kernel'),
      initramfs: join(folder, 'initramfs'),
      commandLine: 'console=ttyAMA0 $(touch pwned) "quoted"',
    },
    kernel: at('kernel'),
    initramfs: at('initramfs'),
    emulator: at('emulator'),
  };
  return { repro, script: join(folder, 'repro.sh') };
}

t.test('calls the emulator with exactly the arguments of the case', async (t) => {
  const folder = t.testdir();
  const { repro, script } = prepare(folder);
  writeFileSync(script, reproScript(repro));
  const { stdout } = await execa('sh', [script], { cwd: folder });
  const lines = stdout.split('\n');
  t.same(lines.slice(0, 2), ['<-L>', "<it's here>"]);
  t.ok(lines.includes('<console=ttyAMA0 $(touch pwned) "quoted">'));
  t.ok(lines.includes(`<${repro.machine.image}>`));
  t.ok(lines.includes('<max,midr=0x410fd842>'));
});

t.test('carries its device tree', async (t) => {
  const folder = t.testdir();
  const { repro, script } = prepare(folder);
  writeFileSync(
    script,
    reproScript({ ...repro, deviceTree: Buffer.from(`tree ${'x'.repeat(300)} end`) }),
  );
  const { stdout } = await execa('sh', [script], { cwd: folder });
  t.match(stdout, `tree ${'x'.repeat(300)} end`);
});

t.test(
  'carries the flash image of the monitor, and gives the other files to the loader',
  async (t) => {
    const folder = join(t.testdir(), 'a,b');
    mkdirSync(folder);
    const { repro, script } = prepare(folder);
    const places = {
      image: 0x4020_0000,
      initramfs: 0x4800_0000,
      deviceTree: 0x4820_0000,
      memory: 16 << 20,
    };
    const flash = Buffer.from(`flash ${'x'.repeat(300)} end`);
    const monitor = { flash, places, memory: sizedRange(0x6000_0000, 16 << 20), overrides: [] };
    const machine = {
      ...repro.machine,
      machine: { ...repro.machine.machine, firmware: 'monitor' as const },
    };
    writeFileSync(
      script,
      reproScript({ ...repro, machine, deviceTree: Buffer.from('tree'), monitor }),
    );
    const { stdout } = await execa('sh', [script], { cwd: folder });
    t.match(stdout, `flash ${'x'.repeat(300)} end`);
    const kernel = repro.machine.image.replaceAll(',', ',,');
    t.match(stdout, `<loader,file=${kernel},addr=0x40200000,force-raw=on>`);
    t.match(stdout, /<loader,file=.*,addr=0x48200000,force-raw=on>/);
    t.match(stdout, '<528M>');
    t.notMatch(stdout, '<-kernel>');
  },
);

t.test('carries what the devices deliver, and gives the RAM a file for their sake', async (t) => {
  const folder = t.testdir();
  const { repro, script } = prepare(folder);
  const places = {
    image: 0x4020_0000,
    initramfs: 0x4800_0000,
    deviceTree: 0x4820_0000,
    memory: 16 << 20,
  };
  const monitor = {
    flash: Buffer.from('flash'),
    places,
    memory: sizedRange(0x6000_0000, 16 << 20),
    overrides: [],
  };
  const realm = {
    firmware: 'monitor' as const,
    world: 'realm' as const,
    devices: ['virtio-console' as const],
  };
  const machine = { ...repro.machine, machine: { ...repro.machine.machine, ...realm } };
  const blobs = {
    deviceTree: Buffer.from('tree'),
    monitor,
    deviceData: Buffer.from('what it says'),
  };
  writeFileSync(script, reproScript({ ...repro, machine, ...blobs }));
  const { stdout } = await execa('sh', [script], { cwd: folder });
  const [, data] = take(
    /<file,id=port,path=\/dev\/null,input-path=([^$,>]+)>/.exec(stdout) ?? [],
    2,
  );
  const [, ram] = take(
    /<memory-backend-file,id=alias,mem-path=([^$,>]+),size=512M,share=on>/.exec(stdout) ?? [],
    2,
  );
  t.ok(data !== undefined && ram !== undefined && data !== ram);
  t.match(stdout, `<memory-backend-file,id=ram,mem-path=${ram},size=528M,share=on>`);
  t.notOk(existsSync(data) || existsSync(ram), 'both are gone afterwards');
});

t.test('refuses another kernel', async (t) => {
  const folder = t.testdir();
  const { repro, script } = prepare(folder);
  writeFileSync(script, reproScript(repro));
  writeFileSync(join(folder, 'kernel'), 'another kernel');
  const { exitCode, stdout, stderr } = await execa('sh', [script], { cwd: folder, reject: false });
  t.equal(exitCode, 2);
  t.equal(stdout, '');
  t.match(stderr, /kernel is missing or is not the file of this case/);
});

t.test('takes files from elsewhere', async (t) => {
  const folder = t.testdir();
  const { repro, script } = prepare(folder);
  writeFileSync(join(folder, 'elsewhere'), 'the kernel');
  writeFileSync(script, reproScript({ ...repro, kernel: { ...repro.kernel, path: '/nowhere' } }));
  const { stdout } = await execa('sh', [script], {
    cwd: folder,
    env: { KERNEL: join(folder, 'elsewhere') },
  });
  t.match(stdout, `<${join(folder, 'elsewhere')}>`);
});
