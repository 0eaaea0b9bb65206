package main

import "fmt"

// The packing kernels copy a part of a matrix into panels that a micro-kernel streams through.

// writePackRows writes a copy of rows of contiguous columns, whole vectors of which are stored; a row is prefetched from
// ahead bytes further on:
//
//	func packRowsX(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)
//
// The last vector of a row is read through the mask; its other lanes become 0.
func writePackRows(a *Asm, v Vec) {
	a.Func("packRows"+v.Name, 0, 64, fmt.Sprintf("func packRows%s(dst, src *float32, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)", v.Name))
	a.I("MOVQ dst+0(FP), DI")
	a.I("MOVQ src+8(FP), SI")
	a.I("MOVQ rows+16(FP), CX")
	a.I("MOVQ vectors+24(FP), DX")
	a.I("MOVQ ldDst+32(FP), R8")
	a.I("MOVQ ldSrc+40(FP), R9")
	a.I("MOVQ ahead+48(FP), R10")
	a.I("MOVQ mask+56(FP), R11")
	if v.Lanes == 16 {
		a.I("KMOVW (R11), K1")
	} else {
		a.I("VMOVUPS (R11), %s", v.R(1))
	}
	a.I("DECQ DX") // whole vectors
	a.Label("row")
	a.I("MOVQ DI, R11")
	a.I("MOVQ SI, R12")
	a.I("MOVQ DX, BX")
	a.I("TESTQ BX, BX")
	a.I("JZ last")
	a.Label("vector")
	a.I("VMOVUPS (R12), %s", v.R(0))
	a.I("PREFETCHT0 (R12)(R10*1)")
	a.I("VMOVUPS %s, (R11)", v.R(0))
	a.I("ADDQ $%d, R12", v.Bytes())
	a.I("ADDQ $%d, R11", v.Bytes())
	a.I("DECQ BX")
	a.I("JNZ vector")
	a.Label("last")
	if v.Lanes == 16 {
		a.I("VMOVUPS.Z (R12), K1, %s", v.R(0))
	} else {
		a.I("VMASKMOVPS (R12), %s, %s", v.R(1), v.R(0))
	}
	a.I("PREFETCHT0 (R12)(R10*1)")
	a.I("VMOVUPS %s, (R11)", v.R(0))
	a.I("ADDQ R8, DI")
	a.I("ADDQ R9, SI")
	a.I("DECQ CX")
	a.I("JNZ row")
	a.I("VZEROUPPER")
	a.I("RET")
}

// writePackColumns writes a transposing copy: the source has as many rows as a vector has lanes, ld bytes apart, and
// 4·quads columns; the destination has a vector for each column, step bytes apart:
//
//	func packColumnsX(dst, src *float32, ld, quads, step int)
func writePackColumns(a *Asm, v Vec) {
	a.Func("packColumns"+v.Name, 0, 40, fmt.Sprintf("func packColumns%s(dst, src *float32, ld, quads, step int)", v.Name))
	a.I("MOVQ dst+0(FP), DI")
	a.I("MOVQ src+8(FP), SI")
	a.I("MOVQ ld+16(FP), DX")
	a.I("MOVQ quads+24(FP), CX")
	a.I("MOVQ step+32(FP), BX")
	a.I("LEAQ (DX)(DX*2), R13")
	// Row 4g begins at base[g].
	base := []string{"SI", "R8", "R9", "R10"}[:v.Lanes/4]
	for g := 1; g < len(base); g++ {
		a.I("LEAQ (%s)(DX*4), %s", base[g-1], base[g])
	}
	a.I("LEAQ (BX)(BX*2), R12")
	a.Label("quad")
	// Register r takes four columns of row 4g+r into its lane g …
	for r := range 4 {
		off := []string{"", "(DX*1)", "(DX*2)", "(R13*1)"}[r]
		a.I("VMOVUPS (%s)%s, X%d", base[0], off, r)
		for g := 1; g < len(base); g++ {
			if v.Lanes == 16 {
				a.I("VINSERTF32X4 $%d, (%s)%s, Z%d, Z%d", g, base[g], off, r, r)
			} else {
				a.I("VINSERTF128 $%d, (%s)%s, Y%d, Y%d", g, base[g], off, r, r)
			}
		}
	}
	// … and the lanes are transposed, 4 by 4.
	a.I("VUNPCKLPS %s, %s, %s", v.R(1), v.R(0), v.R(4)) // rows 0 1, columns 0 1
	a.I("VUNPCKHPS %s, %s, %s", v.R(1), v.R(0), v.R(5)) // rows 0 1, columns 2 3
	a.I("VUNPCKLPS %s, %s, %s", v.R(3), v.R(2), v.R(6))
	a.I("VUNPCKHPS %s, %s, %s", v.R(3), v.R(2), v.R(7))
	a.I("VUNPCKLPD %s, %s, %s", v.R(6), v.R(4), v.R(0))
	a.I("VUNPCKHPD %s, %s, %s", v.R(6), v.R(4), v.R(1))
	a.I("VUNPCKLPD %s, %s, %s", v.R(7), v.R(5), v.R(2))
	a.I("VUNPCKHPD %s, %s, %s", v.R(7), v.R(5), v.R(3))
	a.I("VMOVUPS %s, (DI)", v.R(0))
	a.I("VMOVUPS %s, (DI)(BX*1)", v.R(1))
	a.I("VMOVUPS %s, (DI)(BX*2)", v.R(2))
	a.I("VMOVUPS %s, (DI)(R12*1)", v.R(3))
	a.I("LEAQ (DI)(BX*4), DI")
	for _, b := range base {
		a.I("ADDQ $16, %s", b)
	}
	a.I("DECQ CX")
	a.I("JNZ quad")
	a.I("VZEROUPPER")
	a.I("RET")
}
