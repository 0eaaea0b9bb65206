package main

import "fmt"

// headKernel writes kernels over rows of the head dimension; CX counts rows.
type headKernel struct{ Lanes }

// lastColumns makes the mask of the columns of the last vector, of DX columns in all of which there is at least one, and turns DX
// into the bytes of the vectors before it.
func (k *headKernel) lastColumns() {
	k.I("DECQ DX")
	k.I("MOVQ DX, R14")
	k.I("ANDQ $%d, R14", k.Vec.Lanes-1)
	k.I("INCQ R14")
	k.I("ANDQ $%d, DX", -k.Vec.Lanes)
	k.I("SHLQ $2, DX")
	k.Tail("R14", scoreMask)
}

// writeScale writes dst = factor·src, row by row, adding 0 so that a sum of nothing but −0 is 0 however it came about.
//
//	func attentionScaleX(dst, src, factor *float32, rows, cols, ldDst, ldSrc int)
func (k *headKernel) writeScale() {
	name := "attentionScale" + k.Vec.Name
	k.Func(name, 0, 56, fmt.Sprintf("func %s(dst, src, factor *float32, rows, cols, ldDst, ldSrc int)", name))
	for i, arg := range []struct{ name, reg string }{{"dst", "DI"}, {"src", "SI"}, {"factor", "R8"}, {"rows", "CX"}, {"cols", "DX"}, {"ldDst", "R9"}, {"ldSrc", "R10"}} {
		k.I("MOVQ %s+%d(FP), %s", arg.name, 8*i, arg.reg)
	}
	k.lastColumns()
	x, f, zero := k.R(0), k.R(1), k.R(2)
	k.Zero(zero)
	k.Label("row")
	k.I("VBROADCASTSS (R8), %s", f)
	k.I("XORL BX, BX")
	k.I("CMPQ BX, DX")
	k.I("JGE last")
	k.Label("vector")
	k.I("VMOVUPS (SI)(BX*1), %s", x)
	k.I("VFMADD213PS %s, %s, %s", zero, f, x)
	k.I("VMOVUPS %s, (DI)(BX*1)", x)
	k.I("ADDQ $%d, BX", k.Vec.Bytes())
	k.I("CMPQ BX, DX")
	k.I("JLT vector")
	k.Label("last")
	k.LoadTail("(SI)(BX*1)", scoreMask, x)
	k.I("VFMADD213PS %s, %s, %s", zero, f, x)
	k.StoreTail(x, scoreMask, "(DI)(BX*1)")
	k.I("ADDQ $4, R8")
	k.I("ADDQ R9, DI")
	k.I("ADDQ R10, SI")
	k.I("DECQ CX")
	k.I("JNZ row")
	k.I("VZEROUPPER")
	k.I("RET")
}

// rowsAhead is how many rows are prefetched.
const rowsAhead = 8

// writeDots writes dst[r] = factor·Σ x·y, row by row, in 16 lanes.
//
//	func attentionDotsX(dst, x, y *float32, rows, cols, ldX, ldY int, factor float32)
func (k *headKernel) writeDots() {
	name := "attentionDots" + k.Vec.Name
	k.Func(name, 0, 60, fmt.Sprintf("func %s(dst, x, y *float32, rows, cols, ldX, ldY int, factor float32)", name))
	for i, arg := range []struct{ name, reg string }{{"dst", "R8"}, {"x", "SI"}, {"y", "DI"}, {"rows", "CX"}, {"cols", "DX"}, {"ldX", "R9"}, {"ldY", "R10"}} {
		k.I("MOVQ %s+%d(FP), %s", arg.name, 8*i, arg.reg)
	}
	k.lastColumns()
	x, y, factor := k.R(2), k.R(3), 4
	k.I("VMOVSS factor+56(FP), X%d", factor)
	k.I("LEAQ (R10*%d), R11", rowsAhead)
	k.Label("row")
	k.Zero(k.R(0))
	k.Zero(k.R(1))
	k.I("XORL BX, BX")
	k.Label("vector")
	sums := 16 / k.Vec.Lanes // registers that make 16 lanes
	for v := range sums {
		k.I("CMPQ BX, DX")
		k.I("JEQ last%d", v)
		k.I("VMOVUPS (SI)(BX*1), %s", x)
		k.I("VFMADD231PS (DI)(BX*1), %s, %s", x, k.R(v))
		k.I("ADDQ $%d, BX", k.Vec.Bytes())
	}
	k.I("JMP vector")
	for v := range sums {
		k.Label("last%d", v)
		k.LoadTail("(SI)(BX*1)", scoreMask, x)
		k.LoadTail("(DI)(BX*1)", scoreMask, y)
		k.I("VFMADD231PS %s, %s, %s", y, x, k.R(v))
		if v < sums-1 {
			k.I("JMP sum")
		}
	}
	k.Label("sum")
	k.tree("ADD", 0, 1)
	k.I("VMULSS X%d, X0, X0", factor)
	k.I("VMOVSS X0, (R8)")
	k.I("PREFETCHT0 (DI)(R11*1)")
	k.I("ADDQ $4, R8")
	k.I("ADDQ R9, SI")
	k.I("ADDQ R10, DI")
	k.I("DECQ CX")
	k.I("JNZ row")
	k.I("VZEROUPPER")
	k.I("RET")
}

// triangleVectors is how many vectors of columns the triangle takes at a time.
const triangleVectors = 4

// writeTriangle writes the end of the sums over keys where row r sees keys 0 to r of those at p and v: what chain holds goes
// on as chain[r] += Σ_{t ≤ r} p[r,t]·v[t], and is added to out[r]. Rows of chain, v and out are ld bytes apart, those of p are 64
// slots; the columns are whole vectors. With pairs, slots of p and v are two neighbouring keys in bfloat16.
//
//	func attentionTriangleX(out, chain, p, v *float32, rows, vectors, ld int)
func (k *headKernel) writeTriangle(pairs bool) {
	name := "attentionTriangle" + k.Vec.Name
	if pairs {
		name = "attentionTriangleBF16"
	}
	k.Func(name, 0, 56, fmt.Sprintf("func %s(out, chain, p, v *float32, rows, vectors, ld int)", name))
	k.I("MOVQ vectors+40(FP), DX")
	k.I("MOVQ ld+48(FP), R9")
	k.I("XORL BX, BX") // the column at hand in bytes
	k.Label("columns")
	k.I("CMPQ DX, $%d", triangleVectors)
	k.I("JLT single")
	k.triangle("many", triangleVectors, pairs)
	k.I("JMP next")
	k.Label("single")
	k.triangle("one", 1, pairs)
	k.Label("next")
	k.I("TESTQ DX, DX")
	k.I("JNZ columns")
	k.I("VZEROUPPER")
	k.I("RET")
}

// triangle writes the loops over rows and keys for n vectors of columns.
func (k *headKernel) triangle(label string, n int, pairs bool) {
	x, y := n, n+1
	k.I("MOVQ out+0(FP), DI")
	k.I("MOVQ chain+8(FP), SI")
	k.I("MOVQ p+16(FP), R10")
	k.I("MOVQ rows+32(FP), CX")
	k.I("ADDQ BX, DI")
	k.I("ADDQ BX, SI")
	k.I("MOVL $1, R11") // keys that the row sees
	k.Label("%srow", label)
	k.I("MOVQ v+24(FP), R8")
	k.I("ADDQ BX, R8")
	for v := range n {
		k.I("VMOVUPS %d(SI), %s", v*k.Vec.Bytes(), k.R(v))
	}
	k.I("XORL R12, R12") // the slot
	if pairs {
		k.I("MOVQ R11, R13")
		k.I("SHRQ $1, R13")
		k.I("JZ %shalf", label)
	}
	k.Label("%skey", label)
	k.I("VBROADCASTSS (R10)(R12*4), %s", k.R(x))
	for v := range n {
		if pairs {
			k.I("VMOVUPS %d(R8), %s", v*k.Vec.Bytes(), k.R(y))
			k.VDPBF16PS(x, y, v)
		} else {
			k.I("VFMADD231PS %d(R8), %s, %s", v*k.Vec.Bytes(), k.R(x), k.R(v))
		}
	}
	k.I("ADDQ R9, R8")
	k.I("INCQ R12")
	if pairs {
		k.I("CMPQ R12, R13")
		k.I("JLT %skey", label)
		// The first of a pair, when the second is not seen: it counts as 0, whatever it is.
		k.Label("%shalf", label)
		k.I("TESTQ $1, R11")
		k.I("JZ %ssum", label)
		k.I("VBROADCASTSS (R10)(R12*4), %s", k.R(x))
		for v := range n {
			k.I("VMOVUPS %d(R8), %s", v*k.Vec.Bytes(), k.R(y))
			k.KBits("VPANDD", 0xffff, k.R(y)+", "+k.R(y))
			k.VDPBF16PS(x, y, v)
		}
		k.Label("%ssum", label)
	} else {
		k.I("CMPQ R12, R11")
		k.I("JLT %skey", label)
	}
	for v := range n {
		k.I("VADDPS %d(DI), %s, %s", v*k.Vec.Bytes(), k.R(v), k.R(v))
		k.I("VMOVUPS %s, %d(DI)", k.R(v), v*k.Vec.Bytes())
	}
	k.I("INCQ R11")
	k.I("ADDQ R9, DI")
	k.I("ADDQ R9, SI")
	k.I("ADDQ $%d, R10", 4*scoreTile)
	k.I("CMPQ R11, CX")
	k.I("JLE %srow", label)
	k.I("ADDQ $%d, BX", n*k.Vec.Bytes())
	k.I("SUBQ $%d, DX", n)
}
