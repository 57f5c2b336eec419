// SPDX-License-Identifier: GPL-2.0-only
/** A line of /proc/vmallocinfo: an area of the vmalloc space. */
interface VmallocArea {
  start: bigint;
  /** Address after the area; includes the guard page that most areas end with. */
  end: bigint;
  /** Function that requested it, without offset; undefined for areas without one (vm_map_ram). */
  caller: string | undefined;
  /** Number of pages that it maps, where it owns pages. */
  pages: number | undefined;
  /** Physical address of what it maps, for ioremap and the like; 0 is never printed. */
  phys: bigint | undefined;
  /** ioremap, vmalloc, vmap, user, dma-coherent, vpages; 'vm_map_ram', 'unpurged'. */
  flags: string[];
}

const knownFlags = new Set([
  'ioremap',
  'sparse',
  'vmalloc',
  'vmap',
  'user',
  'dma-coherent',
  'vpages',
  'vm_map_ram',
  'unpurged',
]);
const maxAreas = 100_000;

/**
 * Parses /proc/vmallocinfo (mm/vmalloc.c, vmalloc_info_show()). Lines of another form are skipped.
 */
export function parseVmallocinfo(text: string): VmallocArea[] {
  const areas: VmallocArea[] = [];
  for (const line of text.split('\n')) {
    const match = /^0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\s+\d+(.*)$/.exec(line);
    if (!match || areas.length >= maxAreas) continue;
    const words = (match[3] ?? '').split(' ').filter((word) => word !== '');
    areas.push({
      start: BigInt(`0x${match[1]}`),
      end: BigInt(`0x${match[2]}`),
      caller: words
        .map((word) => /^([\w.$]+)\+0x[0-9a-f]+\/0x[0-9a-f]+$/.exec(word)?.[1])
        .find((name) => name),
      pages: numberAfter(words, 'pages=', (digits) =>
        /^\d{1,15}$/.test(digits) ? Number(digits) : undefined,
      ),
      phys: numberAfter(words, 'phys=', (digits) =>
        /^0x[0-9a-f]{1,16}$/.test(digits) ? BigInt(digits) : undefined,
      ),
      flags: words.filter((word) => knownFlags.has(word)),
    });
  }
  return areas;
}

function numberAfter<T>(
  words: readonly string[],
  key: string,
  parse: (digits: string) => T | undefined,
): T | undefined {
  const word = words.find((each) => each.startsWith(key));
  return word === undefined ? undefined : parse(word.slice(key.length));
}
