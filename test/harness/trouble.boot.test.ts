// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { writeCpio } from '../../guest/cpio.ts';
import { boot } from '../../harness/boot/boot.ts';
import { defaultLimits } from '../../harness/boot/watchdog.ts';
import { withMachine } from '../../harness/emulator/virtual-machine.ts';
import { atFirstCheckpoint, offsetOf, patched, qemuMachine, realSetup } from './boot-setup.ts';
import { eventually, isAlive } from './processes.ts';

const spec = 'debian:6.12';

t.test('a QEMU that is killed in mid-boot is one clear error', async (t) => {
  const setup = await realSetup(t, spec, {
    onEvent: atFirstCheckpoint((pid) => process.kill(pid, 'SIGKILL')),
  });
  await t.rejects(boot(setup), {
    name: 'PtdiffError',
    fault: 'emulator',
    message: /QEMU ended by signal 9/,
  });
});

t.test('a QEMU that something stops is an error of the host, and ends', async (t) => {
  let qemu = 0;
  const onEvent = atFirstCheckpoint((pid) => {
    qemu = pid;
    process.kill(pid, 'SIGSTOP');
  });
  const setup = await realSetup(t, spec, {
    onEvent,
    watchdog: { ...defaultLimits, idleSeconds: 5 },
  });
  await t.rejects(boot(setup), {
    fault: 'host',
    message: /Something stopped QEMU \(SIGSTOP.* left it stopped for 5 s/,
  });
  // Its pipes are closed, which is what the harness waits for, a moment before it is a zombie.
  t.ok(await eventually(() => !isAlive(qemu)));
  t.same(readdirSync(setup.directory), []);
});

t.test(
  'a QEMU that does not stop its guest when it is asked to is an error, after a while',
  async (t) => {
    const setup = await realSetup(t, spec);
    await withMachine(qemuMachine(setup), {}, setup, async ({ gdb, pid }) => {
      const running = gdb.resume();
      // The client sends what was asked for at once together.
      await sleep(100);
      process.kill(pid, 'SIGSTOP');
      gdb.interrupt();
      await t.rejects(running, {
        fault: 'emulator',
        message: /did not answer the request to stop the guest within 60 s/,
      });
    });
    t.same(readdirSync(setup.directory), []);
  },
);

t.test(
  'a command line that the kernel would cut short is refused before anything begins',
  async (t) => {
    const setup = await realSetup(t, spec, {
      commandLine: 'x'.repeat(2048),
      directory: '/nonexistent',
    });
    await t.rejects(boot(setup), { fault: 'usage', message: /its command line has 2048 bytes/ });
  },
);

t.test('an emulator that refuses says why', async (t) => {
  const setup = await realSetup(t, spec, { cpu: 'no-such-cpu' });
  await t.rejects(boot(setup), { fault: 'emulator', message: /status 1 .*no-such-cpu/ });
});

t.test('an abort ends QEMU and leaves nothing behind', async (t) => {
  const controller = new AbortController();
  let qemu = 0;
  const onEvent = atFirstCheckpoint((pid) => {
    qemu = pid;
    controller.abort(new Error('interrupted'));
  });
  const setup = await realSetup(t, spec, { signal: controller.signal, onEvent });
  await t.rejects(boot(setup), { message: 'interrupted' });
  t.ok(await eventually(() => !isAlive(qemu)));
  t.same(readdirSync(setup.directory), []);
});

t.test('QEMU dies with a harness that is killed, and its RAM file with it', async (t) => {
  const { symbols: _, signal: __, onEvent: ___, vmemmap, ...setup } = await realSetup(t, spec);
  const script = join(import.meta.dirname, 'boot-alone.ts');
  const harness = spawn(
    process.execPath,
    [script, JSON.stringify({ ...setup, vmemmap: String(vmemmap) })],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [text] = await once(harness.stdout.setEncoding('utf8'), 'data');
  const qemu = Number(/qemu (\d+)/.exec(text)?.[1]);
  t.ok(isAlive(qemu));
  harness.kill('SIGKILL');
  await once(harness, 'exit');
  t.ok(await eventually(() => !isAlive(qemu)));
  t.same(readdirSync(setup.directory), []);
});

t.test('a panic is evidence, with what was captured before and its own words', async (t) => {
  const initramfs = join(t.testdir(), 'empty.cpio');
  writeFileSync(initramfs, writeCpio([]));
  const evidence = await boot(await realSetup(t, spec, { initramfs }));
  t.match(evidence.end, {
    kind: 'panic',
    reason: /Unable to mount root fs/,
    lastCheckpoint: 'smp_cpus_done',
  });
  t.match(evidence.console, 'Kernel panic - not syncing: VFS');
});

t.test('a panic on a silent console is no hang', async (t) => {
  const initramfs = join(t.testdir(), 'empty.cpio');
  writeFileSync(initramfs, writeCpio([]));
  const setup = await realSetup(t, spec, { initramfs, commandLine: 'console=none nokaslr' });
  const evidence = await boot(setup);
  t.equal(evidence.console, '');
  t.match(evidence.end, {
    kind: 'panic',
    reason: /without a word/,
    lastCheckpoint: 'smp_cpus_done',
  });
});

t.test('a guest that resets early is evidence', async (t) => {
  const setup = await realSetup(t, spec, {
    commandLine: 'console=ttyAMA0 earlycon nokaslr -- ptdiff.end=stay',
  });
  // A PSCI SYSTEM_RESET by HVC.
  const evidence = await boot(
    patched(t, setup, 'free_initmem', 8, [0x52800120, 0x72b08000, 0xd4000002]),
  );
  t.match(evidence.end, { kind: 'died', reason: /guest-reset/, lastCheckpoint: 'free_initmem' });
});

const hastyWatchdog = {
  cpuSeconds: 3,
  idleSeconds: 20,
  stalledSeconds: 300,
  consoleBytes: 1 << 20,
};

/** B . (DDI 0487 C6.2) */
const endlessLoop = 0x14000000;

t.test('a guest that hangs is evidence, with where it hangs', async (t) => {
  const setup = await realSetup(t, spec, { watchdog: hastyWatchdog });
  const evidence = await boot(patched(t, setup, 'free_initmem', 8, [endlessLoop]));
  // The timer goes on, so that it may be found in the handler of an interrupt.
  t.match(evidence.end, {
    kind: 'hang',
    reason: /3 s of CPU time.*CPU 0 at .*\bfree_initmem\+0x8 < .*\bret_from_fork\+0x/,
  });
  t.equal(evidence.captures.length, 3);
});

// 6.13 changed the frame record of an exception.
for (const [each, cpu] of Object.entries({
  'debian:6.12': 'max,pauth=off',
  'debian:7.3': 'max,pauth-impdef=on',
})) {
  for (const [name, offset, trace] of [
    [
      'update_process_times',
      0x8,
      /CPU 0 at update_process_times\+0x8 < tick_\w+\+.*\bel1h_64_irq\+\w+ < /,
    ],
    // IRQ of the current EL with SP_ELx (Arm ARM, VBAR_EL1), before anything is saved.
    ['vectors', 0x280, /CPU 0 at vectors\+0x280 < /],
  ] as const) {
    t.test(
      `${each} hangs in ${name} on -cpu ${cpu}: the trace goes on to what was interrupted`,
      async (t) => {
        const setup = await realSetup(t, each, {
          cpu: `${cpu},sve=off,sme=off`,
          watchdog: hastyWatchdog,
        });
        const { end } = await boot(patched(t, setup, name, offset, [endlessLoop]));
        t.match(end, { kind: 'hang', reason: trace });
        t.match(end, {
          reason: / < start_kernel\+0x\w+ < __primary_switched\+0x\w+; last console line/,
        });
      },
    );
  }
}

t.test('a guest that floods its console is given up, and its log is bounded', async (t) => {
  const setup = await realSetup(t, spec, {
    watchdog: { cpuSeconds: 60, idleSeconds: 60, stalledSeconds: 300, consoleBytes: 1 << 20 },
  });
  // while (true) printk(format): x0 is set anew from x19 each time.
  const at = (index: number) => offsetOf(setup, 'free_initmem') + index * 4;
  const [printk, format] = [offsetOf(setup, '_printk'), offsetOf(setup, 'linux_banner')];
  const loop = [
    adrp(at(2), format),
    0x91000000 | ((format & 0xfff) << 10),
    branchLink(at(4), printk),
    0x17fffffd,
  ];
  const evidence = await boot(patched(t, setup, 'free_initmem', 8, loop));
  t.match(evidence.end, {
    kind: 'hang',
    reason: /more than 1 MiB on its console/,
    lastCheckpoint: 'free_initmem',
  });
  t.ok(evidence.console.length <= (1 << 20) + (1 << 16));
});

/** ADRP x0, and BL (DDI 0487 C6.2), for offsets in the Image. */
function adrp(at: number, target: number): number {
  const pages = (target >> 12) - (at >> 12);
  return 0x90000000 | ((pages & 3) << 29) | (((pages >> 2) & 0x7ffff) << 5);
}

function branchLink(at: number, target: number): number {
  return 0x94000000 | (((target - at) >> 2) & 0x3ffffff);
}
