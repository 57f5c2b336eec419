/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where CPUs enter: from reset in flash and from PSCI CPU_ON; and where they leave to the guest.
 * The code finds its data relative to its own address, so the same image runs in flash and in any
 * RAM that the parameters name.
 */
#include "layout.h"
#include "macros.h"

#define CURRENT_EL2 (2 << 2)
#define CURRENT_EL3 (3 << 2)
/* RES1 bits; MMU, caches and alignment checks off. */
#define SCTLR_EL2_OFF 0x30c50830
#define SCTLR_EL1_OFF 0x30d00800
/* EL1h with D, A, I and F masked. */
#define SPSR_GUEST 0x3c5

	.section .text.entry, "ax"
	.globl monitor_start
monitor_start:
	adr	x19, monitor_start
	add	x20, x19, #PARAMETERS_OFFSET
	ldr	x0, [x20, #PARAMETERS_MAGIC_OFFSET]
	ldr	x1, magic
	cmp	x0, x1
	b.ne	no_way_in
	ldr	x21, [x20, #PARAMETERS_BASE_OFFSET]
	mrs	x0, CurrentEL
	cmp	x0, #CURRENT_EL3
	b.eq	el3_entry
	cmp	x0, #CURRENT_EL2
	b.ne	no_way_in
	bl	move_to_ram
	address	x0, primary
	sub	x0, x0, x19
	add	x0, x0, x21
	br	x0

/*
 * Without parameters there is no UART to report the error on: the harness sees a report that was
 * never begun.
 */
	.globl no_way_in
no_way_in:
	wfi
	b	no_way_in

	.balign	8
magic:
	.quad	0x31504e4f4d445450

/*
 * Copies the image at x19 and the parameters at x20 to x21, and zeroes what follows the image.
 * Changes x0 to x5.
 */
	.globl move_to_ram
move_to_ram:
	address	x1, monitor_data_end
	mov	x0, x19
	mov	x2, x21
1:	ldp	x3, x4, [x0], #16
	stp	x3, x4, [x2], #16
	cmp	x0, x1
	b.lo	1b
	address	x1, monitor_end
	sub	x1, x1, x19
	add	x1, x1, x21
2:	stp	xzr, xzr, [x2], #16
	cmp	x2, x1
	b.lo	2b
	address	x2, parameters
	sub	x2, x2, x19
	add	x2, x2, x21
	add	x1, x20, #PARAMETERS_SIZE
	mov	x0, x20
3:	ldp	x3, x4, [x0], #16
	stp	x3, x4, [x2], #16
	cmp	x0, x1
	b.lo	3b
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	ret

	.text

/* Leaves the CPU's number in x0 and its stack in sp. */
	.macro begin_on_own_stack
	constant x0, SCTLR_EL2_OFF
	msr	sctlr_el2, x0
	address	x0, el2_vectors
	msr	vbar_el2, x0
	isb
	mrs	x0, mpidr_el1
	and	x0, x0, #0xff
	address	x1, stacks
	add	x2, x0, #1
	mov	x3, #STACK_SIZE
	madd	x1, x2, x3, x1
	mov	sp, x1
	.endm

	.globl primary
primary:
	begin_on_own_stack
	bl	start_primary

	.globl secondary_entry
secondary_entry:
	begin_on_own_stack
	bl	start_secondary

/*
 * void enter_guest(entry, argument, stack top): never returns; the registers contain nothing from
 * before.
 */
	.globl enter_guest
enter_guest:
	mov	sp, x2
	msr	elr_el2, x0
	mov	x0, #SPSR_GUEST
	msr	spsr_el2, x0
	constant x0, SCTLR_EL1_OFF
	msr	sctlr_el1, x0
	mov	x0, x1
	.irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	mov	x\n, xzr
	.endr
	isb
	eret

/* u64 forward_smc(function, a1, a2, a3): passes the call to the level below the monitor. */
	.globl forward_smc
forward_smc:
	smc	#0
	ret

	.bss
	.balign	16
	.globl parameters
parameters:
	.space	PARAMETERS_SIZE
	.globl stacks
stacks:
	.space	MAX_CPUS * STACK_SIZE

	.section .note.GNU-stack, "", %progbits
