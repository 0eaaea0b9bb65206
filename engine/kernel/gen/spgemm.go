package main

// spgemmUnroll is how many entries a turn of the loop takes. The columns of a row differ, so their sums do not wait for
// each other.
const spgemmUnroll = 4

// spgemmFile writes the inner loop of a product of two sparse matrices:
//
//	for e = 0 … n−1:  y[columns[e] − lo] += a·x[e]   (fused)
//
// Scattered elements leave vectors little to gain, so one form serves all levels that have FMA.
func spgemmFile() []byte {
	a := NewAsm()
	a.Func("scatterAddFMA", 0, 44, "func scatterAddFMA(y *float32, lo int, columns *int32, x *float32, n int, a float32)")
	a.I("MOVQ y+0(FP), DI")
	a.I("MOVQ lo+8(FP), AX")
	a.I("SHLQ $2, AX")
	a.I("SUBQ AX, DI")
	a.I("MOVQ columns+16(FP), SI")
	a.I("MOVQ x+24(FP), DX")
	a.I("MOVQ n+32(FP), CX")
	a.I("VMOVSS a+40(FP), X0")
	a.I("SUBQ $%d, CX", spgemmUnroll)
	a.I("JLT rest")
	a.Label("four")
	for i := range spgemmUnroll {
		scatterAdd(a, i)
	}
	a.I("ADDQ $%d, SI", 4*spgemmUnroll)
	a.I("ADDQ $%d, DX", 4*spgemmUnroll)
	a.I("SUBQ $%d, CX", spgemmUnroll)
	a.I("JGE four")
	a.Label("rest")
	a.I("ADDQ $%d, CX", spgemmUnroll)
	a.I("JEQ done")
	a.Label("one")
	scatterAdd(a, 0)
	a.I("ADDQ $4, SI")
	a.I("ADDQ $4, DX")
	a.I("DECQ CX")
	a.I("JNZ one")
	a.Label("done")
	a.I("RET")
	return a.Bytes()
}

// scatterAdd writes the step of entry i from the pointers on.
func scatterAdd(a *Asm, i int) {
	a.I("MOVLQSX %d(SI), R8", 4*i)
	a.I("VMOVSS (DI)(R8*4), X%d", 1+i)
	a.I("VFMADD231SS %d(DX), X0, X%d", 4*i, 1+i)
	a.I("VMOVSS X%d, (DI)(R8*4)", 1+i)
}
