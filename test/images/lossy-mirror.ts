// SPDX-License-Identifier: GPL-2.0-only
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { debianMirror } from '../../images/debian/mirror.ts';

/** A mirror that has everything the real one has, save the files that were lost. */
interface LossyMirror {
  address: string;
  close(): void;
}

/**
 * Serves the real Debian mirror on this machine, with real signatures.
 * @param lost matches the paths that answer 404 although the index lists them
 */
export async function lossyMirror(lost: RegExp): Promise<LossyMirror> {
  const real = await debianMirror();
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '').replace(/^\/debian/, '');
    const answer = lost.test(decodeURIComponent(path))
      ? undefined
      : await fetch(real + path).catch(() => undefined);
    if (!answer?.ok || answer.body === null) {
      response.writeHead(404).end();
      return;
    }
    const length = answer.headers.get('content-length');
    response.writeHead(200, length === null ? {} : { 'content-length': length });
    await pipeline(answer.body, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
