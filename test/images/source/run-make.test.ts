// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { firstError, hostTrouble, runMake } from '../../../images/source/run-make.ts';

t.test('the first error of a log is the one that counts', async (t) => {
  const compiler = [
    '  CC      arch/arm64/mm/mmu.o',
    '/c/src/arch/arm64/mm/mmu.c:70:9: warning: unused variable ‘x’',
    "/c/src/arch/arm64/mm/mmu.c:71:9: error: 'y' undeclared (first use in this function)",
    '/c/src/arch/arm64/mm/mmu.c:90:1: error: expected declaration',
    'make[4]: *** [scripts/Makefile.build:287: arch/arm64/mm/mmu.o] Error 1',
  ].join('\n');
  t.equal(
    firstError(compiler, '/c/src', 2),
    "arch/arm64/mm/mmu.c:71:9: error: 'y' undeclared (first use in this function)",
  );
  const linker =
    "aarch64-linux-gnu-ld: mmu.o: undefined reference to `f'\nmake: *** [vmlinux] Error 1";
  t.match(firstError(linker, '/c/src', 2), /undefined reference to `f'/);
  t.match(
    firstError('make[1]: *** No rule to make target a.o.  Stop.', '/c/src', 2),
    /No rule to make target a\.o/,
  );
  const generator =
    '  YACC    parser.tab.c\nbison: m4 failed\nmake[3]: *** [parser.tab.h] Error 1\nmake: *** [x] Error 2';
  t.equal(firstError(generator, '/c/src', 2), 'bison: m4 failed');
  t.equal(firstError('', '/c/src', 127), 'make ended with status 127');
});

t.test(
  'a compiler without memory, or a make that is killed, is no fault of the kernel',
  async (t) => {
    const killed =
      'gcc: fatal error: Killed signal terminated program cc1\ncompilation terminated.';
    const log = `  CC      mm/mmu.o\n${killed}\nmake: *** [mm/mmu.o] Error 1`;
    t.match(hostTrouble(log, 'x', 2), {
      fault: 'host',
      message: /No memory .* x \(gcc: .* cc1\): /,
    });
    t.match(hostTrouble('cc1: out of memory allocating 65 bytes', 'x', 2), { fault: 'host' });
    t.match(hostTrouble('  CC  a.o', 'x', undefined), { fault: 'host', message: /from outside/ });
    t.equal(
      hostTrouble('a.c:1:2: error: \'y\'\n 1 | f(y, "Out of memory")\nmake: *** Error 1', 'x', 2),
      undefined,
    );
  },
);

t.test('the compiler runs under the ccache on PATH, wherever that is', async (t) => {
  const directory = t.testdir({ objects: {}, bin: {}, 'folder of ccache': {}, ccache: {} });
  const program = (...path: string[]) =>
    writeFileSync(join(directory, ...path), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  // Only how make is called is looked at.
  program('bin', 'make');
  process.env.PTDIFF_CACHE = directory;
  const tools = {
    compiler: 'gcc',
    id: 'x',
    version: 'gcc 14',
    bin: join(directory, 'bin'),
    env: {},
    variables: [],
  } as const;
  const [log, objects] = [join(directory, 'log'), join(directory, 'objects')];
  const { PATH } = process.env;
  t.teardown(() => {
    process.env.PATH = PATH;
  });
  const called = async (folder: string) => {
    process.env.PATH = `${join(directory, folder)}:/usr/bin:/bin`;
    writeFileSync(log, '');
    await runMake({
      tools: { ...tools, variables: [] },
      source: '/s',
      objects,
      args: ['Image'],
      log,
      what: 'x',
    });
    return readFileSync(log, 'utf8');
  };
  program('ccache', 'ccache');
  program('folder of ccache', 'ccache');
  t.match(
    await called('ccache'),
    ` CC=${join(directory, 'ccache', 'ccache')} aarch64-linux-gnu-gcc Image`,
  );
  t.notMatch(await called('folder of ccache'), 'CC=', 'make would take the path for two words');
  t.same(readdirSync(objects), []);
});
