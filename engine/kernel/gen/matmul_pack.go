package main

import "fmt"

// The packing kernels copy a part of a matrix into panels that a micro-kernel streams through.

// packRows is a copy of rows, whose elements lie side by side; whole vectors are stored:
//
//	func packX(dst *float32, src *T, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)
//
// The last vector of a row is read through the mask; its other lanes become 0. A row is prefetched from ahead bytes further
// on. Distances are in bytes.
type packRows struct {
	*Asm
	v      Vec
	name   string
	src    string // Go's type of an element of the source
	length int    // bytes of a vector in the source
	setup  func() // loads constants
	vector func(addr string, last bool)
}

// Registers of packRows: vector 0 is what is stored, K1 (or vector 1) the mask; from vector 4 on those of setup.
func (p *packRows) write() {
	p.Func(p.name, 0, 64, fmt.Sprintf("func %s(dst *float32, src *%s, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)", p.name, p.src))
	p.I("MOVQ dst+0(FP), DI")
	p.I("MOVQ src+8(FP), SI")
	p.I("MOVQ rows+16(FP), CX")
	p.I("MOVQ vectors+24(FP), DX")
	p.I("MOVQ ldDst+32(FP), R8")
	p.I("MOVQ ldSrc+40(FP), R9")
	p.I("MOVQ ahead+48(FP), R10")
	p.I("MOVQ mask+56(FP), R11")
	if p.v.Lanes == 16 {
		p.I("KMOVD (R11), K1")
	} else {
		p.I("VMOVUPS (R11), %s", p.v.R(1))
	}
	if p.setup != nil {
		p.setup()
	}
	p.I("DECQ DX") // whole vectors
	p.Label("row")
	p.I("MOVQ DI, R11")
	p.I("MOVQ SI, R12")
	p.I("MOVQ DX, BX")
	p.I("TESTQ BX, BX")
	p.I("JZ last")
	p.Label("vector")
	p.vector("(R12)", false)
	p.I("PREFETCHT0 (R12)(R10*1)")
	p.I("VMOVUPS %s, (R11)", p.v.R(0))
	p.I("ADDQ $%d, R12", p.length)
	p.I("ADDQ $%d, R11", p.v.Bytes())
	p.I("DECQ BX")
	p.I("JNZ vector")
	p.Label("last")
	p.vector("(R12)", true)
	p.I("PREFETCHT0 (R12)(R10*1)")
	p.I("VMOVUPS %s, (R11)", p.v.R(0))
	p.I("ADDQ R8, DI")
	p.I("ADDQ R9, SI")
	p.I("DECQ CX")
	p.I("JNZ row")
	p.I("VZEROUPPER")
	p.I("RET")
}

// loadPart reads float32 lanes through the mask if part, else all.
func (p *packRows) loadPart(addr string, dst int, part bool) {
	switch {
	case !part:
		p.I("VMOVUPS %s, %s", addr, p.v.R(dst))
	case p.v.Lanes == 16:
		p.I("VMOVUPS.Z %s, K1, %s", addr, p.v.R(dst))
	default:
		p.I("VMASKMOVPS %s, %s, %s", addr, p.v.R(1), p.v.R(dst))
	}
}

// copyRows copies float32.
func copyRows(a *Asm, v Vec) *packRows {
	p := &packRows{Asm: a, v: v, name: "packRows" + v.Name, src: "float32", length: v.Bytes()}
	p.vector = func(addr string, last bool) { p.loadPart(addr, 0, last) }
	return p
}

// roundRows copies float32, rounded to bfloat16 and widened again.
func roundRows(a *Asm, v Vec) *packRows {
	const one, half, quiet, high = 4, 5, 6, 7
	p := &packRows{Asm: a, v: v, name: "roundRows" + v.Name, src: "float32", length: v.Bytes()}
	p.setup = func() {
		for _, c := range []struct {
			reg int
			val uint32
		}{{one, 1}, {half, 0x7fff}, {quiet, 0x00400000}, {high, 0xffff0000}} {
			p.I("MOVL $%#x, AX", c.val)
			p.I("VMOVD AX, X%d", c.reg)
			p.I("VPBROADCASTD X%d, %s", c.reg, v.R(c.reg))
		}
	}
	and := map[int]string{8: "VPAND", 16: "VPANDD"}[v.Lanes]
	p.vector = func(addr string, last bool) {
		// Half of the last place kept is added, less one where that place is even; a NaN is made quiet.
		p.loadPart(addr, 2, last)
		p.I("VPSRLD $16, %s, %s", v.R(2), v.R(0))
		p.I("%s %s, %s, %s", and, v.R(one), v.R(0), v.R(0))
		p.I("VPADDD %s, %s, %s", v.R(2), v.R(0), v.R(0))
		p.I("VPADDD %s, %s, %s", v.R(half), v.R(0), v.R(0))
		if v.Lanes == 16 {
			p.I("VCMPPS $3, %s, %s, K2", v.R(2), v.R(2))
			p.I("VPORD %s, %s, K2, %s", v.R(quiet), v.R(2), v.R(0))
		} else {
			p.I("VCMPPS $3, %s, %s, %s", v.R(2), v.R(2), v.R(3))
			p.I("VPOR %s, %s, %s", v.R(quiet), v.R(2), v.R(2))
			p.I("VBLENDVPS %s, %s, %s, %s", v.R(3), v.R(2), v.R(0), v.R(0))
		}
		p.I("%s %s, %s, %s", and, v.R(high), v.R(0), v.R(0))
	}
	return p
}

// widenRows copies bfloat16, widened to float32. AVX2 has no mask for 16 bits: its last vector is read whole.
func widenRows(a *Asm, v Vec) *packRows {
	p := &packRows{Asm: a, v: v, name: "widenRows" + v.Name, src: "uint16", length: v.Bytes() / 2}
	p.vector = func(addr string, last bool) {
		if last && v.Lanes == 16 {
			p.I("VPMOVZXWD.Z %s, K1, %s", addr, v.R(0))
		} else {
			p.I("VPMOVZXWD %s, %s", addr, v.R(0))
		}
		p.I("VPSLLD $16, %s, %s", v.R(0), v.R(0))
	}
	return p
}

// halfRows copies bfloat16; a vector is 32 of them.
func halfRows(a *Asm) *packRows {
	p := &packRows{Asm: a, v: avx512, name: "halfRows", src: "uint16", length: 64}
	p.vector = func(addr string, last bool) {
		if last {
			p.I("VMOVDQU16.Z %s, K1, Z0", addr)
		} else {
			p.I("VMOVDQU16 %s, Z0", addr)
		}
	}
	return p
}

// narrowRows copies float32, rounded to bfloat16; a vector is 32 of them.
func narrowRows(a *Asm) *packRows {
	p := &packRows{Asm: a, v: avx512, name: "narrowRows", src: "float32", length: 128}
	p.setup = func() { p.I("KSHIFTRD $16, K1, K2") }
	p.vector = func(addr string, last bool) {
		if last {
			p.I("VMOVUPS.Z %s, K1, Z2", addr)
			p.I("VMOVUPS.Z 64%s, K2, Z3", addr)
		} else {
			p.I("PREFETCHT0 64%s(R10*1)", addr)
			p.I("VMOVUPS %s, Z2", addr)
			p.I("VMOVUPS 64%s, Z3", addr)
		}
		p.VCVTNE2PS2BF16(2, 3, 0)
	}
	return p
}

// writePackPairs writes a copy of pairs of rows, an element of the first beside that of the second, as bfloat16; an odd
// last row is paired with zeros:
//
//	func packPairsX(dst *float32, src *T, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)
//
// A vector is 16 pairs; the last of a row is read through the mask, and its other lanes become 0. An element of the source
// has size bytes; join makes vector 0 of what the addresses hold, of which the second may be "".
func writePackPairs(a *Asm, name, src string, size int, setup func(), join func(first, second string)) {
	a.Func(name, 0, 64, fmt.Sprintf("func %s(dst *float32, src *%s, rows, vectors, ldDst, ldSrc, ahead int, mask *[16]int32)", name, src))
	a.I("MOVQ dst+0(FP), DI")
	a.I("MOVQ src+8(FP), SI")
	a.I("MOVQ rows+16(FP), CX")
	a.I("MOVQ vectors+24(FP), DX")
	a.I("MOVQ ldDst+32(FP), R8")
	a.I("MOVQ ldSrc+40(FP), R9")
	a.I("MOVQ ahead+48(FP), R10")
	a.I("MOVQ mask+56(FP), AX")
	a.I("KXNORD K2, K2, K2") // all lanes
	setup()
	a.I("SUBQ $2, CX")
	a.I("JLT odd")
	for _, second := range []string{"(R12)(R9*1)", ""} {
		row, vector, last := "row", "vector", "last"
		if second == "" {
			a.Label("odd")
			a.I("ADDQ $2, CX") // 1 or 0 rows left
			a.I("JZ done")
			row, vector, last = "oddrow", "oddvector", "oddlast"
		}
		a.Label(row)
		a.I("MOVQ DI, R11")
		a.I("MOVQ SI, R12")
		a.I("MOVQ DX, BX")
		a.I("KMOVW K2, K1")
		a.I("DECQ BX")
		a.I("JZ %s", last)
		a.Label(vector)
		join("(R12)", second)
		a.I("PREFETCHT0 (R12)(R10*1)")
		if second != "" {
			a.I("LEAQ %s, R13", second)
			a.I("PREFETCHT0 (R13)(R10*1)")
		}
		a.I("VMOVUPS Z0, (R11)")
		a.I("ADDQ $%d, R12", 16*size)
		a.I("ADDQ $64, R11")
		a.I("DECQ BX")
		a.I("JNZ %s", vector)
		a.Label(last)
		a.I("KMOVW (AX), K1")
		join("(R12)", second)
		a.I("VMOVUPS Z0, (R11)")
		a.I("ADDQ R8, DI")
		if second != "" {
			a.I("LEAQ (SI)(R9*2), SI")
			a.I("SUBQ $2, CX")
			a.I("JGE row")
		}
	}
	a.Label("done")
	a.I("VZEROUPPER")
	a.I("RET")
}

// narrowPairs packs pairs of rows of float32.
func narrowPairs(a *Asm) {
	for i := range 16 {
		// Words i of the lower half and of the upper half become neighbours.
		a.Data("·interleave<>+%d(SB)/4, $%#x", 4*i, (16+i)<<16|i)
	}
	a.Global("·interleave<>(SB), RODATA|NOPTR, $64")
	writePackPairs(a, "narrowPairs", "float32", 4,
		func() { a.I("VMOVDQU16 ·interleave<>(SB), Z4") },
		func(first, second string) {
			a.I("VMOVUPS.Z %s, K1, Z0", first)
			if second != "" {
				a.I("VMOVUPS.Z %s, K1, Z1", second)
			} else {
				a.I("VPXORD Z1, Z1, Z1")
			}
			a.VCVTNE2PS2BF16(0, 1, 0)
			a.I("VPERMW Z0, Z4, Z0")
		})
}

// halfPairs packs pairs of rows of bfloat16.
func halfPairs(a *Asm) {
	writePackPairs(a, "halfPairs", "uint16", 2, func() {}, func(first, second string) {
		a.I("VPMOVZXWD.Z %s, K1, Z0", first)
		if second != "" {
			a.I("VPMOVZXWD.Z %s, K1, Z1", second)
			a.I("VPSLLD $16, Z1, Z1")
			a.I("VPORD Z1, Z0, Z0")
		}
	})
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

// packFile writes the packing kernels.
func packFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		copyRows(a, v).write()
		roundRows(a, v).write()
		widenRows(a, v).write()
		writePackColumns(a, v)
	}
	halfRows(a).write()
	narrowRows(a).write()
	halfPairs(a)
	narrowPairs(a)
	return a.Bytes()
}
