// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { printkLog, printkRingBytes } from '../../src/linux/printk-ring.ts';
import { findSplats } from '../../src/linux/splats.ts';

interface Message {
  text: string;
  caller?: number;
  /** Of enum desc_state; default: finalized. */
  state?: bigint;
}

const base = 0xffff800080000000n;
const recordBits = 4;
const textBits = 10;
const [descsAt, infosAt, textAt] = [0x1000, 0x2000, 0x4000];

/** A ring as the kernel lays it out, with a text ring that wraps where the messages fill it. */
function ringOf(messages: readonly Message[], infoBytes = 88) {
  const memory = Buffer.alloc(0x5000);
  const count = 1n << BigInt(recordBits);
  const size = 1n << BigInt(textBits);
  const tail = (1n << 62n) - 3n;
  // Near the end of the ring of texts, so that some are behind it and some at its beginning.
  let place = 696n;
  for (const [index, { text, caller = 1, state = 2n }] of messages.entries()) {
    const id = (tail + BigInt(index)) & ((1n << 62n) - 1n);
    const slot = Number(id % count);
    const bytes = Buffer.from(text);
    const block = BigInt(Math.ceil((8 + bytes.length) / 8) * 8);
    const begin = place;
    // get_next_lpos() and data_alloc(): a block is never torn apart.
    const wraps = begin >> BigInt(textBits) !== (begin + block - 1n) >> BigInt(textBits);
    const next = wraps ? ((begin >> BigInt(textBits)) + 1n) * size + block : begin + block;
    memory.writeBigUInt64LE((state << 62n) | id, descsAt + slot * 24);
    memory.writeBigUInt64LE(begin, descsAt + slot * 24 + 8);
    memory.writeBigUInt64LE(next, descsAt + slot * 24 + 16);
    const info = infosAt + slot * infoBytes;
    memory.writeBigUInt64LE(BigInt(index), info);
    memory.writeBigUInt64LE(BigInt(index) * 1_234_567_000n, info + 8);
    memory.writeUInt16LE(bytes.length, info + 16);
    memory.writeUInt32LE(caller, info + 20);
    bytes.copy(memory, textAt + (wraps ? 0 : Number(begin % size)) + 8);
    place = next;
  }
  const head = Buffer.alloc(printkRingBytes);
  head.writeUInt32LE(recordBits, 0);
  head.writeBigUInt64LE(base + BigInt(descsAt), 8);
  head.writeBigUInt64LE(base + BigInt(infosAt), 16);
  head.writeBigUInt64LE((tail + BigInt(messages.length - 1)) & ((1n << 62n) - 1n), 24);
  head.writeBigUInt64LE(tail, 32);
  head.writeUInt32LE(textBits, 48);
  head.writeBigUInt64LE(base + BigInt(textAt), 56);
  const read = (address: bigint, bytes: number): Buffer | undefined => {
    const at = Number(address - base);
    return at >= 0 && at + bytes <= memory.length ? memory.subarray(at, at + bytes) : undefined;
  };
  return { head, read };
}

t.test('records come in their order, with time and caller, whatever their size', async (t) => {
  const messages = [
    { text: 'Booting Linux', caller: 0 },
    { text: 'two\nlines', caller: 0x80000001 },
    { text: 'not whole yet', state: 0n },
    { text: '' },
  ];
  for (const infoBytes of [88, 112]) {
    const { head, read } = ringOf(messages, infoBytes);
    t.same(printkLog(head, read)?.split('\n'), [
      '[    0.000000][    T0] Booting Linux',
      '[    1.234567][    C1] two',
      '[    1.234567][    C1] lines',
      '[    3.703701][    T1] ',
      '',
    ]);
  }
});

t.test('a warning in it is found, by its caller, between the lines of others', async (t) => {
  const report = ['WARNING: CPU: 0 PID: 1 at arch/arm64/mm/mmu.c:7 split+0x1/0x2', 'Call trace:'];
  const frames = [' split+0x1/0x2', ' caller+0x3/0x4', '---[ end trace 0 ]---'];
  const { head, read } = ringOf(
    [...report, ...frames].flatMap((text, index) => [
      { text },
      ...(index === 2 ? [{ text: 'something else', caller: 7 }] : []),
    ]),
  );
  const [splat, ...others] = findSplats(printkLog(head, read) ?? '');
  t.same(others, []);
  t.same(splat?.callChain, ['split', 'caller']);
});

t.test('texts that wrap around the end of their ring are whole', async () => {
  const text = fc.string({ unit: 'grapheme-ascii', minLength: 0, maxLength: 60 });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 12 }), (texts) => {
      const { head, read } = ringOf(texts.map((each) => ({ text: each })));
      const lines = printkLog(head, read)?.split('\n').slice(0, -1) ?? [];
      return lines.map((line) => line.slice(23)).join('\n') === texts.join('\n');
    }),
  );
});

t.test('numbers that make no sense give no log, and never more than the ring holds', async (t) => {
  const { head, read } = ringOf([{ text: 'a' }]);
  const broken = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(head);
    change(bytes);
    return printkLog(bytes, read);
  };
  t.equal(
    broken((bytes) => bytes.writeUInt32LE(40, 0)),
    undefined,
  );
  t.equal(
    broken((bytes) => bytes.writeUInt32LE(63, 48)),
    undefined,
  );
  t.equal(
    broken((bytes) => bytes.writeBigUInt64LE(0x1234n, 8)),
    undefined,
  );
  t.equal(
    broken((bytes) => bytes.writeBigUInt64LE(100n, 24)),
    undefined,
    'more records than there are places',
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 80, maxLength: 80 }), (bytes) => {
      printkLog(Buffer.from(bytes), (_, count) => Buffer.alloc(count));
      return true;
    }),
    { numRuns: 30 },
  );
});
