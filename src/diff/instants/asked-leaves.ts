// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedOperation } from '../../evidence/follow-recording.ts';
import type { LinkedEntry } from '../../evidence/recorded-tables.ts';
import { int } from '../../linux/arguments.ts';
import { vmemmapStart } from '../../linux/kernel-layout.ts';
import { argumentsOf } from '../../linux/recorded-functions.ts';
import { page_address } from '../../linux/struct-page.ts';
import { isLeaf } from '../../vmsa/descriptor.ts';
import { rootAddress } from '../../vmsa/regime.ts';
import { canSetDirectMap } from '../invariants/direct-map-promise.ts';
import type { Rule } from '../invariants/violation.ts';
import { outputOf, right } from './leaf-rights.ts';
import { offsetOf } from './live-tables.ts';
import type { Scene } from './scene.ts';
import type { Instant } from './window.ts';

/** What a leaf must be when the operation that asked for it has returned. */
type Asked = 'valid' | 'invalid' | 'shared' | 'private' | 'ro' | 'rw' | 'x' | 'nx';

/** Pages of a request: first virtual address, and how many. */
interface Request {
  start: bigint;
  pages: number;
  asked: readonly Asked[];
}

const words: Record<Asked, string> = {
  valid: 'valid',
  invalid: 'invalid',
  shared: 'valid and shared',
  private: 'valid and private',
  ro: 'read-only',
  rw: 'writable',
  x: 'executable',
  nx: 'not executable',
};

/** What can ask for leaves. */
const asking: ReadonlySet<string> = new Set([
  'set_direct_map_invalid_noflush',
  'set_direct_map_default_noflush',
  'set_direct_map_valid_noflush',
  '__kernel_map_pages',
  'set_memory_valid',
  '__set_memory_enc_dec',
  'realm_set_memory_encrypted',
  'realm_set_memory_decrypted',
  'set_memory_ro',
  'set_memory_rw',
  'set_memory_x',
  'set_memory_nx',
  'set_memory_rox',
]);

/**
 * When an operation that changes single pages has returned 0, each of them has the leaf that was
 * asked for (arch/arm64/mm/pageattr.c): a page of memfd_secret (set_direct_map_invalid_noflush())
 * or a free one under debug_pagealloc (__kernel_map_pages()) is invalid, one that a realm shares
 * (__set_memory_enc_dec()) is valid at the address that says so, and set_memory_*() gives what its
 * name says. set_direct_map_*() do nothing, and return 0, unless can_set_direct_map().
 */
export class AskedLeaves {
  readonly #scene: Scene;
  /** The kernel's root of each CPU, physical. */
  readonly #roots = new Map<number, number>();
  readonly #hasInner: boolean;
  readonly #vmemmap: bigint;

  constructor(scene: Scene) {
    const { layout } = scene.boot;
    const bits = (-BigInt.asIntN(64, layout.pageOffset)).toString(2).length - 1;
    this.#scene = scene;
    this.#vmemmap = vmemmapStart(bits, scene.tables.geometry);
    this.#hasInner = scene.recording.functions.some(({ name }) => name === '__set_memory_enc_dec');
  }

  static heeds(name: string): boolean {
    return asking.has(name);
  }

  root(cpu: number, value: bigint): void {
    this.#roots.set(cpu, rootAddress(value));
  }

  returned({ name, args, result }: RecordedOperation, moment: Instant): void {
    if (!asking.has(name) || int(result) !== 0) return;
    // Of a function that the compiler cloned no argument is known.
    const request = args.length < argumentsOf(name) ? undefined : this.#requestOf(name, args);
    const root = this.#roots.get(moment.cpu);
    if (request === undefined || root === undefined) return;
    for (let page = 0; page < request.pages; page++) {
      const va = request.start + BigInt(page * this.#scene.boot.granule);
      const entry = this.#scene.tables.walk(root, offsetOf(va));
      if (entry) this.#check(name, request.asked, entry, moment);
    }
  }

  #requestOf(name: string, [first = 0n, second, third]: readonly bigint[]): Request | undefined {
    const pages = int(second);
    const ofPage = (count: number, ...asked: Asked[]) =>
      canSetDirectMap(this.#scene.final)
        ? { start: this.#pageAddress(first), pages: count, asked }
        : undefined;
    const ofAddress = (...asked: Asked[]) => ({ start: first, pages, asked });
    switch (name) {
      case 'set_direct_map_invalid_noflush':
        return ofPage(1, 'invalid');
      case 'set_direct_map_default_noflush':
        return ofPage(1, 'valid', 'rw');
      case 'set_direct_map_valid_noflush':
      case '__kernel_map_pages':
        return ofPage(pages, (third ?? 0n) & 0xffn ? 'valid' : 'invalid');
      case 'set_memory_valid':
        return ofAddress(int(third) ? 'valid' : 'invalid');
      case '__set_memory_enc_dec':
        return this.#sharing(ofAddress((third ?? 0n) & 0xffn ? 'private' : 'shared'));
      case 'realm_set_memory_encrypted':
        return this.#hasInner ? undefined : ofAddress('private');
      case 'realm_set_memory_decrypted':
        return this.#hasInner ? undefined : ofAddress('shared');
      case 'set_memory_ro':
        return ofAddress('ro');
      case 'set_memory_rw':
        return ofAddress('rw');
      case 'set_memory_x':
        return ofAddress('x');
      case 'set_memory_nx':
        return ofAddress('nx');
      case 'set_memory_rox':
        return ofAddress('ro', 'x');
      default:
        return undefined;
    }
  }

  /** Outside of a realm it does nothing. */
  #sharing(request: Request): Request | undefined {
    return this.#scene.boot.aliasBit > 0 ? request : undefined;
  }

  #pageAddress(page: bigint): bigint {
    const { granule, layout } = this.#scene.boot;
    return page_address(page, { vmemmap: this.#vmemmap, pageOffset: layout.pageOffset, granule });
  }

  #check(name: string, asked: readonly Asked[], entry: LinkedEntry, moment: Instant): void {
    for (const each of asked) {
      if (this.#is(each, entry)) continue;
      const rule: Rule = {
        name: 'asked-leaves',
        nature: `${name}-not-${each}`,
        title: `${name}() returned 0, but a page is not ${words[each]}`,
        because: `When ${name}() has returned 0, each page that it was asked for is ${words[each]}.`,
      };
      this.#scene.found(rule, entry, moment);
    }
  }

  #is(asked: Asked, { table, low, high }: LinkedEntry): boolean {
    const { upper, tables, boot } = this.#scene;
    const valid = isLeaf({ low }, table.level);
    const may = valid ? upper.of(low, high, tables.hierarchical(table)) : 0;
    const shared = outputOf(table.level, low, high) >= boot.aliasBit;
    switch (asked) {
      case 'valid':
        return valid;
      case 'invalid':
        return !valid;
      case 'shared':
        return valid && shared;
      case 'private':
        return valid && !shared;
      case 'ro':
        return !(may & right.write);
      case 'rw':
        return (may & right.write) !== 0;
      case 'x':
        return (may & right.execute) !== 0;
      case 'nx':
        return !(may & right.execute);
    }
  }
}
