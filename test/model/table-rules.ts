// SPDX-License-Identifier: GPL-2.0-only
import { geometryOf } from '../../src/linux/geometry.ts';
import { PTE_CONT, PTE_NG, PTE_TYPE_PAGE } from '../../src/linux/pgprot.ts';
import {
  __create_pgd_mapping,
  NO_BLOCK_MAPPINGS,
  NO_CONT_MAPPINGS,
} from '../../src/model/arch/arm64/mm/mmu-create.ts';
import { kpti_mk_tbl_ng } from '../../src/model/arch/arm64/mm/proc.ts';
import { LinearMap } from '../../src/model/linear-map.ts';
import { given } from '../given.ts';
import { sharedGolden } from './golden.ts';
import type { Rule } from './rule.ts';

const MIB = 2 ** 20;

/** Attributes of tables that are kept as one entry, by their order; undefined for the others. */
function keptAsOne(flags: number, change: (map: LinearMap) => void): (bigint | undefined)[] {
  const { traits } = sharedGolden('7.3.4+deb13-arm64@max+noalias.json.gz').question;
  const map = new LinearMap(geometryOf(4096), 39, 0n, 0);
  // Two whole tables of 2 MiB, and half of one.
  __create_pgd_mapping(map, traits, 0, 5 * MIB, PTE_TYPE_PAGE, flags, true);
  change(map);
  const pmds = given(map.root.tables.get(0));
  return [0, 1, 2].map((index) => {
    const { same } = given(pmds.tables.get(index));
    return same === undefined ? undefined : map.attributes(same);
  });
}

const sameList = (found: unknown[], wanted: unknown[]): boolean =>
  found.length === wanted.length && found.every((each, index) => each === wanted[index]);

const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;

/** Rules about the form in which the model keeps tables. */
export const tableRules: readonly Rule[] = [
  {
    name: 'a terabyte in pages fits in memory: a whole table of equal pages is kept as one entry',
    holds: () => {
      const nothing = () => {};
      const contiguous = PTE_TYPE_PAGE | PTE_CONT;
      return (
        sameList(keptAsOne(pages, nothing), [PTE_TYPE_PAGE, PTE_TYPE_PAGE, undefined]) &&
        sameList(keptAsOne(NO_BLOCK_MAPPINGS, nothing), [contiguous, contiguous, undefined])
      );
    },
  },
  {
    name: 'it still is when KPTI has made it non-global',
    holds: () => {
      const nonGlobal = PTE_TYPE_PAGE | PTE_NG;
      const rewritten = keptAsOne(pages, (map) => kpti_mk_tbl_ng(map, map.root));
      return sameList(rewritten, [nonGlobal, nonGlobal, undefined]);
    },
  },
];
