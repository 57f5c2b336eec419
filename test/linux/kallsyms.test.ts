// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { PtdiffError } from '../../src/errors.ts';
import { kallsymsOfImage } from '../../src/linux/kallsyms.ts';
import { given } from '../given.ts';
import {
  type AddressEncoding,
  type ImageSymbol,
  imageWithKallsyms,
  linkBase,
} from './kallsyms-image.ts';

const manyNames = Array.from({ length: 300 }, (_, i) => `function_${i}`);
const encodings: AddressEncoding[] = ['base-relative', 'pc-relative'];

function symbolsFrom(names: readonly string[], gaps: readonly number[]): ImageSymbol[] {
  let offset = 0;
  return ['_text', ...names].map((name, i) => {
    if (i > 0) offset += given(gaps[i % gaps.length]);
    return { name, type: 'TtDdRrBbW'.charAt(i % 9), offset };
  });
}

for (const encoding of encodings) {
  t.test(`every symbol of an ${encoding} table comes back`, async (t) => {
    const name = fc.stringMatching(/^[A-Za-z_.$][\w.$]{0,300}$/);
    const symbols = fc
      .tuple(
        fc.array(name, { minLength: 256, maxLength: 800 }),
        fc.array(fc.nat(70_000), { minLength: 1, maxLength: 20 }),
      )
      .map(([names, gaps]) => symbolsFrom(names, gaps));
    fc.assert(
      fc.property(symbols, (expected) => {
        const table = kallsymsOfImage(imageWithKallsyms(expected, encoding));
        const decoded = table.list().map((each) => [each.name, each.type, each.address - linkBase]);
        return (
          JSON.stringify(decoded, text) ===
          JSON.stringify(
            expected.map((each) => [each.name, each.type, BigInt(each.offset)]),
            text,
          )
        );
      }),
      { numRuns: 40, interruptAfterTimeLimit: 20_000, endOnFailure: true },
    );
    t.pass('40 random tables');
  });
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

t.test('searches of a table', async (t) => {
  const symbols: ImageSymbol[] = [
    { name: '_text', type: 'T', offset: 0 },
    { name: '__pi_$x', type: 't', offset: 0x10000 },
    { name: '_stext', type: 'T', offset: 0x10000 },
    { name: 'first', type: 't', offset: 0x10000 },
    { name: 'show', type: 't', offset: 0x10040 },
    { name: '__pi_$d.7', type: 't', offset: 0x10060 },
    { name: 'show', type: 't', offset: 0x10080 },
    ...Array.from({ length: 300 }, (_, i) => ({
      name: `filler_${i}`,
      type: 'd',
      offset: 0x11000 + i,
    })),
    { name: '_end', type: 'B', offset: 0x20000 },
  ];
  const table = kallsymsOfImage(imageWithKallsyms(symbols, 'pc-relative'));
  t.equal(table.textBase, linkBase);
  t.equal(table.count, 308);
  t.equal(table.address('show'), linkBase + 0x10040n, 'the lowest of two');
  t.strictSame(table.all('show'), [linkBase + 0x10040n, linkBase + 0x10080n]);
  t.equal(table.address('nothing'), undefined);
  t.ok(table.has('first'));
  t.notOk(table.has('nothing'));
  t.equal(table.size('_stext'), 0x40n, 'to the next higher address, not to its alias');
  t.equal(table.size('_end'), undefined);
  t.strictSame(table.nameAt(linkBase + 0x10044n), { name: 'show', offset: 4n });
  t.strictSame(
    table.nameAt(linkBase + 0x10000n),
    { name: '_stext', offset: 0n },
    'the first of two aliases',
  );
  t.strictSame(
    table.nameAt(linkBase + 0x10064n),
    { name: 'show', offset: 0x24n },
    'mapping symbols name nothing',
  );
  t.equal(table.nameAt(linkBase + 0x20000n), undefined, 'the last symbol ends the image');
  t.equal(table.nameAt(linkBase - 1n), undefined);
});

t.test('bytes without a table are refused as a fault of the image', async (t) => {
  const whole = imageWithKallsyms(symbolsFrom(manyNames, [16]), 'pc-relative');
  const refused = { fault: 'image', message: /kernel Image contains no kallsyms table/ };
  t.throws(() => kallsymsOfImage(new Uint8Array(0)), refused);
  t.throws(() => kallsymsOfImage(new Uint8Array(1 << 20)), refused);
  t.throws(
    () => kallsymsOfImage(whole.subarray(0, whole.length - 40)),
    refused,
    'cut in the addresses',
  );
  t.throws(() => kallsymsOfImage(whole.subarray(0, 16_100)), refused, 'cut in the names');
});

t.test('damaged tables never do more than throw a PtdiffError', async (t) => {
  const whole = imageWithKallsyms(symbolsFrom(manyNames, [64]), 'base-relative');
  fc.assert(
    fc.property(
      fc.integer({ min: 16_000, max: whole.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (at, flip) => {
        const damaged = whole.slice();
        damaged[at] = given(damaged[at]) ^ flip;
        try {
          kallsymsOfImage(damaged).list();
          return true;
        } catch (error) {
          return error instanceof PtdiffError && error.fault === 'image';
        }
      },
    ),
    { numRuns: 300 },
  );
  t.pass('300 damaged tables');
});

t.test('an image that starts anywhere in its buffer is read', async (t) => {
  const image = imageWithKallsyms(symbolsFrom(manyNames, [16]), 'base-relative');
  const shifted = new Uint8Array(image.length + 3);
  shifted.set(image, 3);
  t.equal(kallsymsOfImage(shifted.subarray(3)).address('function_1'), linkBase + 32n);
});
