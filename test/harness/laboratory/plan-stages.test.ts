// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { planCases } from '../../../harness/laboratory/plan.ts';
import type { PlannedKernel } from '../../../harness/laboratory/plan-depths.ts';
import { defaultKernels } from '../../../src/scenario/built-in.ts';
import { depthChoices } from '../../../src/scenario/depth.ts';
import { traitsOfGeneration } from '../../scenario/asked.ts';

/** Kernels that can be ended early, with what their generation has. */
const kernels: PlannedKernel[] = [
  ['debian:6.12', '6.12'],
  ['debian:7.2', '7.2'],
  ['debian:7.3', '7.3'],
].map(([spec = '', generation = '']) => {
  const late = traitsOfGeneration(generation);
  const traits = { ...late, builtInDrivers: [], hasModules: true };
  return { spec, label: spec.slice(7), traits, late };
});

const awaiting = (...specs: string[]): PlannedKernel[] =>
  kernels.map((kernel) =>
    specs.includes(kernel.spec)
      ? { spec: kernel.spec, label: kernel.label, awaited: true }
      : kernel,
  );

for (const depth of depthChoices) {
  for (const names of [[], ['telling'], ['all'], ['max', 'realm+max']]) {
    const what = names.join(' ') || 'default matrix';
    t.test(`${what}, ${depth}: what is planned while kernels are awaited stays so`, async (t) => {
      const whole = await planCases(kernels, names, {}, depth);
      const byName = new Map(whole.planned.map((each) => [each.case, each]));
      for (const awaited of [
        ['debian:6.12', 'debian:7.2'],
        ['debian:7.2', 'debian:7.3'],
        ['debian:7.2'],
        ['debian:7.3'],
      ]) {
        const { planned, leftOut, scenarios } = await planCases(
          awaiting(...awaited),
          names,
          {},
          depth,
        );
        for (const each of planned) t.same(each, byName.get(each.case), each.case);
        t.notOk(planned.some(({ kernel }) => awaited.includes(kernel)));
        t.same(leftOut, []);
        t.same(scenarios, whole.scenarios, 'the laboratory can be made ready for all of them');
        const own = whole.planned.filter(({ kernel }) => !awaited.includes(kernel));
        if (names.length > 0 || depth === 'early') t.equal(planned.length, own.length);
        else if (!awaited.includes('debian:7.3')) t.ok(planned.length >= 20, `${planned.length}`);
      }
    });
  }
}

t.test('the newest kernel of the default matrix is one of its own', async (t) => {
  t.ok(defaultKernels.includes('debian:7.3'));
});
