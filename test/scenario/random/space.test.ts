// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { makeScenario, memoryInNodes, memoryWithOddHoles } from '../../../src/scenario/make.ts';
import { choicesOf, pairsOf, SeenSpace } from '../../../src/scenario/random/space.ts';

t.test('a case is told by its choices; a number that decides nothing leaves none', async (t) => {
  const plain = choicesOf(makeScenario({ cpu: 'max' }), 'debian:7.3');
  t.same(plain, [
    'kernel debian:7.3',
    'cpu max',
    'cpus 1',
    'memory of 32M',
    'normal world, no firmware',
    'rodata default',
    'kfence default',
    'memfd_secret',
  ]);
  t.same(choicesOf({ ...makeScenario({ cpu: 'max' }), seed: 7 }, 'debian:7.3'), plain);
  const realm = choicesOf(
    makeScenario(
      { cpu: 'max', kaslr: true, kfenceSampleInterval: 100, rodata: 'off' },
      {
        ...memoryInNodes,
        ...memoryWithOddHoles,
        cpus: 6,
        world: 'realm',
        firmware: 'monitor',
        others: ['ampere1'],
        its: false,
        devices: ['virtio-net'],
        idFields: [{ register: 'ID_AA64MMFR1_EL1', bits: '3:0', value: 0, cpus: [1] }],
      },
      { parameters: ['kpti=on'] },
    ),
    'debian:7.3',
  );
  for (const each of [
    'other cpu ampere1',
    'cpus 5-8',
    'ID_AA64MMFR1_EL1 3:0 0 of one',
    'node of 64K',
    'hole at 4K',
    'realm world, monitor',
    'no ITS',
    'virtio-net',
    'rodata off',
    'kfence 100',
    'kaslr',
    'kpti=on',
  ])
    t.ok(realm.includes(each), each);
  const board = choicesOf(makeScenario({ cpu: 'cortex-a53' }, { entry: 'el2' }), 'debian:7.3');
  t.ok(board.includes('entered at EL2'));
});

t.test('pairs are counted once, whichever comes first', async (t) => {
  t.same(pairsOf(['b', 'a', 'c']), ['a | b', 'a | c', 'b | c']);
  const space = new SeenSpace();
  space.add(['a', 'b']);
  t.equal(space.gain(['b', 'a']), 0);
  t.equal(space.gain(['b', 'a', 'c']), 2);
  t.equal(space.size, 1);
  t.equal(
    space.share([
      ['a', 'b'],
      ['a', 'c'],
    ]),
    0.5,
  );
  t.equal(space.share([]), 0);
});
