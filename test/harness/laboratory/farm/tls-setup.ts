// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageClosure } from '../../../../images/debian/package-closure.ts';
import { openToolArchive } from '../../../../images/toolchain/tool-archive.ts';
import { prefixCommand, toolPrefix } from '../../../../images/toolchain/tool-prefix.ts';

/** OpenSSL of Debian's archive, since a host need not have one. */
async function openssl(): Promise<(words: string[]) => Promise<unknown>> {
  const { tree } = await toolPrefix(
    'openssl',
    async () => {
      const archive = await openToolArchive('trixie', {});
      return {
        parts: [{ archive, packages: await packageClosure(archive, ['openssl'], 'trixie') }],
        notes: [],
      };
    },
    {},
  );
  const [program, ...first] = prefixCommand(tree, 'usr/bin/openssl');
  return (words) => execa(program, [...first, ...words]);
}

/**
 * Makes a CA of one's own and the certificate of a server by it, in a folder: ca.crt, server.crt and
 * server.key; and other.crt, a CA that has nothing to do with them.
 * @param name what the server is reached by, as a certificate has it: `IP:127.0.0.1`
 */
export async function makeCertificates(folder: string, name: string): Promise<void> {
  const path = (file: string) => join(folder, file);
  const run = await openssl();
  writeFileSync(path('openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const make = (file: string, subject: string, more: string[]) =>
    run([
      'req',
      '-x509',
      ...['-config', path('openssl.cnf'), ...key],
      ...['-keyout', path(`${file}.key`), '-out', path(`${file}.crt`), '-subj', `/CN=${subject}`],
      ...more,
    ]);
  const authority = ['-addext', 'basicConstraints=critical,CA:TRUE'];
  await make('ca', 'A CA of a test', authority);
  await make('other', 'Another CA', authority);
  const signed = ['-CA', path('ca.crt'), '-CAkey', path('ca.key')];
  const server = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  await make('server', 'engine', [...signed, ...server, '-addext', `subjectAltName=${name}`]);
}
