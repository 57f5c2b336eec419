// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry and return of the kernel's functions that matter. Each task has a stack of those that it is
 * in, so that every store belongs to the innermost; an exception that interrupts one is on the
 * stack, too, until it returns.
 */
#include <stdlib.h>
#include <string.h>

#include "functions.h"

/* A function as it is called at one place. */
struct call {
	struct call *next;
	const struct function *function;
	uint64_t lr; /* where it returns to */
	uint32_t id; /* counts from 1 */
	uint64_t last[MOST_ARGUMENTS + 1]; /* its arguments and its result, of the last call */
};

struct frame {
	uint64_t sp;
	struct call *call; /* NULL for an exception */
};

enum { DEPTH = 64 };

struct task {
	struct task *next;
	uint64_t address; /* of its task_struct; 0 until the first switch tells */
	uint64_t current; /* the same, as the kernel has it; 0 until it was looked up */
	unsigned int depth;
	struct frame frames[DEPTH];
};

static struct task *tasks[1024];
static struct task *current[MAX_CPUS];
static uint32_t calls;
static uint64_t last_lr;
static qemu_plugin_u64 depths; /* of the task that each CPU runs: what generated code asks */

bool operations_open(void)
{
	depths = (qemu_plugin_u64){ qemu_plugin_scoreboard_new(sizeof(uint64_t)), 0 };
	return functions_open(setting.functions);
}

static struct task *task_of(uint64_t address)
{
	struct task **slot = &tasks[(address >> 7) % 1024];
	struct task *task = *slot;

	while (task && task->address != address)
		task = task->next;
	if (task)
		return task;
	task = calloc(1, sizeof(*task));
	if (!task)
		abort();
	task->address = address;
	task->next = *slot;
	return *slot = task;
}

static struct task *running(unsigned int cpu)
{
	if (!current[cpu])
		current[cpu] = calloc(1, sizeof(*current[cpu]));
	if (!current[cpu])
		abort();
	return current[cpu];
}

static void set_depth(unsigned int cpu, struct task *task, unsigned int depth)
{
	task->depth = depth;
	qemu_plugin_u64_set(depths, cpu, depth);
}

static void push(unsigned int cpu, struct frame frame)
{
	struct task *task = running(cpu);

	if (task->depth == DEPTH) {
		odd(ODD_DEPTH, cpu);
		return;
	}
	task->frames[task->depth] = frame;
	set_depth(cpu, task, task->depth + 1);
}

/*
 * Whether the task that enters a function is the one that the switches tell: asked now and then,
 * since a register is dear.
 */
static void check_task(unsigned int cpu)
{
	static unsigned int entries;
	struct task *task = running(cpu);
	uint64_t current;

	if (++entries % 16 != 0 || !read_current(cpu, &current))
		return;
	if (!task->current)
		task->current = task->address ? task->address : current;
	if (task->current != current)
		odd(ODD_TASK, cpu);
}

static struct call *call_of(unsigned int cpu, struct function *function, uint64_t lr)
{
	struct call *call = function->calls;

	while (call && call->lr != lr)
		call = call->next;
	if (call)
		return call;
	call = calloc(1, sizeof(*call));
	if (!call)
		abort();
	*call = (struct call){ function->calls, function, lr, ++calls, { 0 } };
	function->calls = call;
	event(EV_CALL, cpu);
	number(function->number);
	change(&last_lr, lr);
	return call;
}

static void entered(unsigned int cpu, void *udata)
{
	struct function *function = udata;
	struct call *call;

	lock();
	call = call_of(cpu, function, read_x(cpu, 30));
	event(EV_ENTER, cpu);
	number(call->id);
	for (unsigned int i = 0; i < function->arguments; i++)
		change(&call->last[i], read_x(cpu, i));
	push(cpu, (struct frame){ read_sp(cpu), call });
	check_task(cpu);
	unlock();
}

/* A pointer without the bits that hold its authentication code. */
static uint64_t plain(uint64_t pointer)
{
	return pointer & 0x7fffffffffULL;
}

/* At every RET while a function of the list is entered. A tail call returns from two at once. */
static void returning(unsigned int cpu, void *udata)
{
	struct task *task = running(cpu);
	uint64_t lr, sp;
	(void)udata;

	if (task->depth == 0 || !task->frames[task->depth - 1].call)
		return;
	/* Most returns are those of functions that are not listed, and reading a register is dear. */
	lr = plain(read_x(cpu, 30));
	if (plain(task->frames[task->depth - 1].call->lr) != lr)
		return;
	sp = read_sp(cpu);
	lock();
	while (task->depth > 0) {
		struct frame *top = &task->frames[task->depth - 1];

		if (!top->call || plain(top->call->lr) != lr || top->sp != sp)
			break;
		set_depth(cpu, task, task->depth - 1);
		event(EV_LEAVE, cpu);
		number(top->call->id);
		if (top->call->function->results)
			change(&top->call->last[MOST_ARGUMENTS], read_x(cpu, 0));
	}
	unlock();
}

/* cpu_switch_to(prev, next) of arch/arm64/kernel/entry.S */
static void switching(unsigned int cpu, void *udata)
{
	uint64_t previous = read_x(cpu, 0), next = read_x(cpu, 1);
	struct task *task = running(cpu);
	struct task *other;
	(void)udata;

	lock();
	if (task->address == 0) {
		/* What the CPU ran since its start. */
		struct task *known = task_of(previous);

		known->depth = task->depth;
		memcpy(known->frames, task->frames, sizeof(task->frames));
		free(task);
		task = known;
	}
	other = task_of(next);
	if (task->depth > 0 || other->depth > 0) {
		event(EV_SWITCH, cpu);
		number(previous);
		number(next);
	}
	current[cpu] = other;
	set_depth(cpu, other, other->depth);
	unlock();
}

static void freeing_root(unsigned int cpu, void *udata)
{
	uint64_t pa;
	(void)udata;

	lock();
	if (linear_to_physical(read_x(cpu, 1), &pa))
		root_freed(cpu, pa);
	unlock();
}

void operations_interrupted(unsigned int cpu, int type, uint64_t from, uint64_t to, void *unused)
{
	struct task *task = running(cpu);
	(void)type;
	(void)unused;

	/*
	 * What the monitor takes returns to where it came from, and so does what it asks of EL3 in a
	 * machine with RME.
	 */
	if (task->depth == 0 || is_monitor(from) || is_monitor(to))
		return;
	lock();
	event(EV_MARK, cpu);
	number(from);
	push(cpu, (struct frame){ 0, NULL });
	unlock();
}

static void exception_returns(unsigned int cpu, void *udata)
{
	struct task *task = running(cpu);
	(void)udata;

	if (task->depth == 0)
		return;
	lock();
	/* What the handler entered and never left goes with it. */
	while (task->depth > 0 && task->frames[task->depth - 1].call)
		set_depth(cpu, task, task->depth - 1);
	if (task->depth > 0)
		set_depth(cpu, task, task->depth - 1);
	event(EV_UNMARK, cpu);
	unlock();
}

void operations_instrument(struct qemu_plugin_insn *insn, uint64_t pc, uint32_t word)
{
	struct function *function = slide_known ? function_at(pc - slide) : NULL;
	vcpu_cb at_entry[] = { entered, switching, freeing_root };

	/* RET, RETAA, RETAB; ERET, ERETAA, ERETAB (DDI 0487 C6.2). */
	if ((word & 0xfffffc1f) == 0xd65f0000 || (word & 0xfffffbff) == 0xd65f0bff)
		qemu_plugin_register_vcpu_insn_exec_cond_cb(insn, returning, CB_R_REGS, COND_NE, depths,
							    0, NULL);
	if (word == 0xd69f03e0 || (word & 0xfffffbff) == 0xd69f0bff)
		qemu_plugin_register_vcpu_insn_exec_cond_cb(insn, exception_returns, CB_NO_REGS,
							    COND_NE, depths, 0, NULL);
	if (function)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, at_entry[function->role], CB_R_REGS,
						       function);
}
