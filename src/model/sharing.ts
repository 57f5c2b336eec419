// SPDX-License-Identifier: GPL-2.0-only
import type { SharingRequest } from '../evidence/capture.ts';
import { PTE_PRESENT_INVALID, PTE_VALID } from '../linux/pgprot.ts';
import type { BootState } from './boot-state.ts';
import { PROT_NS_SHARED } from './linear-map.ts';
import { type AttributeChange, changeAttributes, PartialLeaf } from './pageattr.ts';
import { rsi_set_memory_range_protected, rsi_set_memory_range_shared } from './rsi.ts';
import { splitAtEnds } from './split.ts';

const PAGEATTR = 'arch/arm64/mm/pageattr.c';
const MMU = 'arch/arm64/mm/mmu.c';

/**
 * What split_kernel_leaf_mapping() answers to one request: it may split, has nothing to do, or
 * refuses with -EBUSY.
 */
type SplitAnswer = 'split' | 'nothing' | 'busy';

/**
 * split_kernel_leaf_mapping() for a request at any time of the boot. Until the capabilities are
 * final, system_supports_bbml*() is false; up to 6.19 (split_leaf_mapping_possible()) that means
 * that nothing is split, since f12b435de2f2 the boot CPU may split as long as it is alone and the
 * page allocator is up.
 */
function splitAnswer({ traits, decisions }: BootState, request: SharingRequest): SplitAnswer {
  if (traits.bbml === 'none') return 'nothing';
  const supported = request.capabilitiesFinal && decisions.systemBbml;
  if (!traits.splitAsksRequires)
    return supported && !decisions.debugPagealloc ? 'split' : 'nothing';
  if (!decisions.linearMapRequiresBbml) return 'nothing';
  if (supported) return 'split';
  if (request.capabilitiesFinal) return 'nothing';
  return request.pageAllocator === false || request.onlineCpus > 1 ? 'busy' : 'split';
}

/**
 * The two changes of __set_memory_enc_dec(): break the mapping, then make it valid again in its new
 * place.
 */
function changesOf(
  { traits, prot }: BootState,
  direction: SharingRequest['direction'],
): [AttributeChange, AttributeChange] {
  const set = direction === 'decrypt' ? PROT_NS_SHARED : 0n;
  const clear = direction === 'decrypt' ? 0n : PROT_NS_SHARED;
  const present = PTE_VALID | prot.maybeNg;
  if (!traits.presentInvalid)
    return [
      { set, clear: clear | PTE_VALID },
      { set: PTE_VALID, clear: 0n },
    ];
  return [
    { set: set | PTE_PRESENT_INVALID, clear: clear | present },
    { set: present, clear: PTE_PRESENT_INVALID & ~present },
  ];
}

/**
 * Between the two changes __set_memory_enc_dec() asks the RMM, which is not asked where the first
 * of them fails.
 */
function askFor(state: BootState, { start, pages, direction, before }: SharingRequest): void {
  const { map } = state;
  const first = map.physBase + map.offsetOfVa(start);
  const range = { start: first, end: first + pages * map.geometry.granule };
  const set =
    direction === 'decrypt' ? rsi_set_memory_range_shared : rsi_set_memory_range_protected;
  state.rsi.push({
    ...set(range),
    where: `realm_set_memory_${direction}ed()`,
    source: PAGEATTR,
    before,
  });
}

/**
 * set_memory_decrypted() and set_memory_encrypted() of a realm: one request against the linear map,
 * with what is left behind where it fails. A block that is only partly covered ends it with
 * -EINVAL; leaves before that block keep the first of the two changes.
 */
export function realm_set_memory(state: BootState, request: SharingRequest): void {
  const { map, traits, why } = state;
  const start = map.offsetOfVa(request.start);
  const end = start + request.pages * map.geometry.granule;
  const name = `realm_set_memory_${request.direction}ed()`;
  const what = `${request.pages} pages for ${request.caller}()`;
  const answer = splitAnswer(state, request);
  if (answer === 'busy') {
    why(
      'split_kernel_leaf_mapping()',
      MMU,
      `WARN and -EBUSY before the capabilities are final: ${what} stay as they are`,
    );
    return;
  }
  if (answer === 'split') splitAtEnds(map, traits, start, end);
  try {
    const [away, back] = changesOf(state, request.direction);
    changeAttributes(map, traits, start, end, away);
    askFor(state, request);
    changeAttributes(map, traits, start, end, back);
    why(name, PAGEATTR, `${what} become ${request.direction === 'decrypt' ? 'shared' : 'private'}`);
  } catch (error) {
    if (!(error instanceof PartialLeaf)) throw error;
    why(name, PAGEATTR, `WARN and -EINVAL for ${what}: ${error.message}; they are leaked`);
  }
}
