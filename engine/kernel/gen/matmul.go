package main

import "fmt"

// A micro-kernel adds up mr rows by nv vectors of C over k, for any strides of A and of the rows of B, whose columns lie
// side by side. It does so for panels of mr rows one under the other:
//
//	for panel = 0 … panels−1:
//	    acc[r][v] = Σ_k A[r·rsA + k·csA] · B[k·ldB + v]
//	    acc = add₀ + acc, then add₁ + acc, …; then acc += bias; C = acc
//	    A moves by panelA; C and the addends move by mr rows
//
// Moving pointers live in registers alone: one past its slice must not be left where the collector looks.
// The kernel that is masked takes of its last vector the lanes that the mask has. These are the offsets of its argument
// block, tileArgs.
const (
	argA      = 0
	argRSA    = 8
	argCSA    = 16
	argPanelA = 24
	argB      = 32
	argLDB    = 40
	argK      = 48
	argC      = 56
	argLDC    = 64
	argBias   = 72
	argMask   = 80
	argPanels = 88
	argAdds   = 96
	argAddend = 104 // pairs of a pointer and the distance of rows
)

// aReg are the registers that walk along A; each serves three rows.
var aReg = []string{"DI", "R8", "R9", "R10", "R11"}

// tileRows gives, for each number of vectors side by side, the most rows that keep all sums in registers, with what the
// inner loop needs beside them.
func tileRows(v Vec) []int {
	if v.Lanes == 16 {
		return []int{1: 14, 2: 14, 3: 8, 4: 6, 5: 5, 6: 4, 7: 3, 8: 2, 16: 1}
	}
	return []int{1: 12, 2: 6, 3: 4, 4: 2, 8: 1, 12: 1}
}

// tile writes one micro-kernel.
type tile struct {
	*Asm
	v      Vec
	mr, nv int
	masked bool
}

func (t *tile) name() string {
	s := fmt.Sprintf("tile%s_%dx%d", t.v.Name, t.mr, t.nv)
	if t.masked {
		s += "masked"
	}
	return s
}

func (t *tile) acc(r, v int) string { return t.v.R(r*t.nv + v) }

// inRegister says whether vector v of B is loaded into a register before use: not when it is used once and whole.
func (t *tile) inRegister(v int) bool { return t.mr > 1 || t.masked && v == t.nv-1 }

// free is register i of those that hold no sum.
func (t *tile) free(i int) string {
	left := t.v.Regs - t.mr*t.nv
	return t.v.R(t.mr*t.nv + i%left)
}

func (t *tile) clear(reg string) {
	if t.v.Lanes == 16 {
		t.I("VPXORD %s, %s, %s", reg, reg, reg)
	} else {
		t.I("VXORPS %s, %s, %s", reg, reg, reg)
	}
}

// load reads the vector at the address into dst; last says that it is the last of its row.
func (t *tile) load(addr, dst, mask string, last bool) {
	switch {
	case !t.masked || !last:
		t.I("VMOVUPS %s, %s", addr, dst)
	case t.v.Lanes == 16:
		t.I("VMOVUPS.Z %s, K1, %s", addr, dst)
	default:
		t.I("VMASKMOVPS %s, %s, %s", addr, mask, dst)
	}
}

func (t *tile) store(src, addr, mask string, last bool) {
	switch {
	case !t.masked || !last:
		t.I("VMOVUPS %s, %s", src, addr)
	case t.v.Lanes == 16:
		t.I("VMOVUPS %s, K1, %s", src, addr)
	default:
		t.I("VMASKMOVPS %s, %s, %s", src, mask, addr)
	}
}

func (t *tile) write() {
	t.Func(t.name()+"<>", 0, 16, fmt.Sprintf("%s: %d rows by %d vectors", t.name(), t.mr, t.nv))
	t.I("MOVQ args+8(FP), AX")
	if t.masked && t.v.Lanes == 16 {
		t.I("MOVQ %d(AX), CX", argMask)
		t.I("KMOVW (CX), K1")
	}
	t.I("MOVQ %d(AX), SI", argRSA)
	t.I("MOVQ %d(AX), DX", argCSA)
	t.I("MOVQ %d(AX), R12", argLDB)
	t.I("XORL R14, R14") // distance from the first panel in A
	t.I("XORL R15, R15") // rows done
	t.Label("panel")
	t.I("MOVQ %d(AX), DI", argA)
	t.I("ADDQ R14, DI")
	t.I("ADDQ %d(AX), R14", argPanelA)
	if t.mr > 3 {
		t.I("LEAQ (SI)(SI*2), CX")
		for g := 1; 3*g < t.mr; g++ {
			t.I("LEAQ (%s)(CX*1), %s", aReg[g-1], aReg[g])
		}
	}
	t.I("MOVQ %d(AX), BX", argB)
	t.I("MOVQ %d(AX), CX", argK)
	for r := range t.mr {
		for v := range t.nv {
			t.clear(t.acc(r, v))
		}
	}
	t.I("TESTQ CX, CX")
	t.I("JZ sums")
	t.Label("terms")
	t.term()
	t.I("DECQ CX")
	t.I("JNZ terms")
	t.Label("sums")
	t.finish()
	t.I("DECQ %d(AX)", argPanels)
	t.I("JNZ panel")
	t.I("VZEROUPPER")
	t.I("RET")
}

// term adds the products of one k.
func (t *tile) term() {
	// B first: registers after the sums; then one register for each row of A in turn.
	b := func(v int) string { return fmt.Sprintf("%d(BX)", v*t.v.Bytes()) }
	used := 0
	breg := make([]string, t.nv)
	for v := range t.nv {
		if t.inRegister(v) {
			breg[v] = t.free(used)
			used++
		}
	}
	mask := t.free(used)
	if t.masked && t.v.Lanes == 8 {
		t.I("MOVQ %d(AX), R13", argMask)
		t.I("VMOVUPS (R13), %s", mask)
	}
	for v := range t.nv {
		if t.inRegister(v) {
			t.load(b(v), breg[v], mask, v == t.nv-1)
		}
	}
	left := t.v.Regs - t.mr*t.nv - used
	for r := range t.mr {
		addr := "(" + aReg[r/3] + ")" + []string{"", "(SI*1)", "(SI*2)"}[r%3]
		if t.nv == 1 && t.v.Lanes == 16 && t.inRegister(0) {
			t.I("VFMADD231PS.BCST %s, %s, %s", addr, breg[0], t.acc(r, 0))
			continue
		}
		x := t.free(used + r%left)
		t.I("VBROADCASTSS %s, %s", addr, x)
		for v := range t.nv {
			if breg[v] != "" {
				t.I("VFMADD231PS %s, %s, %s", x, breg[v], t.acc(r, v))
			} else {
				t.I("VFMADD231PS %s, %s, %s", b(v), x, t.acc(r, v))
			}
		}
	}
	t.I("ADDQ R12, BX")
	for g := 0; 3*g < t.mr; g++ {
		t.I("ADDQ DX, %s", aReg[g])
	}
}

// finish adds the addends and the bias, and stores.
func (t *tile) finish() {
	x, mask := t.free(0), t.free(1)
	loadMask := func() {
		if t.masked && t.v.Lanes == 8 {
			t.I("MOVQ %d(AX), R13", argMask)
			t.I("VMOVUPS (R13), %s", mask)
		}
	}
	loadMask()
	// R8 walks over the addends, CX counts them.
	t.I("MOVQ %d(AX), CX", argAdds)
	t.I("LEAQ %d(AX), R8", argAddend)
	t.I("TESTQ CX, CX")
	t.I("JZ bias")
	t.Label("add")
	t.I("MOVQ 8(R8), R9")
	t.I("MOVQ R9, DI")
	t.I("IMULQ R15, DI")
	t.I("ADDQ (R8), DI")
	for r := range t.mr {
		for v := range t.nv {
			addr := fmt.Sprintf("%d(DI)", v*t.v.Bytes())
			if t.masked && v == t.nv-1 {
				t.load(addr, x, mask, true)
				t.I("VADDPS %s, %s, %s", x, t.acc(r, v), t.acc(r, v))
			} else {
				t.I("VADDPS %s, %s, %s", addr, t.acc(r, v), t.acc(r, v))
			}
		}
		t.I("ADDQ R9, DI")
	}
	t.I("ADDQ $16, R8")
	t.I("DECQ CX")
	t.I("JNZ add")
	t.Label("bias")
	t.I("MOVQ %d(AX), DI", argBias)
	t.I("TESTQ DI, DI")
	t.I("JZ store")
	for v := range t.nv {
		t.load(fmt.Sprintf("%d(DI)", v*t.v.Bytes()), x, mask, v == t.nv-1)
		for r := range t.mr {
			t.I("VADDPS %s, %s, %s", x, t.acc(r, v), t.acc(r, v))
		}
	}
	t.Label("store")
	t.I("MOVQ %d(AX), R9", argLDC)
	t.I("MOVQ R9, DI")
	t.I("IMULQ R15, DI")
	t.I("ADDQ %d(AX), DI", argC)
	for r := range t.mr {
		for v := range t.nv {
			t.store(t.acc(r, v), fmt.Sprintf("%d(DI)", v*t.v.Bytes()), mask, v == t.nv-1)
		}
		t.I("ADDQ R9, DI")
	}
	t.I("ADDQ $%d, R15", t.mr)
}

// matmulFile writes the micro-kernels of the float32 product for AVX2 and AVX-512.
func matmulFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		writeTiles(a, v)
		writePackRows(a, v)
		writePackColumns(a, v)
	}
	return a.Bytes()
}

// writeTiles writes the kernels of an instruction set and the function that calls one by its index, (16·nv + mr)·2, plus
// 1 when masked.
func writeTiles(a *Asm, v Vec) {
	var tiles []*tile
	for nv, rows := range tileRows(v) {
		for mr := 1; mr <= rows; mr++ {
			for _, masked := range []bool{false, true} {
				t := &tile{Asm: a, v: v, mr: mr, nv: nv, masked: masked}
				t.write()
				tiles = append(tiles, t)
			}
		}
	}
	table := fmt.Sprintf("·tiles%s<>", v.Name)
	a.Func("runTile"+v.Name, 0, 16, fmt.Sprintf("func runTile%s(kernel int, args *tileArgs)", v.Name))
	a.I("MOVQ kernel+0(FP), CX")
	a.I("LEAQ %s(SB), AX", table)
	a.I("MOVQ (AX)(CX*8), CX")
	a.I("JMP CX")
	for _, t := range tiles {
		i := (16*t.nv + t.mr) * 2
		if t.masked {
			i++
		}
		a.Data("%s+%d(SB)/8, $·%s<>(SB)", table, 8*i, t.name())
	}
	a.Global("%s(SB), RODATA|NOPTR, $%d", table, 8*2*16*len(tileRows(v)))
}
