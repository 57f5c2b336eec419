// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HeldMachine } from '../../harness/boot/held-machine.ts';
import { prepareLaboratory } from '../../harness/laboratory/laboratory.ts';
import type { LoadedKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { type MatrixRequest, planMatrix } from '../../harness/laboratory/plan-matrix.ts';
import { runCase } from '../../harness/laboratory/run-case.ts';
import { replaceFile } from '../../host/host-file.ts';
import { say } from '../../host/say.ts';
import { PtdiffError } from '../errors.ts';
import { bootCheckpoints, type CheckpointName } from '../evidence/capture.ts';
import { symbolElf } from '../linux/symbol-elf.ts';
import { shellWord } from '../report/export/mail-layout.ts';
import { suggest } from '../suggest.ts';
import { exitCodes } from './exit-codes.ts';

/** @throws PtdiffError(usage) for a name that is not a checkpoint */
function checkpointNamed(name: string): CheckpointName {
  const found = bootCheckpoints.find((each) => each === name);
  if (found) return found;
  const known = bootCheckpoints.join(', ');
  throw new PtdiffError(
    'usage',
    `There is no checkpoint '${name}'; there are ${known}.${suggest(name, bootCheckpoints)}`,
  );
}

/** What to type to look around; the symbols are at their addresses of this boot. */
function tell(
  machine: HeldMachine,
  { image }: LoadedKernel,
  symbolFile: string,
  checkpoint: CheckpointName,
): void {
  const commands = [
    'set architecture aarch64',
    `symbol-file ${symbolFile}`,
    `target remote ${machine.gdbSocket}`,
  ];
  const gdb = `gdb-multiarch ${commands.map((each) => `-ex ${shellWord(each)}`).join(' ')}`;
  process.stdout.write(
    `${image.release} is stopped at ${checkpoint} (QEMU is process ${machine.pid}; slide 0x${machine.slide.toString(16)}).\n\n` +
      `  ${gdb}\n\nThere, 'continue' lets the guest run on. Ctrl-C here ends it.\n`,
  );
}

/**
 * `ptdiff run --stop-at CHECKPOINT`: boots one case up to a checkpoint, and keeps QEMU there for a
 * debugger until Ctrl-C.
 * @throws PtdiffError(usage) for more than one case, for an unknown checkpoint, or one that the
 * kernel never reaches
 */
export async function runStopped(
  request: MatrixRequest,
  name: string,
  signal: AbortSignal,
): Promise<number> {
  const checkpoint = checkpointNamed(name);
  const { kernels, unavailable, plan } = await planMatrix(request, signal);
  const [missing] = unavailable;
  if (missing) throw new PtdiffError('usage', missing.reason);
  const [planned, ...others] = plan.planned;
  const [kernel] = kernels;
  const scenario = plan.scenarios.find((each) => each.name === planned?.scenario);
  if (!planned || !kernel || !scenario || others.length > 0 || request.scenarios.length === 0) {
    throw new PtdiffError(
      'usage',
      '--stop-at is for one case; name one --kernel and one --scenario.',
    );
  }
  const laboratory = await prepareLaboratory(plan.scenarios, request.qemu, false);
  // Short, since the length of a socket's path is limited.
  const folder = await mkdtemp(join(tmpdir(), 'ptdiff-stop-'));
  let held = false;
  const until = async (machine: HeldMachine): Promise<void> => {
    held = true;
    const symbolFile = join(folder, 'symbols.elf');
    replaceFile(symbolFile, symbolElf(kernel.symbols, machine.slide));
    tell(machine, kernel, symbolFile, checkpoint);
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  };
  const hold = { checkpoint, gdbSocket: join(folder, 'gdb'), until };
  try {
    const result = await runCase(
      laboratory,
      { name: planned.case, kernel, scenario, directory: folder, hold },
      signal,
    );
    say(`the boot never reached ${checkpoint}: it ended ${result.verdict}`);
    return exitCodes.errors;
  } catch (error) {
    if (held && signal.aborted) return exitCodes.pass;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
