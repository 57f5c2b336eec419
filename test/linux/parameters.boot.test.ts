// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { lastBoolean } from '../../src/linux/cmdline.ts';
import type { PhysicalRange } from '../../src/linux/physical-range.ts';
import { decide } from '../../src/model/decisions.ts';
import { cpu_mitigations_off } from '../../src/model/kernel/cpu.ts';
import {
  crashResource,
  reserve_crashkernel_generic,
} from '../../src/model/kernel/crash_reserve.ts';
import { kfenceEnabled } from '../../src/model/mm/kfence.ts';
import { realSetup } from '../harness/boot-setup.ts';
import { variablesAfterParsing } from '../harness/early-boot.ts';

/*
 * Real kernels parse what nobody would write, and so do the ports: one boot of a second or two for
 * each line, in which every parameter that the model reads has a value made at random. The seed is
 * fixed, so that a failure comes again.
 */

const seed = 11;
const linesPerKernel = 20;
const variables = {
  crashk_res: 16,
  rodata_enabled: 1,
  rodata_full: 1,
  kfence_early_init: 1,
  kfence_sample_interval: 8,
  // arch/arm64/kernel/cpufeature.c and kernel/cpu.c: int, and an enum whose CPU_MITIGATIONS_OFF is
  // 0.
  __kpti_forced: 4,
  cpu_mitigations: 4,
};

const MIB = 2 ** 20;
const RAM = 0x4000_0000;
/**
 * A machine of 512 MiB: the kernel's image at its start, then the initial RAM disk and the device
 * tree.
 */
const memory: PhysicalRange = { start: RAM, end: RAM + 512 * MIB };
const inUse = [
  { start: RAM, end: RAM + 64 * MIB },
  { start: RAM + 128 * MIB, end: RAM + 136 * MIB },
];
/**
 * Addresses that are free, in use, no memory, or not aligned; none at the end of the memory, which
 * memblock gave to others before.
 */
const places = [
  0x5000_0000,
  0x5000_0000,
  0x5010_0000,
  0x4800_0000,
  0x4020_0000,
  0x6000_0000,
  0x1000_0000,
  2 ** 40,
];

/** A number in one of the kernel's spellings, or in none. */
const spelt = (values: number[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...values), fc.constantFrom('d', 'x', 'X', 'o', '+', '-'))
    .map(([value, base]) => {
      if (base === 'd') return `${value}`;
      if (base === 'o') return `0${value.toString(8)}`;
      return base === '+' || base === '-' ? `${base}${value}` : `0${base}${value.toString(16)}`;
    });

const size = fc
  .tuple(
    spelt([0, 1, 16, 32, 48, 511, 512, 4096]),
    fc.constantFrom('M', 'm', 'M', 'k', 'K', 'G', '', 'E', 'MB'),
  )
  .map((parts) => parts.join(''));
const place = fc.constantFrom(...places).map((value) => `0x${value.toString(16)}`);
const overflowing = fc.constantFrom(
  '0x4000000000000020M',
  '0x10000000002000000',
  '99999999999999999999',
  '18446744073709551616K',
);
const crashkernel = fc.oneof(
  size,
  fc.tuple(size, place).map((parts) => parts.join('@')),
  fc
    .tuple(size, fc.constantFrom(',high', ',low', ',cma', ',High', '@', ','))
    .map((parts) => parts.join('')),
  fc.tuple(size, size, size).map(([start, end, asked]) => `${start}-${end}:${asked},0-:16M`),
  fc.constantFrom('0-256M:16M,256M-:32M@0x50000000', '512M-:16M', '-:16M', 'M-:16M', '', '"32M"'),
  overflowing,
);
const interval = fc.oneof(
  spelt([0, 1, 100, 2 ** 32, 2 ** 33 + 7]),
  overflowing,
  fc.constantFrom('', '0x', '08', '100ms', 'abc', '"50"', '-'),
);
const boolean = fc.constantFrom(
  'on',
  'off',
  'o',
  'of',
  '1',
  '0',
  'Y',
  'n',
  'True',
  'enabled',
  'Disabled',
  '',
  '2',
  '"on"',
  'x',
);
const rodata = fc.constantFrom('on', 'off', 'full', 'noalias', 'On', '', '"off"', 'off,', 'on=off');
const mitigations = fc.constantFrom(
  'off',
  'auto',
  'auto,nosmt',
  'offx',
  'off,y',
  'Off',
  '',
  'autooff',
);

/**
 * Words of one parameter, which may come twice, with '-' for '_', in quotes, behind another's open
 * quote or behind '--'.
 */
function words(name: string, value: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  const word = fc.tuple(value, fc.constantFrom('', '', '', 'dash', 'quoted')).map(([text, how]) => {
    if (how === 'quoted') return `"${name}=${text}"`;
    return `${how === 'dash' ? name.replaceAll('_', '-') : name}=${text}`;
  });
  return fc.array(word, { minLength: 1, maxLength: 2 });
}

const line = fc
  .tuple(
    words('crashkernel', crashkernel),
    words('kfence.sample_interval', interval),
    words('kpti', boolean),
    words('rodata', rodata),
    words('mitigations', mitigations),
    fc.constantFrom([], [], ['--', 'rodata=off', 'kpti=1'], ['x="', 'rodata=off', '"']),
  )
  .map((parts) => ['nokaslr', ...parts.flat()]);

for (const spec of ['debian:6.12', 'debian:6.18', 'debian:7.1', 'debian:7.3']) {
  t.test(`${spec} parses lines made at random as the ports do`, { timeout: 900_000 }, async (t) => {
    const { traits } = await loadKernel(spec);
    const setup = await realSetup(t, spec);
    const { release } = traits;
    const outcomes = new Set<boolean>();
    for (const parameters of fc.sample(line, { seed, numRuns: linesPerKernel })) {
      const text = parameters.join(' ');
      const found = await variablesAfterParsing(setup, text, variables);
      const idRegisters = [{ MIDR_EL1: 0x000f0510n }];
      const decisions = decide(
        traits,
        { idRegisters, parameters, kaslr: false, world: 'normal' },
        () => {},
      );
      t.equal(found.rodata_enabled, BigInt(decisions.rodataEnabled), `rodata_enabled: ${text}`);
      t.equal(found.rodata_full, BigInt(decisions.rodataFull), `rodata_full: ${text}`);
      t.equal(
        found.kfence_early_init,
        BigInt(decisions.kfenceEarlyInit),
        `kfence_early_init: ${text}`,
      );
      t.equal(
        found.kfence_sample_interval !== 0n,
        kfenceEnabled(traits, parameters),
        `kfence_sample_interval: ${text}`,
      );
      const kpti = lastBoolean(parameters, 'kpti', release);
      const forced = kpti === undefined ? 0n : BigInt.asUintN(32, kpti ? 1n : -1n);
      t.equal(found.__kpti_forced, forced, `__kpti_forced: ${text}`);
      t.equal(
        found.cpu_mitigations === 0n,
        cpu_mitigations_off(parameters, release),
        `cpu_mitigations: ${text}`,
      );
      const crashKernel = Number(BigInt.asUintN(64, found.crashk_res));
      const reserved = reserve_crashkernel_generic(
        {
          traits,
          parameters,
          memory: [memory],
          physMemSize: 512 * MIB,
          startOfDram: memory.start,
          endOfDram: memory.end,
          taken: [],
          facts: { memblockReserved: inUse, ...(crashKernel !== 0 && { crashKernel }) },
        },
        () => {},
      );
      t.equal(found.crashk_res, crashResource(reserved), `crashk_res: ${text}`);
      outcomes.add(reserved !== undefined);
    }
    t.equal(outcomes.size, 2, 'some lines reserve memory and some do not');
  });
}
