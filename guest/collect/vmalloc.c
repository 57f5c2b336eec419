// SPDX-License-Identifier: GPL-2.0-only
/*
 * The areas of vmalloc's address space, in the words of /proc/vmallocinfo (mm/vmalloc.c,
 * vmalloc_info_show()). That file hides addresses, even from root, unless kernel.kptr_restrict is 1,
 * and a dump has no such file.
 */
#include <string.h>

#include "btf.h"
#include "facts.h"
#include "symbols.h"
#include "vmcoreinfo.h"

/* As many as the reader of the file takes. */
#define MAX_AREAS 100000
#define MAX_NODES 4096
/* A running kernel changes its lists while they are followed. */
#define TRIES 4

/* include/linux/vmalloc.h; the same since 6.9. */
#define VM_UNINITIALIZED 0x20
static const struct flag {
	uint64_t bit;
	const char *word;
} flags[] = {
	{ 0x1, "ioremap" }, { 0x1000, "sparse" }, { 0x2, "vmalloc" },
	{ 0x4, "vmap" },    { 0x8, "user" },	  { 0x10, "dma-coherent" },
};

struct vmalloc {
	const struct board *board;
	/* The array of struct vmap_node, and how much of it there is. */
	uint64_t nodes;
	uint32_t node_count;
	uint32_t node_bytes;
	/* Of the list's head in struct vmap_node. */
	uint32_t busy;
	/* Of members of struct vmap_area. */
	uint32_t va_start, va_end, list, vm;
	/* Of members of struct vm_struct. */
	uint32_t addr, size, vm_flags, pages, page_count, phys, caller;
	uint64_t start, end;
};

static bool find_layout(struct vmalloc *vmalloc, const struct board *board)
{
	uint32_t busy, head;

	*vmalloc = (struct vmalloc){ .board = board };
	if (!board_variable(board, "vmap_nodes", &vmalloc->nodes, 8) ||
	    !board_variable(board, "nr_vmap_nodes", &vmalloc->node_count, 4) ||
	    vmalloc->node_count > MAX_NODES || !btf_size("vmap_node", &vmalloc->node_bytes) ||
	    !btf_offset("vmap_node", "busy", &busy) || !btf_offset("rb_list", "head", &head))
		return false;
	vmalloc->busy = busy + head;
	/* An unnamed union with `vm` follows the list. */
	if (!btf_offset("vmap_area", "va_start", &vmalloc->va_start) ||
	    !btf_offset("vmap_area", "va_end", &vmalloc->va_end) ||
	    !btf_offset("vmap_area", "list", &vmalloc->list))
		return false;
	vmalloc->vm = vmalloc->list + 16;
	return btf_offset("vm_struct", "addr", &vmalloc->addr) && btf_offset("vm_struct", "size", &vmalloc->size) &&
	       btf_offset("vm_struct", "flags", &vmalloc->vm_flags) &&
	       btf_offset("vm_struct", "pages", &vmalloc->pages) &&
	       btf_offset("vm_struct", "nr_pages", &vmalloc->page_count) &&
	       btf_offset("vm_struct", "phys_addr", &vmalloc->phys) &&
	       btf_offset("vm_struct", "caller", &vmalloc->caller) &&
	       vmcoreinfo_find(board->memory, "NUMBER(MODULES_VADDR)", 0, &vmalloc->start) &&
	       vmcoreinfo_find(board->memory, "NUMBER(VMALLOC_END)", 0, &vmalloc->end);
}

static bool read_word(const struct vmalloc *vmalloc, uint64_t at, uint64_t *to)
{
	return vmalloc->board->memory->read_virtual(vmalloc->board->memory, at, to, sizeof(*to));
}

static bool is_area(const struct vmalloc *vmalloc, uint64_t start, uint64_t end)
{
	return start >= vmalloc->start && start < end && end <= vmalloc->end && (start | end) % 4096 == 0;
}

static void print_caller(uint64_t caller, struct buffer *buffer)
{
	char name[SYMBOL_NAME_BYTES];
	uint64_t offset, size;

	if (symbol_at(caller, name, &offset, &size))
		buffer_print(buffer, " %s+0x%llx/0x%llx", name, (unsigned long long)offset, (unsigned long long)size);
	else if (caller)
		/* A function of a module. */
		buffer_print(buffer, " 0x%llx", (unsigned long long)caller);
}

/* An area that has a struct vm_struct; false where it makes no sense. */
static bool print_area(const struct vmalloc *vmalloc, uint64_t vm, struct buffer *buffer)
{
	uint64_t addr, size, bits, pages, count, phys, caller;

	if (!read_word(vmalloc, vm + vmalloc->addr, &addr) || !read_word(vmalloc, vm + vmalloc->size, &size) ||
	    !read_word(vmalloc, vm + vmalloc->vm_flags, &bits) || !read_word(vmalloc, vm + vmalloc->pages, &pages) ||
	    !read_word(vmalloc, vm + vmalloc->page_count, &count) ||
	    !read_word(vmalloc, vm + vmalloc->phys, &phys) || !read_word(vmalloc, vm + vmalloc->caller, &caller) ||
	    !is_area(vmalloc, addr, addr + size))
		return false;
	if (bits & VM_UNINITIALIZED)
		return true;
	buffer_print(buffer, "0x%016llx-0x%016llx %7llu", (unsigned long long)addr,
		     (unsigned long long)(addr + size), (unsigned long long)size);
	print_caller(caller, buffer);
	/* An unsigned int up to 6.18. */
	if ((uint32_t)count)
		buffer_print(buffer, " pages=%u", (uint32_t)count);
	if (phys)
		buffer_print(buffer, " phys=0x%016llx", (unsigned long long)phys);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (bits & flags[i].bit)
			buffer_print(buffer, " %s", flags[i].word);
	}
	if (pages >= vmalloc->start && pages < vmalloc->end)
		buffer_print(buffer, " vpages");
	buffer_print(buffer, "\n");
	return true;
}

/* Follows the list of one node; false where it makes no sense. */
static bool print_node(const struct vmalloc *vmalloc, uint64_t node, size_t *areas, struct buffer *buffer)
{
	uint64_t head = node + vmalloc->busy, at;

	if (!read_word(vmalloc, head, &at))
		return false;
	while (at != head) {
		uint64_t area = at - vmalloc->list, start, end, vm;

		if (++*areas > MAX_AREAS || !read_word(vmalloc, area + vmalloc->va_start, &start) ||
		    !read_word(vmalloc, area + vmalloc->va_end, &end) || !read_word(vmalloc, area + vmalloc->vm, &vm) ||
		    !is_area(vmalloc, start, end))
			return false;
		if (vm == 0)
			buffer_print(buffer, "0x%016llx-0x%016llx %7llu vm_map_ram\n", (unsigned long long)start,
				     (unsigned long long)end, (unsigned long long)(end - start));
		else if (!print_area(vmalloc, vm, buffer))
			return false;
		if (!read_word(vmalloc, at, &at))
			return false;
	}
	return true;
}

static bool print_nodes(const struct vmalloc *vmalloc, struct buffer *buffer)
{
	size_t areas = 0;

	for (uint32_t i = 0; i < vmalloc->node_count; i++) {
		if (!print_node(vmalloc, vmalloc->nodes + (uint64_t)i * vmalloc->node_bytes, &areas, buffer))
			return false;
	}
	return true;
}

bool print_vmallocinfo(const struct board *board, struct buffer *buffer)
{
	struct vmalloc vmalloc;

	if (!find_layout(&vmalloc, board))
		return false;
	for (int tries = 0; tries < TRIES; tries++) {
		buffer->length = 0;
		if (print_nodes(&vmalloc, buffer))
			return true;
	}
	buffer->length = 0;
	return false;
}
