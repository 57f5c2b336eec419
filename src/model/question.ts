// SPDX-License-Identifier: GPL-2.0-only
import type { BootFacts } from '../evidence/boot-facts.ts';
import type { CheckpointName } from '../evidence/capture.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import type { Machine } from '../scenario/types.ts';

/** The question that the model answers: this kernel, on this machine, with these parameters. */
export interface Question {
  traits: KernelTraits;
  machine: Machine;
  /** Kernel parameters, e.g. 'rodata=off'. */
  parameters: string[];
  kaslr: boolean;
  probes: string[];
  /** CONFIG_BPF_SYSCALL, where init loads a program; default: off. */
  hasBpf?: boolean;
  /** Offset of a linker symbol from _text in bytes. */
  symbolOffset: (name: string) => number;
  facts: BootFacts;
  /** It is a board's: only the state at `live` is asked for. */
  live?: true;
  /** The boot ended there, by the harness, and ran no probes; default: it went on to its end. */
  until?: CheckpointName;
}
