//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The next two marks of R13, bits of the block that begins at R9, are written to
// R12 on. Where none is left something is written, too.
#define TWO(i) \
	TZCNTQ R13, BX            \
	BLSRQ  R13, R13           \
	TZCNTQ R13, DX            \
	BLSRQ  R13, R13           \
	ADDL   R9, BX             \
	ADDL   R9, DX             \
	MOVW   BX, (4*i)(R12)     \
	MOVW   DX, (4*i+2)(R12)

// func find(line *byte, size int, at *uint16, most int) int
TEXT ·find(SB), NOSPLIT, $0-40
	MOVQ line+0(FP), R14         // what is loaded next
	MOVQ size+8(FP), CX
	MOVQ at+16(FP), DI
	MOVQ most+24(FP), R8
	MOVL         $0x22222222, AX // quotes
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	MOVL         $0x20202020, AX // spaces
	VMOVD        AX, X1
	VPBROADCASTD X1, Y1
	VPCMPEQB     X2, X2, X2
	XORL         AX, AX          // marks found
	XORL         R9, R9          // where the block begins
	XORL         R10, R10        // all ones if it begins inside quotes
	XORL         R15, R15        // so many bytes that are loaded were in the block before
	LEAQ         -64(CX), R11    // where the last whole block may begin

block:
	VMOVDQU   (R14), Y3
	VMOVDQU   32(R14), Y4
	VPCMPEQB  Y3, Y0, Y5
	VPCMPEQB  Y4, Y0, Y6
	VPCMPEQB  Y3, Y1, Y3
	VPCMPEQB  Y4, Y1, Y4
	VPMOVMSKB Y5, R12
	VPMOVMSKB Y6, BX
	VPMOVMSKB Y3, R13
	VPMOVMSKB Y4, DX
	SHLQ      $32, BX
	SHLQ      $32, DX
	ORQ       BX, R12            // quotes
	ORQ       DX, R13            // spaces
	SHRXQ     R15, R12, R12
	SHRXQ     R15, R13, R13

	// Times all ones without carry, each bit becomes the parity of those up to it.
	VMOVQ      R12, X7
	VPCLMULQDQ $0, X2, X7, X7
	VMOVQ      X7, BX
	XORQ       R10, BX           // inside quotes
	MOVQ       BX, R10
	SARQ       $63, R10
	ANDNQ      R13, BX, R13
	ORQ        R12, R13          // marks

	LEAQ    (DI)(AX*2), R12
	POPCNTQ R13, BX
	ADDQ    BX, AX
	CMPQ    AX, R8
	JGT     done
	MOVQ    BX, SI               // marks to write

eight:
	TWO(0)
	TWO(1)
	TWO(2)
	TWO(3)
	ADDQ $16, R12
	SUBQ $8, SI
	JGT  eight

	ADDQ $64, R9
	ADDQ $64, R14
	CMPQ R9, R11
	JLE  block
	CMPQ R9, CX
	JGE  done
	MOVQ R9, R15                 // the line's last 64 bytes
	SUBQ R11, R15
	SUBQ R15, R14
	JMP  block

done:
	MOVQ AX, ret+32(FP)
	VZEROUPPER
	RET

// func fit(line *byte, size int, at *Positions, runs *Run, n int, spans *Spans) bool
TEXT ·fit(SB), NOSPLIT, $0-49
	MOVQ line+0(FP), SI
	MOVQ size+8(FP), CX
	MOVQ at+16(FP), DI
	MOVQ runs+24(FP), R8
	MOVQ n+32(FP), R11
	MOVQ spans+40(FP), R9
	LEAQ -8(CX), R12 // where the last eight bytes of the line begin
	XORL DX, DX      // where the run begins

run:
	MOVWLZX Run_Mark(R8), AX
	MOVWLZX (DI)(AX*2), AX
	ADDW    Run_Offset(R8), AX
	MOVWLZX AX, AX         // where it ends
	MOVW    DX, (R9)
	MOVW    AX, 2(R9)
	MOVL    AX, BX
	SUBL    DX, BX
	MOVWLZX Run_Least(R8), R13
	CMPL    BX, R13
	JLT     other
	CMPL    AX, R12
	JGT     near
	MOVQ    (SI)(AX*1), R10

text:
	ANDQ    Run_Mask(R8), R10
	CMPQ    R10, Run_Text(R8)
	JNE     other
	MOVWLZX Run_Skip(R8), DX
	ADDL    AX, DX
	ADDQ    $Run__size, R8
	ADDQ    $4, R9
	DECQ    R11
	JNZ     run
	CMPL    DX, CX
	SETEQ   ret+48(FP)
	RET

near:
	// Fewer than eight bytes are left. Zeros are taken for those behind the line.
	CMPL  AX, CX
	JGT   other
	MOVQ  (SI)(R12*1), R10
	MOVL  AX, BX
	SUBL  R12, BX
	SHLL  $3, BX           // from 8 to 64 bits do not belong to it
	DECL  BX
	SHRXQ BX, R10, R10
	SHRQ  $1, R10
	JMP   text

other:
	MOVB $0, ret+48(FP)
	RET
