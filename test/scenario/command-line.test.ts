// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { kernelParameters, whyNoCommandLine } from '../../src/scenario/command-line.ts';
import { caseName } from '../../src/scenario/names.ts';
import { vary } from '../../src/scenario/variation.ts';

const scenario = (name: string) => {
  const found = builtInScenarios.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return vary(found, { plain: true });
};

/** A plain scenario on a kernel of one spelling. */
const traits = (rodataFullSpelling: 'full' | 'on') => ({ rodataFullSpelling, builtInDrivers: [] });

t.test('rodata=noalias is spelt on before 6.18', async (t) => {
  const noalias = scenario('max+noalias+kfence100');
  t.same(kernelParameters(noalias, traits('full')), [
    'nokaslr',
    'rodata=on',
    'kfence.sample_interval=100',
  ]);
  t.same(kernelParameters(noalias, traits('on')), [
    'nokaslr',
    'rodata=noalias',
    'kfence.sample_interval=100',
  ]);
});

t.test('defaults leave no trace, and KASLR takes nokaslr away', async (t) => {
  t.same(kernelParameters(scenario('max'), traits('on')), ['nokaslr']);
  t.same(kernelParameters(scenario('max+kaslr'), traits('on')), []);
  t.same(kernelParameters(scenario('neoverse-v3-r0p2+late-v3'), traits('on')), [
    'nokaslr',
    'maxcpus=1',
  ]);
  t.same(kernelParameters(scenario('max+off'), traits('on')), ['nokaslr', 'rodata=off']);
});

t.test('names are unique and are names of folders', async (t) => {
  const names = builtInScenarios.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const name of names) t.match(caseName('7.3.4+deb13-arm64', name), /^[\w.+@-]+$/);
});

t.test('a command line that the kernel would cut short is refused, by its bytes', async (t) => {
  t.equal(whyNoCommandLine('x'.repeat(2047)), undefined);
  t.match(whyNoCommandLine('x'.repeat(2048)), /has 2048 bytes .* takes 2047 \(COMMAND_LINE_SIZE\)/);
  t.match(whyNoCommandLine('ä'.repeat(1024)), /has 2048 bytes/);
});
