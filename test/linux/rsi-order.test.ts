// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { traitsOf } from '../../src/linux/traits.ts';
import { given } from '../given.ts';
import { kernelOfSlice, readSlice, type SlicedKernel } from './slices.ts';

const BL = 0x94000000;

/** The recorded kernel with setup_arch()'s calls of two functions exchanged. */
function exchanged(kernel: SlicedKernel, one: string, other: string): SlicedKernel {
  const { symbols } = kernel;
  const image = kernel.image.slice();
  const offsetOf = (name: string): number =>
    Number(given(symbols.address(name)) - symbols.textBase);
  const start = offsetOf('setup_arch');
  const view = new DataView(image.buffer);
  const call = (at: number, name: string): number =>
    (BL | (((offsetOf(name) - at) >> 2) & 0x3ffffff)) >>> 0;
  for (let at = start; at < start + Number(symbols.size('setup_arch')); at += 4) {
    const word = view.getUint32(at, true);
    if (word === call(at, one)) view.setUint32(at, call(at, other), true);
    else if (word === call(at, other)) view.setUint32(at, call(at, one), true);
  }
  return { ...kernel, image };
}

const earlyOf = ({ release, image, symbols }: SlicedKernel): boolean =>
  traitsOf(release, image, symbols).traits.rsiBeforePagingInit;

for (const name of ['6.18.15+deb13-arm64', '7.3.4+deb13-arm64', '7.3.4']) {
  t.test(`${name}: setup_arch() shows when RSI is probed`, async (t) => {
    const kernel = kernelOfSlice(readSlice(name));
    t.equal(earlyOf(kernel), false);
    const early = exchanged(kernel, 'arm64_rsi_init', 'paging_init');
    t.equal(earlyOf(early), true, 'the calls exchanged');
    const { traits, assumptions } = traitsOf(early.release, early.image, early.symbols);
    t.strictSame(assumptions, [], 'nothing is assumed');
    t.notOk(traits.newerThanKnown);
  });
}
