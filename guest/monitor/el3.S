/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL3, where it exists (FEAT_RME): all CPUs leave reset together. CPU 0 builds the granule
 * protection table and moves the monitor to RAM; every CPU then waits in a pen until its mailbox
 * contains an entry at Realm EL2. EL3 runs in flash, so its only variables are in Root memory,
 * which TPIDR_EL3 points to.
 */
#include "layout.h"
#include "macros.h"

#define SCTLR_EL3_OFF 0x30c50830
/* EL2h with D, A, I and F masked. */
#define SPSR_EL2H_MASKED 0x3c9
/* Counter ticks between two looks at the mailbox: 1 ms at 1 GHz. */
#define PEN_TICKS 1000000

	.text

/* x19: flash, x20: parameters, x21: the monitor's RAM. */
	.globl el3_entry
el3_entry:
	constant x0, SCTLR_EL3_OFF
	msr	sctlr_el3, x0
	address	x0, el3_vectors
	msr	vbar_el3, x0
	isb
	ldr	x22, [x20, #PARAMETERS_ROOT_OFFSET]
	cbz	x22, no_way_in
	msr	tpidr_el3, x22
	mrs	x23, mpidr_el1
	and	x23, x23, #0xff
	add	x0, x22, #ROOT_STACKS_OFFSET
	add	x1, x23, #1
	mov	x2, #ROOT_STACK_SIZE
	madd	x0, x1, x2, x0
	mov	sp, x0
	cbnz	x23, pen
	bl	move_to_ram
	mov	x0, x20
	bl	el3_build
	address	x0, primary
	sub	x0, x0, x19
	add	x0, x0, x21
	str	x0, [x22]
	dsb	sy

/* Waits for the mailbox of CPU x23 at x22. WFIT (FEAT_WFxT) lets the host sleep too. */
pen:
	ldr	x0, [x22, x23, lsl #3]
	cbnz	x0, leave_pen
	mrs	x0, cntvct_el0
	constant x1, PEN_TICKS
	add	x0, x0, x1
	.inst	0xd5031020		/* wfit x0 */
	b	pen

leave_pen:
	mov	x24, x0
	mov	x0, x23
	bl	el3_prepare_cpu
	msr	elr_el3, x24
	mov	x0, #SPSR_EL2H_MASKED
	msr	spsr_el3, x0
	isb
	eret

/* void el3_park(cpu): back to the pen, with an empty stack. */
	.globl el3_park
el3_park:
	mrs	x22, tpidr_el3
	mov	x23, x0
	add	x0, x22, #ROOT_STACKS_OFFSET
	add	x1, x23, #1
	mov	x2, #ROOT_STACK_SIZE
	madd	x0, x1, x2, x0
	mov	sp, x0
	b	pen

	.section .note.GNU-stack, "", %progbits
