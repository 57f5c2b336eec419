// SPDX-License-Identifier: GPL-2.0-only
import { brokenRecording, type EventBytes, type LastValues } from './event-bytes.ts';

/** A function of the list, as it is called at one place. */
export interface RecordedCall {
  /** Counts the places from 0 on. */
  number: number;
  /** Its place in the list, from 0 on. */
  listed: number;
  /** Address to which it returns. */
  caller: bigint;
}

/** A function of the list that the recorder was given (src/linux/recorded-functions.ts). */
export interface Listed {
  arguments: number;
  returns: boolean;
}

/** A call with what it was given and what it returned, as it was the last time. */
interface Known {
  call: RecordedCall;
  returns: boolean;
  /** Where its values are in the last ones: each argument, then the result. */
  at: number;
  /** The same as whole numbers, which are made anew only where they change: most do not. */
  args: readonly bigint[];
  result: bigint;
}

/** The calls of a recording, whose values are told by how they differ from the last ones. */
export class RecordedCalls {
  readonly all: RecordedCall[] = [];
  readonly #known: Known[] = [];
  readonly #listed: readonly Listed[];
  readonly #in: EventBytes;
  readonly #lasts: LastValues;
  readonly #lastCaller: number;

  /** @param lasts has room for the values of each call from then on */
  constructor(listed: readonly Listed[], bytes: EventBytes, lasts: LastValues) {
    this.#listed = listed;
    this.#in = bytes;
    this.#lasts = lasts;
    this.#lastCaller = lasts.add(1);
  }

  /** Reads of a call that is new. */
  add(): void {
    const listed = this.#in.number();
    const known = this.#listed[listed];
    if (known === undefined) throw brokenRecording(`it lists no function ${listed}`);
    const { arguments: count, returns } = known;
    this.#in.change(this.#lasts.halves, this.#lastCaller);
    const call = { number: this.all.length, listed, caller: this.#lasts.big(this.#lastCaller) };
    this.all.push(call);
    const at = this.#lasts.add(count + 1);
    this.#known.push({ call, returns, at, args: new Array(count).fill(0n), result: 0n });
  }

  /** Reads which call is meant, by its number from 1 on. */
  next(): Known {
    const id = this.#in.number();
    const known = this.#known[id - 1];
    if (known === undefined) throw brokenRecording(`there is no call ${id}`);
    return known;
  }

  /** Reads what a call is given. */
  args(known: Known): readonly bigint[] {
    const { args: before, at } = known;
    let given: bigint[] | undefined;
    for (let i = 0; i < before.length; i++) {
      if (!this.#in.change(this.#lasts.halves, at + 2 * i)) continue;
      given ??= before.slice();
      given[i] = this.#lasts.big(at + 2 * i);
    }
    if (given) known.args = given;
    return known.args;
  }

  /** Reads what a call returns; undefined for one that returns nothing. */
  result(known: Known): bigint | undefined {
    if (!known.returns) return undefined;
    const at = known.at + 2 * known.args.length;
    if (this.#in.change(this.#lasts.halves, at)) known.result = this.#lasts.big(at);
    return known.result;
  }
}
