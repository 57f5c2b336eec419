import t from 'tap';
import { lastBoolean, valuesOf } from '../../src/linux/cmdline.ts';

const line = [
  'nokaslr',
  'kfence.sample_interval=100',
  'rodata=full',
  'rodata=off',
  'rodata.x=1',
  'rodata_=2',
  'rodata=a=b',
];

t.test('values of a parameter, in order', async (t) => {
  t.same(valuesOf(line, 'rodata'), ['full', 'off', 'a=b']);
  t.same(valuesOf(line, 'nokaslr'), [], 'a word without a value has none');
  t.same(valuesOf(['debug-pagealloc=on', 'debug_pagealloc=off'], 'debug_pagealloc'), ['on', 'off']);
  t.same(valuesOf(line, 'kfence.sample-interval'), ['100']);
});

t.test('the last value that kstrtobool() takes', async (t) => {
  t.equal(lastBoolean(['kpti=off', 'kpti=Yes', 'kpti=maybe'], 'kpti'), true);
  t.equal(lastBoolean(['kpti=1', 'kpti=of'], 'kpti'), false);
  t.equal(lastBoolean(['kpti=o', 'kpti'], 'kpti'), undefined);
});
