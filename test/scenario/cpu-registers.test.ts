// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { expectedIdRegisters } from '../../src/scenario/cpu-registers.ts';
import { goldenNames, readGolden } from '../model/golden.ts';

t.test('each CPU of every recorded boot has the registers that are planned with', async (t) => {
  for (const name of goldenNames()) {
    const { machine, facts } = readGolden(name).question;
    const expected = expectedIdRegisters(machine);
    t.equal(expected.length, facts.idRegisters.length, name);
    for (const [cpu, registers] of facts.idRegisters.entries()) {
      // Older recordings have fewer of them.
      const common = Object.keys(registers).map((key) => [key, expected[cpu]?.[key]]);
      t.same(Object.fromEntries(common), registers, `${name}, CPU ${cpu}`);
    }
  }
});
