//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The next two marks of R13, bits of the block that begins at R9, are written to R12 on.
// Where none is left something is written, too.
#define TWO(i) \
	TZCNTQ R13, BX            \
	BLSRQ  R13, R13           \
	TZCNTQ R13, DX            \
	BLSRQ  R13, R13           \
	ADDL   R9, BX             \
	ADDL   R9, DX             \
	MOVW   BX, (4*i)(R12)     \
	MOVW   DX, (4*i+2)(R12)

// Bytes of Y3 that are so many above from, or fewer, become all ones, others zeros.
#define RANGE(from, above, into) \
	VPBROADCASTB from, Y4     \
	VPBROADCASTB above, Y5    \
	VPSUBB       Y4, Y3, Y4   \
	VPMINUB      Y4, Y5, Y5   \
	VPCMPEQB     Y4, Y5, into

// func cut(line *byte, size int, layout *Layout, found *Found) bool
TEXT ·cut(SB), NOSPLIT, $0-33
	MOVQ line+0(FP), SI
	MOVQ size+8(FP), CX
	MOVQ layout+16(FP), R8
	MOVQ found+24(FP), DI

	MOVL         $0x22222222, AX // quotes
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	MOVL         $0x20202020, AX // spaces
	VMOVD        AX, X1
	VPBROADCASTD X1, Y1
	VPCMPEQB     X2, X2, X2
	MOVQ         SI, R14         // what is loaded next
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

	LEAQ    (Found_At+2)(DI)(AX*2), R12
	POPCNTQ R13, BX
	ADDQ    BX, AX
	CMPQ    AX, Layout_Marks(R8)
	JGT     other
	MOVQ    BX, CX               // marks to write

eight:
	TWO(0)
	TWO(1)
	TWO(2)
	TWO(3)
	ADDQ $16, R12
	SUBQ $8, CX
	JGT  eight

	LEAQ 64(R11), CX
	ADDQ $64, R9
	ADDQ $64, R14
	CMPQ R9, R11
	JLE  block
	CMPQ R9, CX
	JGE  marked
	MOVQ R9, R15                 // the line's last 64 bytes
	SUBQ R11, R15
	SUBQ R15, R14
	JMP  block

marked:
	CMPQ AX, Layout_Marks(R8)
	JNE  other
	MOVW $0, Found_At(DI)
	MOVW CX, (Found_At+2)(DI)(AX*2)
	MOVQ Layout_Runs(R8), R14
	MOVQ (Layout_Runs+8)(R8), R11
	LEAQ Found_Spans(DI), R9
	LEAQ -8(CX), R12             // where the last eight bytes of the line begin
	XORL DX, DX                  // where the run begins

run:
	MOVWLZX Run_Mark(R14), AX
	MOVWLZX Found_At(DI)(AX*2), AX
	ADDW    Run_Offset(R14), AX
	MOVWLZX AX, AX               // where it ends
	MOVW    DX, Span_From(R9)
	MOVW    AX, Span_End(R9)
	MOVL    AX, BX
	SUBL    DX, BX
	MOVWLZX Run_Least(R14), R13
	CMPL    BX, R13
	JLT     other
	CMPL    AX, R12
	JGT     near
	MOVQ    (SI)(AX*1), R10

text:
	ANDQ    Run_Mask(R14), R10
	CMPQ    R10, Run_Text(R14)
	JNE     other
	MOVWLZX Run_Skip(R14), DX
	ADDL    AX, DX
	ADDQ    $Run__size, R14
	ADDQ    $Span__size, R9
	DECQ    R11
	JNZ     run
	CMPL    DX, CX
	JNE     other
	MOVQ    Layout_Classes(R8), R14
	MOVQ    (Layout_Classes+8)(R8), R11
	XORL    R12, R12
	TESTQ   R11, R11
	JEQ     fits

class:
	MOVWLZX   Class_Run(R14), AX
	MOVWLZX   (Found_Spans+Span_From)(DI)(AX*4), BX
	MOVWLZX   (Found_Spans+Span_End)(DI)(AX*4), AX
	LEAL      -32(AX), DX        // the 32 bytes up to its end, or the line's first
	TESTL     DX, DX
	CMOVLLT   R12, DX
	VMOVDQU   (SI)(DX*1), Y3
	SUBL      BX, AX             // its length
	SUBL      DX, BX             // so many of the 32 are before it
	CMPL      AX, $32
	JGT       other
	RANGE(Class_From0(R14), Class_Above0(R14), Y6)
	RANGE(Class_From1(R14), Class_Above1(R14), Y7)
	VPOR      Y6, Y7, Y6
	VPMOVMSKB Y6, R13
	NOTL      R13
	SHRXL     BX, R13, R13
	BZHIL     AX, R13, R13
	JNE       other
	ADDQ      $Class__size, R14
	DECQ      R11
	JNZ       class

fits:
	MOVB $1, ret+32(FP)
	VZEROUPPER
	RET

near:
	// Fewer than eight bytes are left. Zeros are taken for those behind the line.
	CMPL  AX, CX
	JGT   other
	MOVQ  (SI)(R12*1), R10
	MOVL  AX, BX
	SUBL  R12, BX
	SHLL  $3, BX                 // from 8 to 64 bits do not belong to it
	DECL  BX
	SHRXQ BX, R10, R10
	SHRQ  $1, R10
	JMP   text

other:
	MOVB $0, ret+32(FP)
	VZEROUPPER
	RET
