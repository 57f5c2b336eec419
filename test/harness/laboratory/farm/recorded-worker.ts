// SPDX-License-Identifier: GPL-2.0-only
/**
 * A worker of a farm whose boots are replaced by a recorded one, so that tests of the farm cost no
 * boots: everything but the boot is real. It answers each case with that recording under the
 * case's own name. `recorded-worker.ts URL LABEL`; RECORDED_MILLISECONDS a case takes,
 * RECORDED_HOURS is how wrong its clock is,
 * RECORDED_JOBS at a time, RECORDED_DIGEST is what it calls its sources. RECORDED_FAULT is what goes
 * wrong: `die`, `host` or `mangle`, for the cases whose name matches RECORDED_FAULTY. With
 * RECORDED_BUILDS=host it takes kernels to build, too, and its host fails all of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { farmAddress } from '../../../../harness/laboratory/farm/address.ts';
import { ownIdentity } from '../../../../harness/laboratory/farm/identity.ts';
import type { CaseJob } from '../../../../harness/laboratory/farm/protocol.ts';
import { workForFarm } from '../../../../harness/laboratory/farm/worker.ts';
import { packagedEmulator } from '../../../../images/emulator/emulator.ts';
import { messageOf } from '../../../../src/errors.ts';
import { mangle, recordedCase, repack } from './recorded-case.ts';

const [, , url = '', label = ''] = process.argv;
const { env } = process;
const milliseconds = Number(env.RECORDED_MILLISECONDS ?? '20');
const faulty = env.RECORDED_FAULTY === undefined ? undefined : new RegExp(env.RECORDED_FAULTY);
// Whatever asks for the time of day from here on gets that of a host whose clock is wrong.
const timeOfDay = Date.now;
const wrong = Number(env.RECORDED_HOURS ?? '0') * 3_600_000;
Date.now = () => timeOfDay() + wrong;
const recorded = await recordedCase();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

/** As node:fs says it. */
const fullDisk = (): Error =>
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

async function runCase({ case: asked, kernel }: CaseJob, signal: AbortSignal): Promise<Buffer> {
  await sleep(milliseconds, undefined, { signal });
  if (faulty?.test(asked.name)) {
    if (env.RECORDED_FAULT === 'die') process.kill(process.pid, 'SIGKILL');
    if (env.RECORDED_FAULT === 'host') throw fullDisk();
    if (env.RECORDED_FAULT === 'mangle') return mangle(await repack(recorded, asked, kernel));
  }
  return repack(recorded, asked, kernel);
}

const { version, sha256 } = await packagedEmulator();
const identity = ownIdentity();
try {
  await workForFarm({
    address: farmAddress(url),
    jobs: Number(env.RECORDED_JOBS ?? '2'),
    label,
    version: {
      ...identity,
      digest: env.RECORDED_DIGEST ?? identity.digest,
      emulator: { version, sha256 },
    },
    tasks: {
      runCase: (job, _, signal) => runCase(job, signal),
      ...(env.RECORDED_BUILDS === 'host' && { buildKernel: () => Promise.reject(fullDisk()) }),
    },
    signal: stop.signal,
  });
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 2;
}
