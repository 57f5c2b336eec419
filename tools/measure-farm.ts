// SPDX-License-Identifier: GPL-2.0-only
/**
 * Measures what a case costs a farm's engine: a real Valkey, jobs as a run gives them out, and
 * workers that answer with a recorded boot at once. Prints commands, bytes and the engine's CPU
 * time per case. `measure-farm.ts [CASES [WORKERS [JOBS]]]`
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { withDir } from 'tmp-promise';
import { farmAddress } from '../harness/laboratory/farm/address.ts';
import { Engine } from '../harness/laboratory/farm/engine.ts';
import { FarmRun } from '../harness/laboratory/farm/farm-run.ts';
import { ownIdentity } from '../harness/laboratory/farm/identity.ts';
import { type CaseJob, queues } from '../harness/laboratory/farm/protocol.ts';
import { workForFarm } from '../harness/laboratory/farm/worker.ts';
import { scenariosNamed } from '../harness/laboratory/plan.ts';
import { first } from '../src/present.ts';
import { root } from './script.ts';

const [cases = 2000, workers = 4, jobs = 8] = process.argv.slice(2).map(Number);
const hash = '0'.repeat(64);
const packed = readFileSync(join(root, 'test/harness/laboratory/farm/fixtures/realm+max.case.zst'));
const version = { ...ownIdentity(), emulator: { version: '0', sha256: hash } };
const scenario = first(await scenariosNamed('realm+max'));
const run = randomBytes(8).toString('hex');

const job = (index: number): CaseJob => ({
  schema: 1,
  ptdiff: version.digest,
  run,
  case: { name: `7.3.4+deb13-arm64@realm+max-${index}`, scenario, depth: 'full' },
  kernel: {
    spec: 'debian:7.3',
    release: '7.3.4+deb13-arm64',
    version: '7.3.4-1~bpo13+1',
    flavour: 'arm64',
    sha256: hash,
    source: 'linux-image-7.3.4+deb13-arm64-unsigned 7.3.4-1~bpo13+1 (trixie-backports)',
    hasModules: true,
    config: hash,
  },
  emulator: hash,
  initramfs: hash,
  monitor: hash,
});

interface Sample {
  commands: Map<string, number>;
  received: number;
  sent: number;
  cpu: number;
}

async function sample(client: Redis): Promise<Sample> {
  const info = await client.info('all');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
  const calls = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return {
    commands: new Map(calls.map(([, name = '', count]) => [name, Number(count)])),
    received: field('total_net_input_bytes'),
    sent: field('total_net_output_bytes'),
    cpu: field('used_cpu_user') + field('used_cpu_sys'),
  };
}

async function measure(folder: string): Promise<void> {
  const engine = await Engine.start({ folder });
  const address = farmAddress(engine.url);
  const client = new Redis(engine.url);
  const stop = new AbortController();
  const working = Array.from({ length: workers }, (_, index) =>
    workForFarm({
      address,
      jobs,
      label: `w${index}`,
      version,
      tasks: { runCase: async () => packed },
      signal: stop.signal,
    }),
  );
  const farm = await FarmRun.open({ address, run, version });
  const before = await sample(client);
  const start = performance.now();
  let peak = 0;
  const timer = setInterval(async () => {
    peak = Math.max(peak, Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]));
  }, 200);
  await Promise.all(
    Array.from({ length: cases }, async (_, index) => {
      await farm.turn(stop.signal);
      await farm.submit(queues.cases, `${run}-${index}`, async () => job(index), stop.signal);
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  clearInterval(timer);
  const after = await sample(client);
  await farm.close();
  stop.abort();
  await Promise.all(working);
  client.disconnect();
  await engine.stop();
  const each = (name: string): number =>
    ((after.commands.get(name) ?? 0) - (before.commands.get(name) ?? 0)) / cases;
  const counted = [...after.commands.keys()]
    .map((name) => ({ name, count: each(name) }))
    .filter(({ count }) => count >= 0.005)
    .sort((a, b) => b.count - a.count);
  for (const { name, count } of counted) console.log(`${name.padEnd(16)} ${count.toFixed(2)}`);
  const total = counted.reduce((sum, { count }) => sum + count, 0);
  console.log(`${total.toFixed(1)} commands a case, those of the engine's scripts included`);
  console.log(`${((after.received - before.received) / cases).toFixed(0)} bytes received a case`);
  console.log(`${((after.sent - before.sent) / cases).toFixed(0)} bytes sent a case`);
  console.log(
    `${(((after.cpu - before.cpu) / cases) * 1000).toFixed(2)} ms of the engine's CPU a case`,
  );
  console.log(`${JSON.stringify(job(0)).length} bytes of a job, ${packed.length} of a result`);
  console.log(`${(cases / seconds).toFixed(0)} cases a second, ${(peak / 2 ** 20).toFixed(1)} MiB`);
}

await withDir(({ path }) => measure(path), { unsafeCleanup: true });
