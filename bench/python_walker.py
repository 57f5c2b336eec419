"""Stand-in for the class of tools that read page tables through a debugger with a Python script (gdb-pt-dump and others).

Such a tool reads one table page at a time, unpacks it, makes an object of every present entry, and then folds neighbours of
equal permissions. This does the same on the RAM file itself, so that it is spared the debugger's round trips, and it decodes
less: gdb-pt-dump's own parser, given the same file without a debugger, takes about eight times as long as this script. The
real tools are slower still. 4K granule, 48-bit addresses.

python_walker.py RAM_FILE ROOT_OFFSET: prints seconds, leaves, runs.
"""

import os
import struct
import sys
import time

RAM_BASE = 0x40000000
ADDRESS = 0x0000FFFFFFFFF000


class Leaf:
    __slots__ = ("va", "pa", "size", "attributes")

    def __init__(self, va, pa, size, attributes):
        self.va = va
        self.pa = pa
        self.size = size
        self.attributes = attributes


def walk(file, pa, level, va, leaves):
    size = 1 << (12 + 9 * (3 - level))
    page = os.pread(file, 4096, pa - RAM_BASE)
    for index, entry in enumerate(struct.unpack("<512Q", page)):
        if entry == 0:
            continue
        if level < 3 and entry & 3 == 3:
            walk(file, entry & ADDRESS, level + 1, va + index * size, leaves)
        else:
            output = entry & ADDRESS & -size
            leaves.append(Leaf(va + index * size, output, size, entry ^ output))


def fold(leaves):
    runs = []
    for leaf in leaves:
        last = runs[-1] if runs else None
        if (
            last is not None
            and last.va + last.size == leaf.va
            and last.pa + last.size == leaf.pa
            and last.attributes == leaf.attributes
        ):
            last.size += leaf.size
        else:
            runs.append(Leaf(leaf.va, leaf.pa, leaf.size, leaf.attributes))
    return runs


def main():
    file = os.open(sys.argv[1], os.O_RDONLY)
    start = time.perf_counter()
    leaves = []
    walk(file, RAM_BASE + int(sys.argv[2], 0), 0, 0xFFFF000000000000, leaves)
    runs = fold(leaves)
    print(time.perf_counter() - start, len(leaves), len(runs))


main()
