// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedCall } from './recorded-calls.ts';

/** A call that was entered and has not returned. */
export interface OpenCall {
  call: RecordedCall;
  args: readonly bigint[];
}

/** An exception interrupts what is below it. */
type Frame<Open> = Open | 'exception';

/**
 * Follows the recorded functions that each task is in. A task that the recorder has not named yet is
 * what its CPU runs since its start (operations.c).
 */
export class RecordedOperations<Open extends OpenCall = OpenCall> {
  readonly #running: Frame<Open>[][] = [];
  readonly #waiting = new Map<bigint, Frame<Open>[]>();

  enter(cpu: number, open: Open): void {
    this.#stack(cpu).push(open);
  }

  /** @returns the call that returned */
  leave(cpu: number): Open | undefined {
    const frame = this.#stack(cpu).pop();
    return frame === 'exception' ? undefined : frame;
  }

  /** The innermost call that a CPU is in, unless an exception has interrupted it. */
  innermost(cpu: number): Open | undefined {
    const stack = this.#running[cpu];
    const frame = stack?.[stack.length - 1];
    return frame === 'exception' ? undefined : frame;
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

  /** How many calls have not returned. */
  get open(): number {
    const stacks = [...this.#running.filter(Boolean), ...this.#waiting.values()];
    return stacks.reduce(
      (sum, stack) => sum + stack.filter((frame) => frame !== 'exception').length,
      0,
    );
  }

  #stack(cpu: number): Frame<Open>[] {
    this.#running[cpu] ??= [];
    return this.#running[cpu];
  }
}
