// SPDX-License-Identifier: GPL-2.0-only
/*
 * What init does with its tables and those of the kernel once everything was captured, so that a
 * recording has more than a boot: each kind of change of a user table, a migration, all CPUs at the
 * same time, a program of BPF, memory of vmalloc(), a module that goes and comes again, and secret
 * memory that is given back. Each result is a record like that of a probe.
 */
#include "exercises.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "churn.h"
#include "faults.h"
#include "pagemap.h"

/* A block of level 2 with pages of 4K, and a contiguous range of 16K and 64K. */
#define HUGE_BYTES ((size_t)2 << 20)
/* A contiguous range of level 3 with pages of 4K. */
#define CONTIGUOUS_BYTES ((size_t)64 << 10)
#define AREA_BYTES (3 * HUGE_BYTES)

/* A kernel without the file has no pages of this size, and goes without. */
static void write_if_any(const char *path, const char *value)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	if (file < 0)
		return;
	if (write(file, value, strlen(value)) < 0)
		errno = 0;
	close(file);
}

/* Documentation/admin-guide/mm/transhuge.rst; the smaller size since 6.8. */
static void allow_huge(const char *when)
{
	write_if_any("/sys/kernel/mm/transparent_hugepage/enabled", when);
	write_if_any("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled", when);
	write_if_any("/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled", when);
}

/* Writes to every page of a range. */
static bool touch(struct probe_result *result, unsigned char *from, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += page_bytes) {
		if (fault_caught_writing(from + at)) {
			errno = EFAULT;
			probe_failed(result, "touch");
			return false;
		}
	}
	return true;
}

static bool protect(struct probe_result *result, void *from, size_t bytes, int protection)
{
	if (!mprotect(from, bytes, protection))
		return true;
	probe_failed(result, "mprotect");
	return false;
}

/* The first page of a range becomes read-only and writable again, and the last one goes and comes. */
static bool cut(struct probe_result *result, unsigned char *from, size_t bytes)
{
	if (!protect(result, from, page_bytes, PROT_READ) || !protect(result, from, page_bytes, PROT_READ | PROT_WRITE))
		return false;
	if (madvise(from + bytes - page_bytes, page_bytes, MADV_DONTNEED)) {
		probe_failed(result, "madvise");
		return false;
	}
	return touch(result, from, bytes);
}

/* The child and then the parent write to what they share. */
static bool copy_on_write(struct probe_result *result, unsigned char *from, size_t bytes)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(touch(result, from, bytes / 2) ? 0 : 1);
	if (child < 0) {
		probe_failed(result, "fork");
		return false;
	}
	if (!touch(result, from, bytes))
		return false;
	if (waitpid(child, &status, 0) == child && status == 0)
		return true;
	errno = ECHILD;
	probe_failed(result, "waitpid");
	return false;
}

static bool move(struct probe_result *result, unsigned char *from, size_t bytes, unsigned char *to)
{
	if (mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED) {
		probe_failed(result, "mremap");
		return false;
	}
	return touch(result, to, bytes);
}

static bool exercise_range(struct probe_result *result, unsigned char *from, size_t bytes, unsigned char *to)
{
	return touch(result, from, bytes) && cut(result, from, bytes) && copy_on_write(result, from, bytes) &&
	       move(result, from, bytes, to);
}

static void exercise_user_tables(struct probe_result *result)
{
	unsigned char *memory = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *aligned = (unsigned char *)(((uintptr_t)memory + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1));

	if (memory == MAP_FAILED) {
		probe_failed(result, "mmap");
		return;
	}
	/* A contiguous range of small pages moves to where the next one would be. */
	allow_huge("always");
	madvise(aligned, HUGE_BYTES, MADV_NOHUGEPAGE);
	if (exercise_range(result, aligned, CONTIGUOUS_BYTES, aligned + 2 * CONTIGUOUS_BYTES)) {
		munmap(aligned, HUGE_BYTES);
		mmap(aligned, HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		/* As large as the kernel makes them: ranges of 64 KiB first, then a whole block. */
		write_if_any("/sys/kernel/mm/transparent_hugepage/enabled", "never");
		if (exercise_range(result, aligned, 2 * CONTIGUOUS_BYTES, aligned + 4 * CONTIGUOUS_BYTES)) {
			munmap(aligned, HUGE_BYTES);
			mmap(aligned, HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			allow_huge("always");
			madvise(aligned, HUGE_BYTES, MADV_HUGEPAGE);
			exercise_range(result, aligned, HUGE_BYTES, aligned + HUGE_BYTES / 2 + HUGE_BYTES / 2);
		}
	}
	allow_huge("madvise");
	if (munmap(memory, AREA_BYTES) && !result->error)
		probe_failed(result, "munmap");
}

bool run_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) == 0;
}

/* Runs on every CPU in turn, and writes there to what another one mapped. */
static void exercise_migration(struct probe_result *result)
{
	cpu_set_t all;
	unsigned char *memory = mmap(NULL, CONTIGUOUS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		probe_failed(result, "mmap");
		return;
	}
	if (sched_getaffinity(0, sizeof(all), &all)) {
		probe_failed(result, "sched_getaffinity");
		return;
	}
	for (int cpu = 0; cpu < CPU_SETSIZE && !result->error; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		/* One that is offline is none that it may run on. */
		if (!run_on(cpu))
			continue;
		if (touch(result, memory, CONTIGUOUS_BYTES) && protect(result, memory, page_bytes, PROT_READ))
			protect(result, memory, page_bytes, PROT_READ | PROT_WRITE);
	}
	sched_setaffinity(0, sizeof(all), &all);
	munmap(memory, CONTIGUOUS_BYTES);
}

/* include/uapi/linux/bpf.h: struct bpf_insn, and union bpf_attr as BPF_PROG_LOAD reads it. */
struct bpf_insn {
	uint8_t code;
	uint8_t registers;
	int16_t offset;
	int32_t immediate;
};

struct bpf_program {
	uint32_t type;
	uint32_t instruction_count;
	uint64_t instructions;
	uint64_t license;
	uint32_t log_level;
	uint32_t log_size;
	uint64_t log;
	uint32_t kernel_version;
	uint32_t flags;
	char name[16];
};

#define BPF_PROG_LOAD 5
/* The only type that every kernel with bpf() has, since 5.14; it may sleep. */
#define BPF_PROG_TYPE_SYSCALL 31
#define BPF_F_SLEEPABLE 0x10
#define BPF_MOV64_K 0xb7
#define BPF_EXIT 0x95
#define MEMBARRIER_CMD_GLOBAL 1

void exercise_bpf(struct probe_result *result)
{
	static const struct bpf_insn code[] = { { .code = BPF_MOV64_K }, { .code = BPF_EXIT } };
	struct bpf_program program = {
		.type = BPF_PROG_TYPE_SYSCALL,
		.instruction_count = sizeof(code) / sizeof(code[0]),
		.instructions = (uintptr_t)code,
		.license = (uintptr_t) "GPL",
		.flags = BPF_F_SLEEPABLE,
	};
	int file = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &program, sizeof(program));

	if (file < 0) {
		probe_failed(result, "bpf");
		return;
	}
	close(file);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	usleep(50000);
}

#define TOGETHER_TURNS 4
#define TOGETHER_SECRET_PAGES 8

/* Ends with the errno of what failed. A kernel may know neither secret memory nor programs. */
static _Noreturn void exercise_on(int cpu)
{
	struct probe_result result = { .call = "ok" }, ignored = { .call = "ok" };

	for (int turn = 0; run_on(cpu) && turn < TOGETHER_TURNS && !result.error; turn++) {
		unsigned char *memory =
			mmap(NULL, 4 * CONTIGUOUS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			_exit(errno);
		exercise_range(&result, memory, CONTIGUOUS_BYTES, memory + 2 * CONTIGUOUS_BYTES);
		munmap(memory, 4 * CONTIGUOUS_BYTES);
		churn_secret(&ignored, TOGETHER_SECRET_PAGES);
	}
	exercise_bpf(&ignored);
	_exit(result.error);
}

/* A process on every CPU changes its own tables and those of the kernel, all at the same time. */
static void exercise_together(struct probe_result *result)
{
	cpu_set_t all;
	int status;

	if (sched_getaffinity(0, sizeof(all), &all)) {
		probe_failed(result, "sched_getaffinity");
		return;
	}
	if (CPU_COUNT(&all) == 1)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && !result->error; cpu++) {
		pid_t child = CPU_ISSET(cpu, &all) ? fork() : 1;

		if (child == 0)
			exercise_on(cpu);
		if (child < 0)
			probe_failed(result, "fork");
	}
	while (wait(&status) > 0) {
		if (status == 0 || result->error)
			continue;
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
		probe_failed(result, "wait");
	}
}

/* More than lazy_max_pages() of mm/vmalloc.c for one CPU, so that what was freed is purged. */
#define MODULE_BYTES ((size_t)8 << 20)
#define MODULE_TRIES 6

/*
 * The kernel copies what is to be a module into memory of vmalloc(), sees that it is none, and frees
 * the memory; its addresses are used again once enough was freed.
 */
static void exercise_vmalloc(struct probe_result *result)
{
	void *none = mmap(NULL, MODULE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (none == MAP_FAILED) {
		probe_failed(result, "mmap");
		return;
	}
	for (int tries = 0; tries < MODULE_TRIES; tries++) {
		syscall(SYS_init_module, none, MODULE_BYTES, "");
		/* A worker purges. */
		usleep(10000);
	}
	munmap(none, MODULE_BYTES);
}

void exercises_run(void)
{
	static const struct {
		const char *name;
		void (*run)(struct probe_result *result);
	} exercises[] = {
		{ "user_tables", exercise_user_tables },
		{ "migration", exercise_migration },
		{ "together", exercise_together },
		{ "bpf", exercise_bpf },
		{ "vmalloc", exercise_vmalloc },
		{ "module", probe_modules_again },
		{ "secret_release", probe_memfd_secret_release },
	};

	for (size_t i = 0; i < sizeof(exercises) / sizeof(exercises[0]); i++) {
		struct probe_result result = { .call = "ok" };

		if (exercises[i].run == probe_modules_again && !probe_modules_removable())
			continue;
		exercises[i].run(&result);
		probe_send(exercises[i].name, &result);
	}
}
