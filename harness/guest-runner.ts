import type { StopReply } from './gdb.ts';
import { processActivity } from './process.ts';
import type { VirtualMachine } from './virtual-machine.ts';
import type { Watchdog } from './watchdog.ts';

/** Between two looks at a running guest. Short enough to end a hang in time, long enough to cost nothing. */
const lookMilliseconds = 250;

/** Why a running guest stands still again. */
export type GuestStop =
  | { kind: 'breakpoint'; thread: string; pc: bigint }
  /** The guest reset or powered off; `reason` is QEMU's, e.g. 'guest-reset'. */
  | { kind: 'shutdown'; reason: string }
  /** The watchdog gave it up; `reason` as the end of a sentence. */
  | { kind: 'hang'; reason: string }
  /** `until` said so. */
  | { kind: 'enough' };

/** SIGTRAP and SIGQUIT, by which QEMU's stub tells a breakpoint and RUN_STATE_SHUTDOWN (gdbstub/system.c). */
const breakpointSignal = 5;
const shutdownSignal = 3;

/**
 * Lets the guest run until something stops it, under the eyes of the watchdog.
 * @param until asked at every look; true interrupts the guest
 */
export async function runGuest(
  vm: VirtualMachine,
  watchdog: Watchdog,
  until: () => boolean = () => false,
): Promise<GuestStop> {
  let given: GuestStop | undefined;
  const timer = setInterval(() => {
    const reason = lookAt(vm, watchdog);
    if (given === undefined && (reason !== undefined || until())) {
      given = reason === undefined ? { kind: 'enough' } : { kind: 'hang', reason };
      vm.gdb.interrupt();
    }
  }, lookMilliseconds);
  try {
    const stop = await vm.gdb.resume();
    lookAt(vm, watchdog);
    return given ?? (await explainStop(vm, stop));
  } finally {
    clearInterval(timer);
  }
}

/** Takes in the console and asks the watchdog. */
function lookAt(vm: VirtualMachine, watchdog: Watchdog): string | undefined {
  vm.console.poll(watchdog.limits.consoleBytes);
  const activity = processActivity(vm.pid);
  // When QEMU is gone its sockets tell.
  return (
    activity && watchdog.look({ ...activity, wallSeconds: performance.now() / 1000, consoleBytes: vm.console.total })
  );
}

async function explainStop(vm: VirtualMachine, stop: StopReply): Promise<GuestStop> {
  if (stop.kind === 'stopped' && stop.signal === breakpointSignal) {
    return { kind: 'breakpoint', thread: stop.thread, pc: await vm.gdb.readRegister(stop.thread, 'pc') };
  }
  if (stop.kind === 'stopped' && stop.signal === shutdownSignal) {
    // A command and its answer: by then the event that explains the stop has arrived.
    await vm.qmp.execute('query-status');
    const event = vm.events.findLast(({ event }) => event === 'SHUTDOWN');
    return { kind: 'shutdown', reason: String(event?.data.reason ?? 'unknown') };
  }
  const what = stop.kind === 'exited' ? 'QEMU ended' : `the guest stopped with signal ${stop.signal}`;
  return { kind: 'hang', reason: `${what} for no reason that ptdiff knows` };
}
