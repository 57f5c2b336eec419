// SPDX-License-Identifier: GPL-2.0-only
import { encodedGranule, rootAddress } from '../vmsa/regime.ts';
import type { Contexts } from './contexts.ts';
import type { Meaning } from './needs-break.ts';

/** What the registers of the translation say of descriptors, and which tables each CPU has. */
export class Registers {
  readonly #meaning = { memoryTypes: new Uint8Array(8), lpa2: false };
  #granule = 4096;

  get meaning(): Meaning {
    return this.#meaning;
  }

  /** Of the kernel's tables, in bytes. */
  get granule(): number {
    return this.#granule;
  }

  /** @param insn the MSR (DDI 0487 C6.2, D24.2) */
  write(insn: number, value: bigint, cpu: number, contexts: Contexts): void {
    switch ((insn & 0xffffffe0) >>> 0) {
      case 0xd5182000:
      case 0xd5182020: {
        const upper = (insn & 0x20) !== 0;
        const [root, asid] = [rootAddress(value), Number(value >> 48n)];
        contexts.root(cpu, upper, root, asid);
        break;
      }
      case 0xd5182040:
        this.#granule = encodedGranule(value, 'ttbr1') ?? 4096;
        this.#meaning.lpa2 = this.#granule !== 65536 && ((value >> 59n) & 1n) === 1n;
        contexts.asidSelect(cpu, ((value >> 22n) & 1n) === 1n);
        break;
      case 0xd5181000:
        contexts.mmu(cpu, (value & 1n) === 1n);
        break;
      case 0xd518a200:
        for (let index = 0; index < 8; index++)
          this.#meaning.memoryTypes[index] = Number((value >> BigInt(8 * index)) & 0xffn);
    }
  }
}
