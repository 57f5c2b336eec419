import t from 'tap';
import { firstError } from '../../../images/source/run-make.ts';

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
  const linker = "aarch64-linux-gnu-ld: mmu.o: undefined reference to `f'\nmake: *** [vmlinux] Error 1";
  t.match(firstError(linker, '/c/src', 2), /undefined reference to `f'/);
  t.match(firstError('make[1]: *** No rule to make target a.o.  Stop.', '/c/src', 2), /No rule to make target a\.o/);
  const generator =
    '  YACC    parser.tab.c\nbison: m4 failed\nmake[3]: *** [parser.tab.h] Error 1\nmake: *** [x] Error 2';
  t.equal(firstError(generator, '/c/src', 2), 'bison: m4 failed');
  t.equal(firstError('', '/c/src', 127), 'make ended with status 127');
});
