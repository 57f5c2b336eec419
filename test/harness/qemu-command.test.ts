import t from 'tap';
import { deviceTreeCommand, machineArguments, type QemuMachine, watchedCommand } from '../../harness/qemu-command.ts';

const realm: QemuMachine = {
  emulator: ['qemu'],
  machine: { cpu: 'max', cpus: 2, memory: 1024, holes: [], world: 'realm', firmware: 'monitor' },
  cpu: 'max',
  image: '/k,1/Image',
  initramfs: '/i/init.cpio',
  commandLine: 'nokaslr',
};
const places = { image: 0x4020_0000, initramfs: 0x4800_0000, deviceTree: 0x4820_0000, memory: 16 << 20 };
const loaded: QemuMachine = { ...realm, deviceTree: '/s/dtb', monitor: { ...places, flash: '/s/flash' } };

/** The value that follows an option. */
const argumentOf = (words: string[], option: string) => words[words.indexOf(option) + 1];

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

t.test("the monitor's memory is added to the guest's, but not where QEMU describes the guest's", (t) => {
  const instruments = { ramFile: '/r', consoleFile: '/c', pidFile: '/p', gdbSocket: '/g', qmpSocket: '/q' };
  const watched = watchedCommand(loaded, instruments);
  t.equal(argumentOf(watched, '-m'), '1040M');
  t.ok(watched.includes('memory-backend-file,id=ram,mem-path=/r,size=1040M,share=on'));
  const dump = deviceTreeCommand(realm, '/o');
  t.equal(argumentOf(dump, '-m'), '1024M');
  t.equal(argumentOf(dump, '-append'), 'nokaslr');
  t.end();
});

t.test('each machine has the exception levels and devices that it needs', (t) => {
  const options = (machine: Partial<QemuMachine['machine']>) =>
    argumentOf(machineArguments({ ...realm, machine: { ...realm.machine, ...machine } }), '-machine')
      .split(',')
      .slice(3);
  t.same(options({}), ['virtualization=on', 'acpi=off', 'highmem-mmio=off']);
  t.same(options({ world: 'normal' }), ['virtualization=on', 'acpi=off']);
  t.same(options({ world: 'normal', its: false }), ['virtualization=on', 'acpi=off', 'its=off']);
  t.same(options({ firmware: 'monitor-rme' }), ['secure=on', 'virtualization=on', 'acpi=off', 'highmem-mmio=off']);
  const { firmware: _, ...plain } = realm.machine;
  const normal = machineArguments({ ...realm, machine: { ...plain, world: 'normal', its: false } });
  t.equal(argumentOf(normal, '-machine'), 'virt,gic-version=3,dtb-randomness=off,its=off');
  const rme = machineArguments({ ...realm, machine: { ...realm.machine, firmware: 'monitor-rme' } });
  t.equal(argumentOf(rme, '-cpu'), 'max,x-rme=on');
  t.end();
});
