// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel without /proc/kcore is read by a BPF program of type SYSCALL, which runs when it is asked
 * to (BPF_PROG_TEST_RUN), not when something happens. bpf_base_func_proto() (kernel/bpf/helpers.c)
 * gives it bpf_probe_read_kernel() with CAP_PERFMON, unless the kernel is locked down for
 * confidentiality; that needs CONFIG_BPF_EVENTS. A read of what is not mapped fails, without a fault.
 * The helper writes to the value of a map, which is mapped here: up to 6.18 it cannot write to the
 * program's context (mem_types in kernel/bpf/verifier.c).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "board.h"
#include "fail.h"
#include "host-files.h"

#define WINDOW_BYTES 65536
#define LOG_BYTES 65536
#define MAX_VMCOREINFO 65536

struct bpf {
	struct memory memory;
	/* Geometry alone: where the linear map is. */
	struct board geometry;
	int program;
	/* What the last run read. */
	const unsigned char *window;
};

/* The program's context. */
struct request {
	uint64_t va;
	uint64_t bytes;
};

static int call_bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static struct bpf_insn insn(uint8_t code, uint8_t to, uint8_t from, int16_t offset, int32_t value)
{
	return (struct bpf_insn){ .code = code, .dst_reg = to, .src_reg = from, .off = offset, .imm = value };
}

static int make_window(void)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_type = BPF_MAP_TYPE_ARRAY;
	attributes.key_size = sizeof(uint32_t);
	attributes.value_size = WINDOW_BYTES;
	attributes.max_entries = 1;
	attributes.map_flags = BPF_F_MMAPABLE;
	return call_bpf(BPF_MAP_CREATE, &attributes);
}

/* return bpf_probe_read_kernel(window, request->bytes, request->va); */
static int load_program(int window, char *log)
{
	const struct bpf_insn program[] = {
		insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_3, BPF_REG_1, offsetof(struct request, va), 0),
		insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_1, offsetof(struct request, bytes), 0),
		insn(BPF_JMP | BPF_JGT | BPF_K, BPF_REG_2, 0, 4, WINDOW_BYTES),
		insn(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, window),
		insn(0, 0, 0, 0, 0),
		insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
		insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -EINVAL),
		insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_SYSCALL;
	attributes.insns = (uintptr_t)program;
	attributes.insn_cnt = sizeof(program) / sizeof(program[0]);
	/* The helper is for programs under the kernel's own licence. */
	attributes.license = (uintptr_t)"GPL";
	attributes.prog_flags = BPF_F_SLEEPABLE;
	attributes.log_buf = (uintptr_t)log;
	attributes.log_size = LOG_BYTES;
	attributes.log_level = 1;
	return call_bpf(BPF_PROG_LOAD, &attributes);
}

static bool run(const struct bpf *bpf, struct request request)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.test.prog_fd = (uint32_t)bpf->program;
	attributes.test.ctx_in = (uintptr_t)&request;
	attributes.test.ctx_size_in = sizeof(request);
	return !call_bpf(BPF_PROG_TEST_RUN, &attributes) && !attributes.test.retval;
}

static bool read_virtual(struct memory *memory, uint64_t va, void *to, size_t bytes)
{
	const struct bpf *bpf = (const struct bpf *)memory;
	unsigned char *at = to;

	while (bytes) {
		size_t count = bytes < WINDOW_BYTES ? bytes : WINDOW_BYTES;

		if (!run(bpf, (struct request){ .va = va, .bytes = count }))
			return false;
		memcpy(at, bpf->window, count);
		at += count;
		va += count;
		bytes -= count;
	}
	return true;
}

static bool read_physical(struct memory *memory, uint64_t pa, void *to, size_t bytes)
{
	const struct board *geometry = &((struct bpf *)memory)->geometry;
	uint64_t alias = (pa - geometry->phys_offset) + geometry->linear_start;

	return pa >= geometry->phys_offset && alias >= geometry->linear_start && alias < geometry->linear_end &&
	       read_virtual(memory, alias, to, bytes);
}

/* The last line of the verifier's log that says why; it ends with statistics. */
static const char *reason_in(char *log)
{
	const char *reason = "";

	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "processed ", strlen("processed ")))
			reason = line;
	}
	return reason;
}

static void lose_window(int error)
{
	if (error == ENOSYS)
		lose("The kernel has neither /proc/kcore nor bpf(2): it is built without CONFIG_PROC_KCORE and without CONFIG_BPF_SYSCALL.");
	else if (error == EPERM || error == EACCES)
		lose("The kernel refuses BPF to this process: run collect as root with CAP_BPF and CAP_PERFMON, outside of any container.");
	else
		lose("The kernel refuses a map for BPF: %s.", strerror(error));
}

static void lose_program(int error, char *log)
{
	if (strstr(lockdown_state(), "confidentiality"))
		lose("This kernel is locked down for confidentiality, so that BPF must not read its memory: boot it with lockdown=integrity or lockdown=none, or collect from a crash dump with --core.");
	else if (error == EPERM || error == EACCES)
		lose("The kernel refuses a BPF program that reads its memory: run collect as root with CAP_BPF and CAP_PERFMON, outside of any container.");
	else
		lose("The kernel refuses a BPF program that reads its memory (%s: %.200s): it needs Linux 5.14 or later with CONFIG_BPF_EVENTS.",
		     strerror(error), reason_in(log));
}

/* False, with the reason noted, where the kernel is not read this way. */
static bool start(struct bpf *bpf)
{
	static char log[LOG_BYTES];
	int window = make_window();

	if (window < 0) {
		lose_window(errno);
		return false;
	}
	bpf->window = mmap(NULL, WINDOW_BYTES, PROT_READ, MAP_SHARED, window, 0);
	if (bpf->window == MAP_FAILED) {
		lose("The map of a BPF program cannot be read: %s.", strerror(errno));
		return false;
	}
	bpf->program = load_program(window, log);
	if (bpf->program < 0)
		lose_program(errno, log);
	return bpf->program >= 0;
}

/* Addresses of the variables that lead to VMCOREINFO; 0 where the file hides or lacks them. */
struct places {
	uint64_t data;
	uint64_t size;
};

static struct places find_places(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	struct places places = { 0, 0 };
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		char *name = strchr(line, ' ');
		uint64_t address = strtoull(line, NULL, 16);

		/* A letter stands between address and name. */
		if (!name || strlen(name) < 4)
			continue;
		name[strcspn(name, "\n")] = '\0';
		if (!strcmp(name + 3, "vmcoreinfo_data"))
			places.data = address;
		else if (!strcmp(name + 3, "vmcoreinfo_size"))
			places.size = address;
	}
	if (file)
		fclose(file);
	return places;
}

/* False, with the reason noted, where it cannot be had. */
static bool take_vmcoreinfo(struct bpf *bpf)
{
	struct memory *memory = &bpf->memory;
	struct places places = find_places();
	uint64_t data, size;
	char *text;

	if (!places.data || !places.size) {
		lose("/proc/kallsyms does not show where VMCOREINFO is, without which BPF cannot find the kernel's tables: allow it with 'sysctl kernel.kptr_restrict=1', if the kernel has CONFIG_KALLSYMS_ALL and CONFIG_VMCORE_INFO.");
		return false;
	}
	if (!read_virtual(memory, places.data, &data, sizeof(data)) ||
	    !read_virtual(memory, places.size, &size, sizeof(size)) || !size || size > MAX_VMCOREINFO) {
		lose("The kernel's VMCOREINFO cannot be read by BPF.");
		return false;
	}
	text = must_have(NULL, size);
	if (!read_virtual(memory, data, text, size)) {
		lose("The kernel's VMCOREINFO cannot be read by BPF.");
		return false;
	}
	memory->vmcoreinfo = text;
	memory->vmcoreinfo_length = strnlen(text, size);
	return true;
}

struct memory *open_bpf(void)
{
	struct bpf *bpf = must_have(NULL, sizeof(*bpf));

	memset(bpf, 0, sizeof(*bpf));
	bpf->memory = (struct memory){ .source = "bpf",
				       .read_virtual = read_virtual,
				       .read_physical = read_physical };
	/* What the geometry lacks, whoever opens the board says. */
	if (!start(bpf) || !take_vmcoreinfo(bpf))
		return NULL;
	board_geometry(&bpf->geometry, &bpf->memory);
	return &bpf->memory;
}
