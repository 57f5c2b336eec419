// SPDX-License-Identifier: GPL-2.0-only
/** The number of one register in the stub's numbering, and its width in bits. */
export interface TargetRegister {
  number: number;
  bits: number;
}

/**
 * QEMU's name of a register → the architecture's. QEMU 10.0 uses short names for the EL1 registers
 * that also have AArch32 names; 11.1 uses the full names.
 */
const fullNames: Record<string, string> = { SCTLR: 'SCTLR_EL1', VBAR: 'VBAR_EL1' };

/**
 * Register numbers from a GDB target description ("GDB Target Descriptions"). A `<reg>` without
 * `regnum` follows the one before it, across the included documents in order.
 *
 * @param document the text of target.xml
 * @param include returns the text of an included document by its name
 */
export async function parseTargetDescription(
  document: string,
  include: (name: string) => Promise<string>,
): Promise<Map<string, TargetRegister>> {
  const registers = new Map<string, TargetRegister>();
  let next = 0;
  async function visit(xml: string): Promise<void> {
    for (const [element, name] of xml
      .replaceAll(/<!--[\s\S]*?-->/g, '')
      .matchAll(/<(xi:include|reg)\b[^>]*>/g)) {
      if (name === 'xi:include') {
        await visit(await include(attribute(element, 'href') ?? ''));
        continue;
      }
      const register = attribute(element, 'name') ?? '';
      next = Number(attribute(element, 'regnum') ?? next);
      registers.set(fullNames[register] ?? register, {
        number: next,
        bits: Number(attribute(element, 'bitsize')),
      });
      next++;
    }
  }
  await visit(document);
  return registers;
}

function attribute(element: string, name: string): string | undefined {
  return new RegExp(`\\b${name}\\s*=\\s*["']([^"']*)["']`).exec(element)?.[1];
}
