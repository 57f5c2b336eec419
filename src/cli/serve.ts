// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join, resolve } from 'node:path';
import { knownIssuesFolder } from '../../harness/laboratory/laboratory.ts';
import { storeFile, storeHelp } from '../../harness/laboratory/store-file.ts';
import { onHost, replaceFile } from '../../host/host-file.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { say } from '../../host/say.ts';
import { repositoryRoot } from '../../host/version.ts';
import { loadKnownIssues } from '../../results/known-issues.ts';
import {
  findingNames,
  findingText,
  readLooks,
  scenariosShowing,
} from '../../results/store/read-looks.ts';
import { openStoreThatIs, type Store } from '../../results/store/store.ts';
import { countText } from '../diff/text.ts';
import { messageOf, PtdiffError } from '../errors.ts';
import { findingLife } from '../history/finding-life.ts';
import { formatSite } from '../report/site/site.ts';
import type { SiteData } from '../report/site/types.ts';
import { portNumber, type Verb } from './verb.ts';

async function siteData(store: Store): Promise<SiteData> {
  const looks = readLooks(store);
  const findings = findingNames(store).flatMap((name) => {
    const scenarios = new Set(scenariosShowing(store, name));
    const life = findingLife(
      name,
      looks.filter(({ scenario }) => scenarios.has(scenario.name)),
    );
    const text = findingText(store, name);
    return life && text ? [{ life, text }] : [];
  });
  return { looks, findings, knownIssues: await loadKnownIssues(knownIssuesFolder) };
}

function writeSite(out: string, pages: ReadonlyMap<string, string>): void {
  onHost(out, () => makeFolder(out));
  for (const [name, page] of pages) replaceFile(join(out, name), page);
}

/** Serves the pages, and nothing else, to this machine only. */
async function listen(pages: ReadonlyMap<string, string>, port: number): Promise<Server> {
  // Paths in the spelling of a browser; a path that is not a page is refused, however it is spelt.
  const spelt = new Map(
    [...pages].map(([name, page]) => [new URL(name, 'http://localhost/').pathname, page]),
  );
  const server = createServer(({ url = '/', method }, response) => {
    const page =
      method === 'GET' || method === 'HEAD'
        ? spelt.get(url === '/' ? '/index.html' : url)
        : undefined;
    response.writeHead(page === undefined ? 404 : 200, {
      'content-type': `text/${page === undefined ? 'plain' : 'html'}; charset=utf-8`,
      'x-content-type-options': 'nosniff',
    });
    response.end(method === 'HEAD' ? undefined : (page ?? 'There is no such page.\n'));
  });
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new PtdiffError(
      'host',
      `Cannot listen on port ${port}: ${messageOf(error)}; name another --port.`,
      {
        cause: error,
      },
    );
  }
  return server;
}

/** `ptdiff serve`. */
async function serve(
  options: { store?: string; out?: string; port?: number },
  signal: AbortSignal,
): Promise<number> {
  const out = resolve(options.out ?? join(repositoryRoot, 'results', 'site'));
  using store = await openStoreThatIs(storeFile(options.store));
  const pages = formatSite(await siteData(store));
  writeSite(out, pages);
  process.stdout.write(`${countText(pages.size, 'page')}: ${join(out, 'index.html')}\n`);
  if (options.port === undefined) return 0;
  const server = await listen(pages, options.port);
  const address = server.address();
  say(`http://127.0.0.1:${typeof address === 'object' ? address?.port : address}/ until Ctrl-C`);
  if (!signal.aborted) await once(signal, 'abort');
  server.closeAllConnections();
  server.close();
  return 0;
}

export const addServe: Verb = (command, { signal, finish }) => {
  command
    .option('--out <dir>', 'folder for the pages (default: results/site)')
    .option('--port <n>', 'serve them on this port of this machine until Ctrl-C', portNumber)
    .option('--store <file>', storeHelp)
    .action(async (options) => finish(await serve(options, signal)));
};
