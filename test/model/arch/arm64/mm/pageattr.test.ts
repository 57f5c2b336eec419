// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { SharingRequest } from '../../../../../src/evidence/capture.ts';
import {
  PTE_AF,
  PTE_PRESENT_INVALID,
  PTE_RDONLY,
  PTE_TYPE_PAGE,
  PTE_VALID,
  PTE_WRITE,
} from '../../../../../src/linux/pgprot.ts';
import {
  __create_pgd_mapping,
  NO_BLOCK_MAPPINGS,
  NO_CONT_MAPPINGS,
} from '../../../../../src/model/arch/arm64/mm/mmu-create.ts';
import {
  hideSecretPages,
  protectVmallocAliases,
  realm_set_memory,
} from '../../../../../src/model/arch/arm64/mm/pageattr.ts';
import { recordDerivation } from '../../../../../src/model/derivation.ts';
import { LinearMap, PROT_NS_SHARED } from '../../../../../src/model/linear-map.ts';
import { predict, stateInOperation } from '../../../../../src/model/predict.ts';
import type { Decisions } from '../../../../../src/model/types.ts';
import { given } from '../../../../given.ts';
import { questionOfGolden, sharedGolden } from '../../../golden.ts';

const PAGE = 4096;
const RAM = 0x4000_0000;
const START = 2n ** 64n - 2n ** 39n;
const pageKernel = PTE_TYPE_PAGE | PTE_AF | PTE_WRITE;

/** 7.3 with 16 pages of memory, and what it says; global mappings, so that PTE_MAYBE_NG is nothing. */
function booted(changed: Partial<Decisions> = {}) {
  const question = questionOfGolden(sharedGolden('7.3.4-4k39@neoverse-v3-r0p2+8g.json.gz'));
  const { traits } = question;
  const map = new LinearMap(traits.geometry, 39, START, RAM);
  const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;
  __create_pgd_mapping(map, traits, RAM, RAM + 16 * PAGE, pageKernel, pages, true);
  const decisions = { ...predict(question).decisions, ...changed };
  const { steps, why } = recordDerivation();
  const state = { ...stateInOperation(question, decisions), map, why };
  return { state, said: () => steps.map(({ where, outcome }) => `${where}: ${outcome}`) };
}

/** The pages that are not as they were, by number, and what they are. */
function changedPages({ map }: ReturnType<typeof booted>['state']): [page: number, bits: bigint][] {
  const ptes = given(given(map.root.tables.get(0)).tables.get(0));
  return Array.from({ length: 16 }, (_, page) => page)
    .map((page): [number, bigint] => [page, map.attributes(map.entry(ptes, page))])
    .filter(([, attributes]) => attributes !== pageKernel);
}

t.test('secret pages leave the linear map, where can_set_direct_map() allows it', async (t) => {
  const { state, said } = booted();
  const invalid = (pageKernel & ~PTE_VALID) | PTE_PRESENT_INVALID;
  hideSecretPages(state, [RAM + 2 * PAGE, RAM + 5 * PAGE]);
  t.same(changedPages(state), [
    [2, invalid],
    [5, invalid],
  ]);
  t.same(said(), ['set_direct_map_invalid_noflush(): 2 secret pages become invalid']);

  // can_set_direct_map() of a kernel with rodata=noalias and an early KFENCE pool.
  const unable = booted({ rodataFull: false, kfenceEarlyInit: true });
  hideSecretPages(unable.state, [RAM + 2 * PAGE]);
  t.same([...changedPages(unable.state), ...unable.said()], []);

  const single = booted();
  hideSecretPages(single.state, []);
  t.same(single.said(), [], 'without secret pages there is nothing to say');
  hideSecretPages(single.state, [RAM]);
  t.same(single.said(), ['set_direct_map_invalid_noflush(): 1 secret pages become invalid']);
});

t.test(
  'under rodata_full the aliases of read-only vmalloc pages follow, and are counted',
  async (t) => {
    const { state, said } = booted();
    const readOnly = (pageKernel & ~PTE_WRITE) | PTE_RDONLY;
    protectVmallocAliases(state, [
      { start: RAM + PAGE, end: RAM + 3 * PAGE },
      { start: RAM + 8 * PAGE, end: RAM + 9 * PAGE },
    ]);
    t.same(
      changedPages(state),
      [1, 2, 8].map((page) => [page, readOnly]),
    );
    t.same(said(), [
      'change_memory_common(): rodata_full: aliases of 3 read-only vmalloc pages follow',
    ]);
    const none = booted();
    protectVmallocAliases(none.state, []);
    t.same(none.said(), []);
  },
);

/** The fourth and the fifth page. */
const request = (direction: SharingRequest['direction']): SharingRequest => ({
  ...{ direction, start: START + 3n * BigInt(PAGE), pages: 2, caller: 'its_alloc_entry' },
  ...{ before: 'init', capabilitiesFinal: true, onlineCpus: 1 },
});

t.test('a page that a realm shares and takes back is as it was', async (t) => {
  const { state } = booted({ realm: true });
  realm_set_memory(state, request('decrypt'));
  t.same(
    changedPages(state),
    [3, 4].map((page) => [page, pageKernel | PROT_NS_SHARED]),
  );
  realm_set_memory(state, request('encrypt'));
  t.same(changedPages(state), []);
  const range = { start: RAM + 3 * PAGE, end: RAM + 5 * PAGE };
  t.match(
    state.rsi,
    [
      // arch/arm64/include/asm/rsi.h: RSI_CHANGE_DESTROYED both times.
      { ...range, ripas: 'EMPTY', changeDestroyed: true, where: 'realm_set_memory_decrypted()' },
      { ...range, ripas: 'RAM', changeDestroyed: true, where: 'realm_set_memory_encrypted()' },
    ],
    'the RMM is asked both times',
  );
});

t.test('outside a realm nothing is shared: __set_memory_enc_dec() returns at once', async (t) => {
  const { state, said } = booted({ realm: false });
  realm_set_memory(state, request('decrypt'));
  t.same([...changedPages(state), ...state.rsi, ...said()], []);
});

t.test("an error of the model is not taken for the kernel's refusal", async (t) => {
  const { state } = booted({ realm: true });
  const error = new Error('no code is left');
  state.map.leaf = () => {
    throw error;
  };
  t.throws(() => realm_set_memory(state, request('decrypt')), error);
  t.throws(() => hideSecretPages(state, [RAM]), error);
});
