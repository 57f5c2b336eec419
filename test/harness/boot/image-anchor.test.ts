// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { frequentStop } from '../../../harness/boot/checkpoints.ts';
import { findAnchor, imageNeeds, lastBranch } from '../../../harness/boot/image-anchor.ts';
import { SymbolTable } from '../../../src/linux/symbol-table.ts';

const code = (...words: number[]) => Buffer.from(new Uint32Array(words).buffer);
const [nop, btiC, paciasp, brX8, retX30] = [
  0xd503201f, 0xd503245f, 0xd503233f, 0xd61f0100, 0xd65f03c0,
];

t.test('finds the last BR, not a RET or a literal', (t) => {
  t.same(lastBranch(code(0xd61f0200, nop, brX8, retX30, 0xd61f0101)), {
    offset: 8,
    register: 'x8',
  });
  t.equal(lastBranch(code(nop, retX30)), undefined);
  t.equal(lastBranch(Buffer.alloc(3)), undefined);
  t.end();
});

t.test('stops on the second NOP of a traceable function, else at its entry', (t) => {
  t.same(frequentStop(0x1000n, code(nop, nop, paciasp)), { address: 0x1004n, skippable: true });
  t.same(frequentStop(0x1000n, code(btiC, nop, nop)), { address: 0x1008n, skippable: true });
  t.same(frequentStop(0x1000n, code(nop, paciasp, nop)), { address: 0x1000n, skippable: false });
  t.same(frequentStop(0x1000n, code(paciasp, nop, nop)), { address: 0x1000n, skippable: false });
  t.end();
});

const imagePa = 0x4020_0000;
const textBase = 0xffff_8000_8000_0000n;

/** A table of functions by their distance from _text. */
const table = (functions: Record<string, number>) =>
  new SymbolTable({
    names: Object.keys(functions),
    types: Uint8Array.from(Object.keys(functions), () => 84),
    offsets: Float64Array.from(Object.values(functions)),
    textBase,
  });
const symbols = table({ _text: 0, __primary_switched: 0x100, __primary_switch: 0x400, end: 0x410 });

/**
 * An Image of 0x410 bytes with the end of __primary_switch at 0x400, which has its literal at
 * 0x200.
 */
function image(textOffset: bigint): Buffer {
  const bytes = Buffer.alloc(0x410);
  bytes.writeBigUInt64LE(textOffset, 8);
  bytes.writeUInt32LE(0x644d5241, 0x38);
  // ldr x8, . - 0x200; adrp x0, .; br x8
  for (const [index, word] of [0x58fff008, 0x90000000, brX8].entries())
    bytes.writeUInt32LE(word, 0x400 + index * 4);
  bytes.writeBigUInt64LE(textBase + 0x100n, 0x200);
  return bytes;
}

t.test('says where the branch lies in RAM, and what memory the Image needs', (t) => {
  const path = join(t.testdir(), 'Image');
  const bytes = image(0x80000n);
  writeFileSync(path, bytes);
  t.same(findAnchor(path, symbols, imagePa), {
    ...{ imagePa: 0x40200000, branchPa: 0x40200408, register: 'x8' },
    target: textBase + 0x100n,
  });
  t.same(imageNeeds(path), { image: 0x410, textOffset: 0x80000 }, 'all of the file at least');
  bytes.writeBigUInt64LE(0x10000n, 0x10);
  writeFileSync(path, bytes);
  t.same(imageNeeds(path), { image: 0x10000, textOffset: 0x80000 });
  t.end();
});

t.test(
  'the branch is found by its code where head.S has other names, and its target by the literal',
  (t) => {
    const path = join(t.testdir(), 'Image');
    writeFileSync(path, image(0n));
    const named = findAnchor(path, symbols, imagePa);
    t.same(
      findAnchor(
        path,
        table({ _text: 0, enter_kernel: 0x100, leave_idmap: 0x400, end: 0x410 }),
        imagePa,
      ),
      named,
    );
    t.same(
      findAnchor(
        path,
        table({ _text: 0, enter_kernel: 0x100, __primary_switch: 0x400, end: 0x410 }),
        imagePa,
      ),
      named,
    );
    t.throws(
      () => findAnchor(path, table({ _text: 0, end: 0x410 }), imagePa),
      { message: /has no branch/ },
      'to no function',
    );
    t.end();
  },
);

t.test('what is no arm64 Image, or only a part of one, is the fault of the image', (t) => {
  const path = join(t.testdir(), 'Image');
  t.throws(() => imageNeeds(path), { fault: 'image', message: /Cannot read/ });
  writeFileSync(path, 'MZ');
  t.throws(() => imageNeeds(path), { fault: 'image', message: /not an arm64 Image/ });
  const cut = image(0n);
  // A PE header at 0x80, whose one section ends behind the file.
  cut.writeUInt32LE(0x80, 0x3c);
  cut.writeUInt32LE(0x4550, 0x80);
  cut.writeUInt16LE(1, 0x86);
  cut.writeUInt32LE(0x1000, 0x98 + 16);
  writeFileSync(path, cut);
  t.throws(() => imageNeeds(path), {
    fault: 'image',
    message: /truncated: it has 1040 bytes of 4096/,
  });
  writeFileSync(path, image(0n).subarray(0, 0x200));
  t.throws(() => findAnchor(path, symbols, imagePa), { name: 'PtdiffError', fault: 'image' });
  t.end();
});
