/* EL2's exception vectors. Only synchronous exceptions of an AArch64 guest are expected here. */
#define FRAME_SIZE 256

	.macro unexpected number
	.balign	0x80
	mov	x0, #\number
	b	handle_unexpected
	.endm

	.text
	.balign	0x800
	.globl exception_vectors
exception_vectors:
	.irp n, 0,1,2,3,4,5,6,7
	unexpected \n
	.endr
	.balign	0x80
	b	guest_synchronous
	.irp n, 9,10,11,12,13,14,15
	unexpected \n
	.endr

	.balign	0x80
guest_synchronous:
	sub	sp, sp, #FRAME_SIZE
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	str	x\n, [sp, #8 * \n]
	.endr
	mov	x0, sp
	bl	handle_guest_exception
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	ldr	x\n, [sp, #8 * \n]
	.endr
	add	sp, sp, #FRAME_SIZE
	eret

	.section .note.GNU-stack, "", %progbits
