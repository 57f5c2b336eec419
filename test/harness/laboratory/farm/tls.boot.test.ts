// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { freePort } from '../../../../harness/laboratory/farm/engine.ts';
import { packagedValkey } from '../../../../images/engine/valkey.ts';
import { given } from '../../../given.ts';
import { end, ptdiff, start, until } from './farm-setup.ts';
import { farmOf, whole } from './recorded-farm.ts';
import { makeCertificates } from './tls-setup.ts';

// Boots are replaced by a recorded one, see recorded-worker.ts.

const root = join(import.meta.dirname, '..', '..', '..', '..');
const password = 'p'.repeat(20);

/** The engine of the compose file and of docs/farm.md, with their words for paths and port. */
async function composedEngine(folder: string, port: number): Promise<string[]> {
  const compose = parse(readFileSync(join(root, 'examples', 'farm-compose.yaml'), 'utf8'));
  const [, ...words]: string[] = compose.services.engine.command;
  const document = readFileSync(join(root, 'docs', 'farm.md'), 'utf8');
  const [, acl = ''] = /```acl\n([\s\S]*?)```/.exec(document) ?? [];
  writeFileSync(join(folder, 'users.acl'), acl.replaceAll('PASSWORD', password));
  const { command } = await packagedValkey();
  const own = words.map((word) => word.replace('/etc/valkey', folder).replace('6380', `${port}`));
  return [...command, ...own, '--dir', folder];
}

t.test('a farm by TLS, with a certificate of a CA of its own', async (t) => {
  const farm = await farmOf(t);
  const { folder } = farm;
  await makeCertificates(folder, 'IP:127.0.0.1');
  const port = await freePort();
  const engine = start(await composedEngine(folder, port), {});
  t.teardown(() => end(engine));
  const env = (ca: string | undefined) => ({
    PTDIFF_FARM_PASSWORD: password,
    NODE_EXTRA_CA_CERTS: ca && join(folder, ca),
  });
  const known = env('ca.crt');
  const status = (url: string, own: NodeJS.ProcessEnv) =>
    ptdiff(['farm', 'status', '--farm', url], own);
  const url = `rediss://ptdiff@127.0.0.1:${port}`;
  await until(async () => (await status(url, known)).exitCode === 0);

  farm.url = `rediss://worker@127.0.0.1:${port}`;
  farm.worker('w', known);
  farm.url = url;
  const { exitCode, all } = await farm.run(10, known);
  t.equal(exitCode, 0, all);
  whole(t, farm, 10);

  const plain = farm.engine.url;
  const refused: [string, NodeJS.ProcessEnv, RegExp, number?][] = [
    [url, env(undefined), /: its certificate is of no CA that this host knows .*_EXTRA_CA_CERTS/],
    [url, env('other.crt'), /: its certificate is of no CA that this host knows .*_EXTRA_CA_CERTS/],
    [
      url.replace('127.0.0.1', 'localhost'),
      known,
      /: its certificate is for other hosts .*altname/,
    ],
    [url.replace('rediss', 'redis'), known, / ends the connection .*write rediss:/, 3],
    [
      plain.replace('redis', 'rediss'),
      known,
      /ETIMEDOUT; see .* that it speaks TLS on this port/,
      3,
    ],
  ];
  const ends = await Promise.all(refused.map(([wrong, own]) => status(wrong, own)));
  for (const [index, [, , why, exitCode = 2]] of refused.entries()) {
    const told = given(ends[index]);
    t.equal(told.exitCode, exitCode, told.all);
    t.match(told.all, why);
    t.match(told.all, /^ptdiff: [^\n]+\.$/, 'one sentence');
    t.notMatch(told.all, password);
  }
});
