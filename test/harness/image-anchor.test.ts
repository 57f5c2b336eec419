import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { frequentStop } from '../../harness/checkpoints.ts';
import { findAnchor, lastBranch } from '../../harness/image-anchor.ts';
import { SymbolTable } from '../../src/linux/symbol-table.ts';

const code = (...words: number[]) => Buffer.from(new Uint32Array(words).buffer);
const [nop, btiC, paciasp, brX8, retX30] = [0xd503201f, 0xd503245f, 0xd503233f, 0xd61f0100, 0xd65f03c0];

t.test('finds the last BR, not a RET or a literal', (t) => {
  t.same(lastBranch(code(0xd61f0200, nop, brX8, retX30, 0xd61f0101)), { offset: 8, register: 'x8' });
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

const symbols = new SymbolTable({
  names: ['_text', '__primary_switch', 'end'],
  types: Uint8Array.from([84, 116, 116]),
  offsets: Float64Array.from([0, 0x400, 0x410]),
  textBase: 0xffff_8000_8000_0000n,
});

/** An Image of 0x410 bytes with a branch at 0x408. */
function image(textOffset: bigint): Buffer {
  const bytes = Buffer.alloc(0x410);
  bytes.writeBigUInt64LE(textOffset, 8);
  bytes.writeUInt32LE(0x644d5241, 0x38);
  bytes.writeUInt32LE(brX8, 0x408);
  return bytes;
}

t.test('says where the branch lies in RAM: QEMU moves an Image that would lie on its boot loader', (t) => {
  const path = join(t.testdir(), 'Image');
  writeFileSync(path, image(0n));
  t.same(findAnchor(path, symbols), { imagePa: 0x40200000, branchPa: 0x40200408, register: 'x8' });
  writeFileSync(path, image(0x80000n));
  t.same(findAnchor(path, symbols), { imagePa: 0x40080000, branchPa: 0x40080408, register: 'x8' });
  t.end();
});

t.test('what is no arm64 Image, or only a part of one, is the fault of the image', (t) => {
  const path = join(t.testdir(), 'Image');
  t.throws(() => findAnchor(path, symbols), { fault: 'image', message: /Cannot read/ });
  writeFileSync(path, 'MZ');
  t.throws(() => findAnchor(path, symbols), { fault: 'image', message: /not an arm64 Image/ });
  writeFileSync(path, image(0n).subarray(0, 0x200));
  t.throws(() => findAnchor(path, symbols), { name: 'PtdiffError', fault: 'image' });
  t.end();
});
