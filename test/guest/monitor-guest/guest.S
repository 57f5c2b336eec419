/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest without a kernel: does what a list says and writes down what came of it. x0 points to the list; a step is 256
 * bytes: operation, eleven arguments, then at 128 nine results, and at 224 syndrome, address and PC of the last exception.
 */
#define STEP 256
#define RESULTS 128
#define SYNDROME 224

#define OP_END 0
#define OP_SMC 1
#define OP_LOAD 2
#define OP_STORE 3
#define OP_WAIT 4
#define OP_IDENTITY 5
#define OP_JUMP 6
#define OP_HVC 7
#define OP_UNTIL 8

#define PSCI_CPU_OFF 0x84000002
#define PSCI_SYSTEM_OFF 0x84000008

	.section .text.entry, "ax"
	.globl guest_start
guest_start:
	b	begin
	/* Where the list may send other CPUs: notes who it is at x0, and turns itself off. */
	.balign	64
secondary:
	mrs	x1, midr_el1
	mrs	x2, id_aa64mmfr2_el1
	stp	x1, x2, [x0, #8]
	mrs	x1, mpidr_el1
	orr	x1, x1, #(1 << 31)
	str	x1, [x0]
	dsb	sy
	mov	w0, #(PSCI_CPU_OFF & 0xffff)
	movk	w0, #(PSCI_CPU_OFF >> 16), lsl #16
	smc	#0
	b	.

begin:
	mov	x19, x0
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el1, x0
	isb
step:
	ldr	x20, [x19]
	ldp	x0, x1, [x19, #8]
	ldp	x2, x3, [x19, #24]
	ldp	x4, x5, [x19, #40]
	ldp	x6, x7, [x19, #56]
	ldp	x8, x9, [x19, #72]
	ldr	x10, [x19, #88]
	adr	x21, done
	cmp	x20, #OP_SMC
	b.eq	call
	cmp	x20, #OP_LOAD
	b.eq	load
	cmp	x20, #OP_STORE
	b.eq	store
	cmp	x20, #OP_WAIT
	b.eq	wait
	cmp	x20, #OP_IDENTITY
	b.eq	identity
	cmp	x20, #OP_JUMP
	b.eq	jump
	cmp	x20, #OP_HVC
	b.eq	hypervisor_call
	cmp	x20, #OP_UNTIL
	b.eq	until
	mov	w0, #(PSCI_SYSTEM_OFF & 0xffff)
	movk	w0, #(PSCI_SYSTEM_OFF >> 16), lsl #16
	smc	#0
	b	.

call:
	smc	#0
	b	done
load:
	ldr	x0, [x0]
	b	done
store:
	str	x1, [x0]
	b	done
wait:
	ldr	x1, [x0]
	cbz	x1, wait
	mov	x0, x1
	b	done
identity:
	mrs	x0, midr_el1
	mrs	x1, id_aa64mmfr2_el1
	mrs	x2, mpidr_el1
	mrs	x3, id_aa64pfr0_el1
	b	done
jump:
	br	x0
hypervisor_call:
	hvc	#0
	b	done
until:
	ldp	x0, x1, [x19, #8]
	ldp	x2, x3, [x19, #24]
	smc	#0
	ldr	x11, [x19, #40]
	cmp	x0, x11
	b.ne	until
	b	done

done:
	stp	x0, x1, [x19, #(RESULTS + 0)]
	stp	x2, x3, [x19, #(RESULTS + 16)]
	stp	x4, x5, [x19, #(RESULTS + 32)]
	stp	x6, x7, [x19, #(RESULTS + 48)]
	str	x8, [x19, #(RESULTS + 64)]
	add	x19, x19, #STEP
	b	step

	.balign	0x800
vectors:
	.rept	16
	.balign	0x80
	mrs	x12, esr_el1
	mrs	x13, far_el1
	mrs	x14, elr_el1
	stp	x12, x13, [x19, #SYNDROME]
	str	x14, [x19, #(SYNDROME + 16)]
	msr	elr_el1, x21
	eret
	.endr

	.section .note.GNU-stack, "", %progbits
