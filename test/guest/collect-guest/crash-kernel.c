// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads a crash kernel with kexec_load(2), as kexec-tools does: Debian's arm64 kernels have no
 * kexec_file_load(2).
 */
#include <errno.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

/* The largest page, and what a device tree must not cross (Documentation/arch/arm64/booting.rst). */
#define PAGE UINT64_C(65536)
#define BLOCK UINT64_C(0x200000)

#define SEGMENTS 5

/* Where the next segment of the crash kernel goes. */
struct layout {
	struct range crash;
	uint64_t next;
	struct kexec_segment segments[SEGMENTS];
	size_t count;
};

static uint64_t up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static struct range add(struct layout *layout, struct bytes bytes, uint64_t memory, uint64_t alignment)
{
	uint64_t start = up(layout->next, alignment);
	uint64_t end = up(start + memory, PAGE);

	if (end > layout->crash.end) {
		errno = ENOSPC;
		give_up("the crash kernel's memory is too small");
	}
	layout->segments[layout->count++] = (struct kexec_segment){
		.buf = bytes.at,
		.bufsz = bytes.length,
		.mem = (void *)start,
		.memsz = end - start,
	};
	layout->next = end;
	return (struct range){ start, start + bytes.length };
}

/* Jumps to the kernel with the address of its device tree, and the MMU off. */
static struct bytes purgatory(uint64_t kernel, uint64_t tree)
{
	static uint32_t code[12] = {
		0x58000111, /* ldr x17, kernel */
		0x58000120, /* ldr x0, tree */
		0xaa1f03e1, /* mov x1, xzr */
		0xaa1f03e2, /* mov x2, xzr */
		0xaa1f03e3, /* mov x3, xzr */
		0xd61f0220, /* br x17 */
		0xd503201f, 0xd503201f,
	};

	memcpy(&code[8], &kernel, sizeof(kernel));
	memcpy(&code[10], &tree, sizeof(tree));
	return (struct bytes){ (unsigned char *)code, sizeof(code) };
}

void load_crash_kernel(struct bytes image, struct bytes initrd, const char *command_line)
{
	struct layout layout = { 0 };
	struct chosen chosen = { .command_line = command_line };
	uint64_t image_memory;
	struct bytes tree;

	if (iomem_ranges("Crash kernel", &layout.crash, 1) != 1)
		give_up("no crashkernel=");
	layout.next = layout.crash.start;
	/* image_size of the Image's header: with the BSS. */
	memcpy(&image_memory, image.at + 16, sizeof(image_memory));
	struct range kernel = add(&layout, image, image_memory, BLOCK);

	chosen.usable = layout.crash;
	chosen.initrd = add(&layout, initrd, initrd.length, PAGE);
	struct bytes headers = core_headers(layout.crash);

	chosen.core_headers = add(&layout, headers, headers.length, PAGE);
	tree = crash_tree(&chosen);
	struct range tree_at = add(&layout, tree, tree.length, BLOCK);
	struct range entry = add(&layout, purgatory(kernel.start, tree_at.start), 48, PAGE);

	if (syscall(SYS_kexec_load, entry.start, layout.count, layout.segments,
		    KEXEC_ON_CRASH | KEXEC_ARCH_AARCH64))
		give_up("kexec_load");
}
