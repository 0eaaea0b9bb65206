package main

import "fmt"

// sweepRows is how many rows of B a sweep takes at once.
const sweepRows = 8

// writeSweep writes the product of a row and a matrix whose rows are contiguous, added to y:
//
//	func sweepX(y, a *float32, csA int, b *float32, ldB, k, vectors int, mask *[16]int32)
//
// y[v] += Σ_k a[k·csA] · b[k·ldB + v], one chain in increasing k, for whole vectors of y; of b the last vector of a row is
// read through the mask. It goes along a few rows of B at a time, as memory likes to be read: there is nothing else to gain,
// as every element of B is used once. Distances are in bytes.
func writeSweep(a *Asm, v Vec) {
	a.Func("sweep"+v.Name, 0, 64, fmt.Sprintf("func sweep%s(y, a *float32, csA int, b *float32, ldB, k, vectors int, mask *[16]int32)", v.Name))
	a.I("MOVQ a+8(FP), SI")
	a.I("MOVQ csA+16(FP), DX")
	a.I("MOVQ b+24(FP), BX")
	a.I("MOVQ ldB+32(FP), R12")
	a.I("MOVQ k+40(FP), CX")
	a.I("MOVQ mask+56(FP), AX")
	a.I("VMOVUPS (AX), %s", v.R(1))
	a.I("LEAQ (R12)(R12*2), R13")
	rows := sweepRows
	for _, n := range []int{rows, 1} {
		name := map[int]string{rows: "rows", 1: "row"}[n]
		next := map[int]string{rows: "single", 1: "done"}[n]
		a.Label("%s", name)
		a.I("CMPQ CX, $%d", n)
		a.I("JLT %s", next)
		for i := range n {
			a.I("VBROADCASTSS (SI), %s", v.R(v.Regs-n+i))
			a.I("ADDQ DX, SI")
		}
		a.I("MOVQ y+0(FP), DI")
		a.I("MOVQ vectors+48(FP), R11")
		a.I("MOVQ BX, R8")
		// Rows 0 to 3 are reached from R8, 4 to 7 from R9.
		a.I("LEAQ (BX)(R12*4), R9")
		addr := func(i int) string {
			return "(" + []string{"R8", "R9"}[i/4] + ")" + []string{"", "(R12*1)", "(R12*2)", "(R13*1)"}[i%4]
		}
		a.I("DECQ R11")
		a.I("JZ %slast", name)
		a.Label("%svector", name)
		a.I("VMOVUPS (DI), %s", v.R(0))
		for i := range n {
			a.I("VFMADD231PS %s, %s, %s", addr(i), v.R(v.Regs-n+i), v.R(0))
		}
		a.I("VMOVUPS %s, (DI)", v.R(0))
		for _, r := range []string{"DI", "R8", "R9"} {
			a.I("ADDQ $%d, %s", v.Bytes(), r)
		}
		a.I("DECQ R11")
		a.I("JNZ %svector", name)
		a.Label("%slast", name)
		a.I("VMOVUPS (DI), %s", v.R(0))
		for i := range n {
			a.I("VMASKMOVPS %s, %s, %s", addr(i), v.R(1), v.R(2))
			a.I("VFMADD231PS %s, %s, %s", v.R(2), v.R(v.Regs-n+i), v.R(0))
		}
		a.I("VMOVUPS %s, (DI)", v.R(0))
		if n > 1 {
			a.I("LEAQ (BX)(R12*%d), BX", n)
		} else {
			a.I("ADDQ R12, BX")
		}
		a.I("SUBQ $%d, CX", n)
		a.I("JMP %s", name)
		a.Label("%s", next)
	}
	a.I("VZEROUPPER")
	a.I("RET")
}
