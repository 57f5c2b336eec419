// SPDX-License-Identifier: GPL-2.0-only
/** What builds kernels; no kernel is built here. */

import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { buildTools } from '../../../images/source/build-tools.ts';
import { wantedConfig } from '../../../images/source/config-fragments.ts';

// The programs may have to be fetched.
t.setTimeout(0);

/** As scripts/bpf_doc.py begins, and as tools/bpf/resolve_btfids is linked. */
const python = 'import argparse, enum, json, os, re, subprocess, sys; print("it runs")';
const program = `#include <libelf.h>
#include <stdio.h>
#include <zlib.h>

int main(void)
{
	return puts(elf_version(EV_CURRENT) == EV_CURRENT && *zlibVersion() ? "linked" : "") < 0;
}
`;

t.test('types of the kernel need programs that no other build sees', async (t) => {
  const plain = await buildTools('gcc', (await wantedConfig([])).options, {});
  const { id, bin, env, variables } = await buildTools(
    'gcc',
    (await wantedConfig(['board'])).options,
    {},
  );
  t.not(id, plain.id);
  const directory = t.testdir({ 'linked.c': program });
  const run = (path: string, file: string, ...words: string[]) =>
    execa(file, words, {
      cwd: directory,
      env: { ...env, PATH: path },
      extendEnv: false,
      reject: false,
    });
  t.equal((await run(plain.bin, 'pahole', '--version')).failed, true);
  t.match((await run(bin, 'pahole', '--version')).stdout, /^v1\.\d+$/);
  t.equal((await run(bin, 'python3', '-c', python)).stdout, 'it runs');
  const flags = (name: string) =>
    variables.flatMap((each) =>
      each.startsWith(`${name}=`) ? each.slice(name.length + 1).split(' ') : [],
    );
  const compile = [...flags('HOSTCFLAGS'), 'linked.c', ...flags('HOSTLDFLAGS'), '-o', 'linked'];
  const { stderr } = await run(`${bin}:/usr/bin:/bin`, 'host-gcc', ...compile, '-lelf', '-lz');
  t.equal(stderr, '');
  t.equal((await run('', join(directory, 'linked'))).stdout, 'linked');
});
