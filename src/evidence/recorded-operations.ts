// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedCall } from './recording-reader.ts';

/** A call that was entered and has not returned. */
export interface OpenCall {
  call: RecordedCall;
  args: readonly bigint[];
}

/** An exception interrupts what is below it. */
type Frame = OpenCall | 'exception';

/**
 * Follows the recorded functions that each task is in. A task that the recorder has not named yet is
 * what its CPU runs since its start (operations.c).
 */
export class RecordedOperations {
  readonly #running: Frame[][] = [];
  readonly #waiting = new Map<bigint, Frame[]>();

  enter(cpu: number, open: OpenCall): void {
    this.#stack(cpu).push(open);
  }

  leave(cpu: number): void {
    this.#stack(cpu).pop();
  }

  switch(cpu: number, previous: bigint, next: bigint): void {
    this.#waiting.set(previous, this.#stack(cpu));
    this.#running[cpu] = this.#waiting.get(next) ?? [];
    this.#waiting.delete(next);
  }

  mark(cpu: number): void {
    this.#stack(cpu).push('exception');
  }

  /** What the exception's handler left open ends with it. */
  unmark(cpu: number): void {
    const stack = this.#stack(cpu);
    stack.length = Math.max(0, stack.lastIndexOf('exception'));
  }

  /** Calls that a CPU is in, the innermost first, up to the exception that interrupted others. */
  chain(cpu: number): OpenCall[] {
    const stack = this.#stack(cpu);
    const own = stack.slice(stack.lastIndexOf('exception') + 1) as OpenCall[];
    return own.reverse();
  }

  /** How many calls have not returned. */
  get open(): number {
    const stacks = [...this.#running.filter(Boolean), ...this.#waiting.values()];
    return stacks.reduce(
      (sum, stack) => sum + stack.filter((frame) => frame !== 'exception').length,
      0,
    );
  }

  #stack(cpu: number): Frame[] {
    this.#running[cpu] ??= [];
    return this.#running[cpu];
  }
}
