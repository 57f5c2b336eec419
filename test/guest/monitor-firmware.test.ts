// SPDX-License-Identifier: GPL-2.0-only

import t from 'tap';
import { planMonitor } from '../../guest/monitor-firmware.ts';
import { monitorFlash, monitorMemorySize } from '../../guest/monitor-parameters.ts';
import { sizedRange, sizeOf } from '../../src/linux/physical-range.ts';
import {
  bbmOverride,
  hiddenRegisters,
  idOverrides,
  shownIdRegisters,
} from '../../src/scenario/id-overrides.ts';
import type { Machine } from '../../src/scenario/types.ts';
import { given } from '../given.ts';

const code = Uint8Array.of(1, 2, 3, 4);
const image = 0x4020_0000;
const realm: Machine = {
  cpu: 'max',
  cpus: 1,
  memory: 1024,
  holes: [],
  world: 'realm',
  firmware: 'monitor',
};

/** Where QEMU puts them, with a RAM disk of less than 2 MiB. */
const loaded = { image, initramfs: 0x4800_0000, deviceTree: 0x4820_0000 };

t.test('the monitor lies above the memory of the guest, and enters it where it was loaded', (t) => {
  const plan = planMonitor(realm, code, loaded);
  const region = sizedRange(0x4000_0000, 2 ** 30);
  const size = monitorMemorySize([region]);
  t.same(plan.places, { ...loaded, memory: size });
  t.same(plan.memory, sizedRange(0x8000_0000, size));
  t.equal(plan.aliasBit, 2 ** 39);
  const parameters = {
    world: 'realm',
    rme: false,
    ipaBits: 40,
    memory: plan.memory,
    entry: image,
  } as const;
  const flash = monitorFlash(code, {
    ...parameters,
    deviceTree: 0x4820_0000,
    cpus: 1,
    regions: [region],
    uart: 0x0900_0000,
  });
  t.same(plan.flash, flash);
  t.end();
});

t.test('an odd number of MiB is filled up to what the monitor can map', (t) => {
  const plan = planMonitor({ ...realm, memory: 1023 }, code, loaded);
  t.equal(plan.memory.start, 0x8000_0000);
  t.equal(plan.places.memory, sizeOf(plan.memory) + 2 ** 20);
  const { memory, places } = plan;
  const expected = monitorFlash(code, {
    ...{
      world: 'realm',
      ipaBits: 40,
      memory,
      entry: image,
      deviceTree: places.deviceTree,
      cpus: 1,
      uart: 0x0900_0000,
    },
    regions: [sizedRange(0x4000_0000, 1024 * 2 ** 20)],
    described: [sizedRange(0x4000_0000, 1023 * 2 ** 20)],
  });
  t.same(plan.flash, expected, 'of which the kernel is told nothing');
  t.end();
});

t.test('the normal world has no alias', (t) => {
  t.equal(planMonitor({ ...realm, world: 'normal' }, code, loaded).aliasBit, undefined);
  t.end();
});

t.test('CPUs that differ: MIDR where it is another than the first, BBM by level', (t) => {
  const machine: Machine = {
    ...realm,
    world: 'normal',
    cpu: 'max-bbm3',
    cpus: 4,
    others: ['max-bbm2', 'max-bbm3'],
  };
  const plan = planMonitor(machine, code, loaded);
  t.same(plan.overrides, [bbmOverride([0, 2, 3], 3), bbmOverride([1], 2)]);
  const v3 = planMonitor(
    { ...machine, cpu: 'neoverse-v3-r0p2', cpus: 2, others: ['max'] },
    code,
    loaded,
  );
  const expected = monitorFlash(code, {
    world: 'normal',
    memory: v3.memory,
    entry: image,
    deviceTree: v3.places.deviceTree,
    cpus: 2,
    regions: [sizedRange(0x4000_0000, 2 ** 30)],
    uart: 0x0900_0000,
    midrs: [undefined, 0x000f0510n],
  });
  t.same(v3.flash, expected);
  t.end();
});

t.test('fields of ID registers: of all CPUs or of some, after the BBM levels', (t) => {
  const idFields = [
    { register: 'ID_AA64MMFR2_EL1', bits: '55:52', value: 1, cpus: [1] },
    { register: 'ID_AA64PFR0_EL1', bits: '63:60', value: 0 },
  ] satisfies Machine['idFields'];
  const machine: Machine = { ...realm, cpu: 'max-bbm3', cpus: 2, idFields };
  t.same(planMonitor(machine, code, loaded).overrides, [
    bbmOverride([0, 1], 3),
    bbmOverride([1], 1),
    { cpus: [0, 1], register: { crm: 4, op2: 0 }, mask: 0xfn << 60n, value: 0n },
  ]);
  const own = [0n, 0n].map((ID_AA64MMFR2_EL1) => ({ ID_AA64MMFR2_EL1 }));
  const levels = shownIdRegisters(own, idOverrides(machine)).map(
    ({ ID_AA64MMFR2_EL1 }) => given(ID_AA64MMFR2_EL1) >> 52n,
  );
  t.same(levels, [3n, 1n], 'the last one wins');
  t.equal(given(hiddenRegisters(machine)[1]).ID_AA64PFR0_EL1, 0n);
  t.end();
});

t.test('ID registers are those that the kernel reads', (t) => {
  const own = { ID_AA64MMFR2_EL1: 0x1221_0111n << 32n, ID_AA64MMFR0_EL1: 5n };
  const shown = shownIdRegisters([own, own, {}], [bbmOverride([0, 2], 3)]);
  t.same(shown, [{ ...own, ID_AA64MMFR2_EL1: 0x1231_0111n << 32n }, own, {}]);
  t.end();
});
