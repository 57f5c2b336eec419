/* SPDX-License-Identifier: GPL-2.0-only */
/* Assembly macros that every part needs. */

	.macro constant register, value
	movz	\register, #((\value) & 0xffff)
	movk	\register, #(((\value) >> 16) & 0xffff), lsl #16
	movk	\register, #(((\value) >> 32) & 0xffff), lsl #32
	movk	\register, #(((\value) >> 48) & 0xffff), lsl #48
	.endm

	.macro address register, symbol
	adrp	\register, \symbol
	add	\register, \register, :lo12:\symbol
	.endm
