// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  bareCommand,
  deviceTreeCommand,
  machineArguments,
  type QemuMachine,
  watchedCommand,
} from '../../../harness/emulator/qemu-command.ts';
import { deviceNames } from '../../../src/scenario/devices.ts';
import { given } from '../../given.ts';

const realm: QemuMachine = {
  emulator: ['qemu'],
  machine: { cpu: 'max', cpus: 2, memory: 1024, holes: [], world: 'realm', firmware: 'monitor' },
  cpu: 'max',
  image: '/k,1/Image',
  initramfs: '/i/init.cpio',
  commandLine: 'nokaslr',
};
const places = {
  image: 0x4020_0000,
  initramfs: 0x4800_0000,
  deviceTree: 0x4820_0000,
  memory: 16 << 20,
};
const loaded: QemuMachine = {
  ...realm,
  deviceTree: '/s/dtb',
  monitor: { ...places, flash: '/s/flash' },
};

/** The value that follows an option. */
const argumentOf = (words: string[], option: string): string =>
  given(words[words.indexOf(option) + 1]);

t.test('the monitor starts from flash, and all that it starts is loaded', (t) => {
  const words = machineArguments(loaded);
  t.equal(argumentOf(words, '-bios'), '/s/flash');
  t.same(
    words.filter((word) => word.startsWith('loader,')),
    [
      'loader,file=/k,,1/Image,addr=0x40200000,force-raw=on',
      'loader,file=/i/init.cpio,addr=0x48000000,force-raw=on',
      'loader,file=/s/dtb,addr=0x48200000,force-raw=on',
    ],
  );
  t.notOk(words.includes('-kernel') || words.includes('-dtb') || words.includes('-append'));
  t.end();
});

t.test(
  "the monitor's memory is added to the guest's, but not where QEMU describes the guest's",
  (t) => {
    const instruments = {
      ramFile: '/r',
      consoleFile: '/c',
      pidFile: '/p',
      gdbSocket: '/g',
      qmpSocket: '/q',
    };
    const watched = watchedCommand(loaded, instruments);
    t.equal(argumentOf(watched, '-m'), '1040M');
    t.ok(watched.includes('memory-backend-file,id=ram,mem-path=/r,size=1040M,share=on'));
    const dump = deviceTreeCommand(realm, '/o');
    t.equal(argumentOf(dump, '-m'), '1024M');
    t.equal(argumentOf(dump, '-append'), 'nokaslr');
    t.end();
  },
);

t.test('each machine has the exception levels and devices that it needs', (t) => {
  const options = (machine: Partial<QemuMachine['machine']>) =>
    argumentOf(
      machineArguments({ ...realm, machine: { ...realm.machine, ...machine } }),
      '-machine',
    )
      .split(',')
      .slice(3);
  t.same(options({}), ['virtualization=on', 'acpi=off', 'highmem-mmio=off']);
  t.same(options({ world: 'normal' }), ['virtualization=on', 'acpi=off']);
  t.same(options({ world: 'normal', its: false }), ['virtualization=on', 'acpi=off', 'its=off']);
  t.same(options({ firmware: 'monitor-rme' }), [
    'secure=on',
    'virtualization=on',
    'acpi=off',
    'highmem-mmio=off',
  ]);
  const { firmware: _, ...plain } = realm.machine;
  const normal = machineArguments({ ...realm, machine: { ...plain, world: 'normal', its: false } });
  t.equal(argumentOf(normal, '-machine'), 'virt,gic-version=3,dtb-randomness=off,its=off');
  const board = machineArguments({
    ...realm,
    machine: { ...plain, world: 'normal', entry: 'el2' },
  });
  t.equal(argumentOf(board, '-machine'), 'virt,gic-version=3,dtb-randomness=off,virtualization=on');
  const rme = machineArguments({
    ...realm,
    machine: { ...realm.machine, firmware: 'monitor-rme' },
  });
  t.equal(argumentOf(rme, '-cpu'), 'max,x-rme=on');
  t.end();
});

t.test('a device of a realm reaches memory at its alias, too', (t) => {
  const instruments = {
    ramFile: '/r',
    consoleFile: '/c',
    pidFile: '/p',
    gdbSocket: '/g',
    qmpSocket: '/q',
  };
  const machine = { ...realm.machine, devices: [...deviceNames] };
  const words = watchedCommand({ ...loaded, machine, deviceData: '/s/da,ta' }, instruments);
  t.equal(argumentOf(words, '-m'), '1040M,slots=1,maxmem=133152M');
  t.ok(words.includes('memory-backend-file,id=alias,mem-path=/r,size=1024M,share=on'));
  t.ok(words.includes('pc-dimm,memdev=alias,addr=0x2040000000'));
  t.notMatch(argumentOf(words, '-machine'), /acpi=off/);
  t.match(argumentOf(words, '-machine'), /highmem-ecam=off,highmem-redists=off/);
  t.ok(words.includes('file,id=port,path=/dev/null,input-path=/s/da,,ta'));
  const devices = words.filter((word) => /^virtio-.*-pci,/.test(word));
  t.equal(devices.length, deviceNames.length);
  t.ok(devices.every((word) => word.includes('iommu_platform=on')));
  t.end();
});

t.test(
  'in the normal world a device needs no alias, and a description of the machine no device',
  (t) => {
    const instruments = {
      ramFile: '/r',
      consoleFile: '/c',
      pidFile: '/p',
      gdbSocket: '/g',
      qmpSocket: '/q',
    };
    const machine = { ...realm.machine, world: 'normal' as const, devices: [...deviceNames] };
    const words = watchedCommand({ ...loaded, machine, deviceData: '/s/data' }, instruments);
    t.notOk(words.some((word) => /pc-dimm|maxmem/.test(word)));
    t.ok(words.some((word) => word.startsWith('virtio-blk-pci,')));
    t.notOk(
      deviceTreeCommand({ ...realm, machine }, '/o').some((word) => word.startsWith('virtio-')),
    );
    t.end();
  },
);

t.test(
  'a machine may have more memory than the host, where only its description or its console is wanted',
  (t) => {
    const machine = { ...realm.machine, memory: 65536 };
    const described = deviceTreeCommand({ ...realm, machine }, '/o');
    t.ok(described.includes('memory-backend-ram,id=ram,size=65536M,reserve=off'));
    const bare = bareCommand({ ...loaded, machine });
    t.equal(argumentOf(bare, '-m'), '65552M');
    t.ok(bare.includes('memory-backend-ram,id=ram,size=65552M,reserve=off'));
    t.end();
  },
);
