// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { planCases } from '../../harness/laboratory/plan.ts';
import { geometryOf } from '../../src/linux/geometry.ts';
import { describeUnfit } from '../../src/report/unfit.ts';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { deviceNames } from '../../src/scenario/devices.ts';
import { type FittingTraits, whyUnfit } from '../../src/scenario/fit.ts';

/** A kernel that has everything, with changes. */
function kernel(
  changes: Partial<FittingTraits['config']> = {},
  granule: 4096 | 16384 = 4096,
): FittingTraits {
  const config = {
    debugPagealloc: true,
    crashReserve: true,
    hotplugCpu: true,
    unmapKernelAtEl0: true,
    vaBits: 52,
    ...changes,
  };
  return {
    knowsRealms: true,
    geometry: geometryOf(granule),
    builtInDrivers: [...deviceNames],
    config,
  };
}

const reasonFor = (name: string, traits: FittingTraits): string | undefined => {
  const found = builtInScenarios.find((scenario) => scenario.name === name);
  if (!found) throw new Error(name);
  return whyUnfit(found, traits);
};

t.test('a kernel that has everything runs everything', async (t) => {
  for (const scenario of builtInScenarios)
    t.equal(whyUnfit(scenario, kernel()), undefined, scenario.name);
});

t.test('a parameter whose option is off would show nothing', async (t) => {
  t.match(reasonFor('max+pagealloc', kernel({ debugPagealloc: false })), /CONFIG_DEBUG_PAGEALLOC/);
  t.match(reasonFor('max+crashkernel', kernel({ crashReserve: false })), /CONFIG_CRASH_RESERVE/);
  t.match(reasonFor('max+kpti', kernel({ unmapKernelAtEl0: false })), /CONFIG_UNMAP_KERNEL_AT_EL0/);
  t.equal(reasonFor('max', kernel({ debugPagealloc: false })), undefined);
});

t.test('a kernel larger than usual wants memory in larger pieces', async (t) => {
  const [max] = builtInScenarios;
  if (!max) throw new Error('no scenario');
  const machine = { ...max.machine, holes: [{ start: 0x4600_0000, size: 4096 }] };
  const reason = (imageBytes: number) => whyUnfit({ ...max, machine }, { ...kernel(), imageBytes });
  t.equal(reason(94 * 2 ** 20), undefined);
  t.equal(reason(94 * 2 ** 20 + 1), 'the memory has no piece without holes for a kernel of 95 MiB');
});

t.test('a kernel with a small linear map is loaded near the start of memory', async (t) => {
  const [max] = builtInScenarios;
  if (!max) throw new Error('no scenario');
  const GiB = 2 ** 30;
  const small = kernel({ vaBits: 36 }, 16384);
  const reason = (second: number, traits = small) => {
    const nodes = [GiB, second].map((start, at) => [{ start, size: 2 ** (25 + 4 * at) }]);
    const machine = { ...max.machine, memory: 65536, firmware: 'monitor' as const, nodes };
    return whyUnfit({ ...max, machine }, { ...traits, imageBytes: 2 ** 26 });
  };
  t.equal(reason(33 * GiB - 2 ** 26), undefined, '32 GiB');
  t.equal(
    reason(33 * GiB - 2 ** 25),
    'its linear map of 32 GiB does not reach from the start of memory to the first piece that holds it',
  );
  t.equal(reason(64 * GiB, kernel({}, 16384)), undefined, 'one with 52 bits is');
});

t.test('a CPU comes and goes where the kernel lets it', async (t) => {
  const fixed = kernel({ hotplugCpu: false });
  for (const name of ['neoverse-v3-r0p2+late-v3', 'rme+max+smp2+hotplug']) {
    t.match(reasonFor(name, fixed), /CONFIG_HOTPLUG_CPU/, name);
  }
  t.equal(reasonFor('neoverse-v3-r0p2+smp2', fixed), undefined);
});

t.test('a device wants a driver', async (t) => {
  const traits = { ...kernel(), builtInDrivers: ['virtio-blk'] };
  t.match(reasonFor('realm+max+console', traits), /no driver for virtio-console/);
  t.equal(
    reasonFor('realm+max+console', { ...traits, hasModules: true }),
    undefined,
    'a module will do',
  );
});

t.test('worlds and CPUs have limits, too', async (t) => {
  t.match(reasonFor('realm+max', { ...kernel(), knowsRealms: false }), /realms/);
  t.match(reasonFor('a64fx', kernel({}, 16384)), /a64fx has no pages of 16K/);
});

t.test('what is left out is said, a sentence a reason', async (t) => {
  const traits = kernel({ debugPagealloc: false });
  const kernels = ['debian:6.12', 'debian:7.3'].map((spec) => ({ spec, label: spec, traits }));
  const { planned, unfit } = await planCases(kernels, ['max', 'max+pagealloc']);
  t.same(
    planned.map(({ scenario }) => scenario),
    ['max', 'max'],
  );
  t.same(describeUnfit(unfit, { full: true }), [
    '2 cases left out, as the kernel is built without CONFIG_DEBUG_PAGEALLOC: max+pagealloc on debian:6.12, debian:7.3.',
  ]);
});

t.test(
  'of a matrix, the case whose whole command line is too long is left out, and said',
  async (t) => {
    const commandLine = ({ name }: { name: string }) =>
      name === 'max' ? 'x'.repeat(2048) : 'console=ttyAMA0';
    const { planned, unfit } = await planCases(
      [{ spec: 'debian:7.3', label: '7.3', traits: kernel(), commandLine }],
      ['max', 'cortex-a76'],
    );
    t.same(
      planned.map(({ scenario }) => scenario),
      ['cortex-a76'],
    );
    t.match(describeUnfit(unfit, { full: true }), [
      /1 case left out, as its command line has 2048 bytes .*: max on debian:7.3/,
    ]);
  },
);
