// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type Drawn, draw, drawAll, shrink } from '../../../src/scenario/random/draw.ts';
import { choicesOf, SeenSpace } from '../../../src/scenario/random/space.ts';
import { given } from '../../given.ts';

const kernels = ['debian:6.12', 'debian:7.3', 'debian:7.3:16k'];
const any = () => true;

/** Machines of the first places of an exploration. */
function explore(seed: number, count: number, space = new SeenSpace()) {
  return Array.from({ length: count }, (_, place) => {
    const drawn = given(draw(seed, place, kernels, space, any));
    space.add(choicesOf(drawn.scenario, drawn.kernel));
    return drawn;
  });
}

t.test('a seed gives the same machines again, and another seed others', async (t) => {
  const texts = (seed: number) => explore(seed, 10).map((drawn) => JSON.stringify(drawn));
  t.same(texts(1), texts(1));
  const both = [...texts(1), ...texts(2)];
  t.equal(new Set(both).size, both.length);
});

t.test('what was not yet seen together comes first', async (t) => {
  const guided = new SeenSpace();
  explore(4, 60, guided);
  const blind = new SeenSpace();
  for (const { scenario, kernel } of drawAll(kernels, 60)) blind.add(choicesOf(scenario, kernel));
  t.ok(guided.size > 1.5 * blind.size, `${guided.size} pairs, ${blind.size} without guidance`);
});

t.test('a kernel is asked whether it can run a scenario', async (t) => {
  const space = new SeenSpace();
  t.equal(
    draw(1, 0, kernels, space, () => false),
    undefined,
  );
  const old = ({ kernel }: Drawn) => kernel === 'debian:6.12';
  t.equal(draw(1, 0, kernels, space, old)?.kernel, 'debian:6.12');
});

/** A defect that two choices bring about together. */
const broken = ({ machine, parameters }: Drawn['scenario']): boolean =>
  machine.world === 'realm' && parameters.some((word) => word.startsWith('kpti'));

function brokenDraw() {
  const place = Array.from({ length: 500 }, (_, place) => place).find((place) => {
    const drawn = draw(9, place, kernels, new SeenSpace(), any);
    return drawn && broken(drawn.scenario) && drawn.scenario.machine.holes.length > 0;
  });
  return given(draw(9, given(place), kernels, new SeenSpace(), any));
}

t.test('a difference shrinks to what it needs', async (t) => {
  const drawn = brokenDraw();
  const asked: string[] = [];
  const shrunk = await shrink(drawn, kernels, 1000, async (scenario) => {
    asked.push(JSON.stringify(scenario));
    return broken(scenario);
  });
  t.match(shrunk?.scenario, {
    machine: { cpu: 'max', cpus: 1, memory: 1024, holes: [], world: 'realm', firmware: 'monitor' },
    rodata: 'default',
    kaslr: false,
    parameters: [/^kpti/],
  });
  t.equal(shrunk?.scenario.parameters.length, 1);
  t.equal(asked[0], JSON.stringify(drawn.scenario), 'the draw itself is asked first');
  t.equal(new Set(asked).size, asked.length, 'and nothing twice');
  t.equal(shrunk?.boots, asked.length);
});

t.test('the search ends at its limit with the smallest so far', async (t) => {
  let asked = 0;
  const shrunk = await shrink(brokenDraw(), kernels, 3, async (scenario) => {
    asked++;
    return broken(scenario);
  });
  t.equal(asked, 3);
  t.equal(shrunk?.boots, 3);
  t.ok(broken(given(shrunk?.scenario)));
});

t.test(
  'what does not show again is not shrunk, and neither is what this generator does not draw',
  async (t) => {
    t.equal(await shrink(brokenDraw(), kernels, 10, async () => false), undefined);
    const drawn = brokenDraw();
    const other = { ...drawn, from: { ...drawn.from, index: drawn.from.index + 1 } };
    t.equal(await shrink(other, kernels, 10, async () => t.fail('it is not booted')), undefined);
  },
);
