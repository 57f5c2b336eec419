/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exception vectors of EL2 and EL3. Only synchronous exceptions of an AArch64 guest below are
 * expected; their handler receives the general registers as a frame on the stack, and may change
 * them.
 */
#define FRAME_SIZE 256

	.macro all_registers instruction
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	\instruction	x\n, [sp, #8 * \n]
	.endr
	.endm

	.macro to_unexpected handler, number
	.balign	0x80
	mov	x0, #\number
	b	\handler
	.endm

	.macro vectors name, expected, unexpected
	.balign	0x800
	.globl \name
\name:
	.irp n, 0,1,2,3,4,5,6,7
	to_unexpected \unexpected, \n
	.endr
	.balign	0x80
	b	1f
	.irp n, 9,10,11,12,13,14,15
	to_unexpected \unexpected, \n
	.endr

	.balign	0x80
1:	sub	sp, sp, #FRAME_SIZE
	all_registers str
	mov	x0, sp
	bl	\expected
	all_registers ldr
	add	sp, sp, #FRAME_SIZE
	eret
	.endm

	.text
	vectors el2_vectors, handle_guest_exception, handle_unexpected
	vectors el3_vectors, el3_handle_exception, el3_handle_unexpected

	.section .note.GNU-stack, "", %progbits
