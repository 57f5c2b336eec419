// SPDX-License-Identifier: GPL-2.0-only
import type { RsiCall } from '../evidence/capture.ts';
import type { PredictedRsiCall, RsiRequest } from '../model/types.ts';
import { hex } from './text.ts';

/** RsiRipas, RsiRipasChangeDestroyed and RsiResponse of DEN0137. */
const ripasNames = ['EMPTY', 'RAM', 'DESTROYED', 'DEV'];
const RSI_CHANGE_DESTROYED = 1n;
const RSI_ACCEPT = 0n;

/** A granule of the RMM, whatever the kernel's page size. */
const RSI_GRANULE_SIZE = 0x1000n;

type StateChange = Extract<PredictedRsiCall, { rsi: 'IPA_STATE_SET' }>;

/** The arguments of RSI_IPA_STATE_SET. */
function stateChange({ arguments: [base, top, state, flags] }: RsiCall): {
  start: bigint;
  end: bigint;
  ripas: string;
  changeDestroyed: boolean;
} {
  const ripas = ripasNames[Number(state & 0xffn)] ?? hex(state);
  return { start: base, end: top, ripas, changeDestroyed: (flags & RSI_CHANGE_DESTROYED) !== 0n };
}

function sameRange(each: StateChange, { start, end }: { start: bigint; end: bigint }): boolean {
  return BigInt(each.start) === start && BigInt(each.end) === end;
}

/** Whether a call is the one that was predicted. */
export function isRequested(each: PredictedRsiCall, call: RsiCall): boolean {
  if (each.rsi !== call.rsi) return false;
  const [argument] = call.arguments;
  switch (each.rsi) {
    case 'VERSION':
      return argument === each.version;
    case 'REALM_CONFIG':
      return (
        argument % RSI_GRANULE_SIZE === 0n &&
        argument >= each.within.start &&
        argument < each.within.end
      );
    case 'IPA_STATE_SET': {
      const { ripas, changeDestroyed, ...range } = stateChange(call);
      return (
        sameRange(each, range) && ripas === each.ripas && changeDestroyed === each.changeDestroyed
      );
    }
  }
}

/**
 * The rest of a predicted change of state after a call that the RMM accepted but completed only in
 * part.
 */
export function remainder(
  each: PredictedRsiCall,
  { results: [status, reached, response] }: RsiCall,
): StateChange | undefined {
  if (each.rsi !== 'IPA_STATE_SET' || status !== 0n || response !== RSI_ACCEPT) return undefined;
  const goesOn = reached >= each.start && reached < each.end;
  return goesOn ? { ...each, start: Number(reached) } : undefined;
}

/**
 * How a call differs from a predicted one that it may stand for; undefined where the two are
 * unrelated.
 */
export function resemblance(
  each: PredictedRsiCall,
  call: RsiCall,
): 'argument' | 'range' | 'state' | 'flags' | undefined {
  if (each.rsi !== call.rsi) return undefined;
  if (each.rsi !== 'IPA_STATE_SET') return 'argument';
  const { start, end, ripas } = stateChange(call);
  if (sameRange(each, { start, end })) return ripas === each.ripas ? 'flags' : 'state';
  const overlaps = start < each.end && end > each.start;
  return overlaps && ripas === each.ripas ? 'range' : undefined;
}

/** A call that was made, as text. */
export function callText(call: RsiCall): string {
  if (call.rsi !== 'IPA_STATE_SET')
    return `RSI_${call.rsi}(${call.arguments.slice(0, 2).map(hex).join(', ')})`;
  const { start, end, ripas, changeDestroyed } = stateChange(call);
  return stateText(hex(start), hex(end), ripas, changeDestroyed);
}

/** A predicted call, as text. */
export function expectedText(each: RsiRequest): string {
  switch (each.rsi) {
    case 'VERSION':
      return `RSI_VERSION(${hex(each.version)})`;
    case 'REALM_CONFIG':
      return `RSI_REALM_CONFIG(a granule from ${hex(each.within.start)} to ${hex(each.within.end)})`;
    case 'IPA_STATE_SET':
      return stateText(hex(each.start), hex(each.end), each.ripas, each.changeDestroyed);
  }
}

function stateText(start: string, end: string, ripas: string, changeDestroyed: boolean): string {
  const destroyed = changeDestroyed ? 'RSI_CHANGE_DESTROYED' : 'RSI_NO_CHANGE_DESTROYED';
  return `RSI_IPA_STATE_SET(${start} to ${end}, ${ripas}, ${destroyed})`;
}
