// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { parseTargetDescription } from '../../../harness/emulator/target-description.ts';
import { given } from '../../given.ts';

const documents: Record<string, string> = {
  'core.xml': `<feature name="core"><reg name="x0" bitsize="64"/><reg name="pc" bitsize='64' type="code_ptr"/></feature>`,
  'system.xml': `<feature name="sys"><reg name="SCTLR" bitsize="64" regnum="90" group="cp_regs"/>
    <!-- <reg name="GONE" bitsize="64"/> --><reg name="VBAR" bitsize="64" regnum="93"/><reg name="TTBR1_EL1" bitsize="64"/></feature>`,
};
const target = `<?xml version="1.0"?><target><architecture>aarch64</architecture>
  <xi:include href="core.xml"/><xi:include href="system.xml"/></target>`;

t.test('numbers registers across included documents and gives them their full names', async (t) => {
  const registers = await parseTargetDescription(target, async (name) => given(documents[name]));
  t.same(Object.fromEntries(registers), {
    x0: { number: 0, bits: 64 },
    pc: { number: 1, bits: 64 },
    SCTLR_EL1: { number: 90, bits: 64 },
    VBAR_EL1: { number: 93, bits: 64 },
    TTBR1_EL1: { number: 94, bits: 64 },
  });
});
