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
  /** Of each CPU, the innermost call: it is asked for more often than it changes. */
  readonly #innermost: (Open | undefined)[] = [];
  readonly #waiting = new Map<bigint, Frame<Open>[]>();

  enter(cpu: number, open: Open): void {
    this.#stack(cpu).push(open);
    this.#innermost[cpu] = open;
  }

  /** @returns the call that returned */
  leave(cpu: number): Open | undefined {
    const frame = this.#stack(cpu).pop();
    this.#look(cpu);
    return frame === 'exception' ? undefined : frame;
  }

  /** The innermost call that a CPU is in, unless an exception has interrupted it. */
  innermost(cpu: number): Open | undefined {
    return this.#innermost[cpu];
  }

  switch(cpu: number, previous: bigint, next: bigint): void {
    this.#waiting.set(previous, this.#stack(cpu));
    this.#running[cpu] = this.#waiting.get(next) ?? [];
    this.#waiting.delete(next);
    this.#look(cpu);
  }

  mark(cpu: number): void {
    this.#stack(cpu).push('exception');
    this.#look(cpu);
  }

  /** What the exception's handler left open ends with it. */
  unmark(cpu: number): void {
    const stack = this.#stack(cpu);
    stack.length = Math.max(0, stack.lastIndexOf('exception'));
    this.#look(cpu);
  }

  /** How many calls have not returned. */
  get open(): number {
    const stacks = [...this.#running.filter(Boolean), ...this.#waiting.values()];
    return stacks.reduce(
      (sum, stack) => sum + stack.filter((frame) => frame !== 'exception').length,
      0,
    );
  }

  #look(cpu: number): void {
    const frame = this.#stack(cpu).at(-1);
    this.#innermost[cpu] = frame === 'exception' ? undefined : frame;
  }

  #stack(cpu: number): Frame<Open>[] {
    this.#running[cpu] ??= [];
    return this.#running[cpu];
  }
}
