package main

import "fmt"

// A micro-kernel adds up mr rows by nv vectors of C over k, for any strides of A and of the rows of B, whose columns lie
// side by side. It does so for panels of mr rows one under the other:
//
//	for panel = 0 … panels−1:
//	    acc[r][v] = start + Σ_k A[r·rsA + k·csA] · B[k·ldB + v]
//	    acc = add₀ + acc, then add₁ + acc, …; then acc += bias; C = acc
//	    A moves by panelA; C and the addends move by mr rows
//
// Only the kernels of a single row in AVX2 know start, one row of whole vectors, or 0 where it is nil; they take one panel then.
// Those of several rows in AVX2 ask the cache for what is needed next: C and the addends when a panel begins, and with each
// term what is ahead bytes beyond B, from where they go on by step bytes a term.
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
	argStart  = 752
	argAhead  = 760
	argStep   = 768
)

// tileSet is the micro-kernels of an instruction set. With pairs, an element of A and B is two bfloat16 terms, and B is
// packed: its vectors are whole.
type tileSet struct {
	name  string
	v     Vec
	pairs bool
	rows  []int // for each number of vectors side by side, the most rows that leave the inner loop registers beside its sums
}

var (
	tilesAVX2   = tileSet{"AVX2", avx2, false, []int{1: 6, 2: 6, 3: 4, 4: 2, 8: 1}}
	tilesAVX512 = tileSet{"AVX512", avx512, false, []int{1: 14, 2: 14, 3: 8, 4: 6, 6: 4, 8: 2, 12: 1}}
	tilesBF16   = tileSet{"BF16", avx512, true, []int{1: 14, 2: 14, 4: 3}}
)

// aReg are the registers that walk along A; each serves three rows.
var aReg = []string{"DI", "R8", "R9", "R10", "R11"}

// tile writes one micro-kernel.
type tile struct {
	*Asm
	tileSet
	mr, nv int
	masked bool
}

func (t *tile) label() string {
	s := fmt.Sprintf("tile%s_%dx%d", t.name, t.mr, t.nv)
	if t.masked {
		s += "masked"
	}
	return s
}

func (t *tile) acc(r, v int) string { return t.v.R(r*t.nv + v) }

// inRegister says whether vector v of B is loaded into a register before use: not when it is used once and whole.
func (t *tile) inRegister(v int) bool { return t.pairs || t.mr > 1 || t.masked && v == t.nv-1 }

// free is the number of register i of those that hold no sum.
func (t *tile) free(i int) int {
	sums := t.mr * t.nv
	return sums + i%(t.v.Regs-sums)
}

func (t *tile) clear(reg string) {
	if t.v.Lanes == 16 {
		t.I("VPXORD %s, %s, %s", reg, reg, reg)
	} else {
		t.I("VXORPS %s, %s, %s", reg, reg, reg)
	}
}

// load reads the vector at the address into dst; part says that its mask counts.
func (t *tile) load(addr, dst, mask string, part bool) {
	switch {
	case !part:
		t.I("VMOVUPS %s, %s", addr, dst)
	case t.v.Lanes == 16:
		t.I("VMOVUPS.Z %s, K1, %s", addr, dst)
	default:
		t.I("VMASKMOVPS %s, %s, %s", addr, mask, dst)
	}
}

func (t *tile) store(src, addr, mask string, part bool) {
	switch {
	case !part:
		t.I("VMOVUPS %s, %s", src, addr)
	case t.v.Lanes == 16:
		t.I("VMOVUPS %s, K1, %s", src, addr)
	default:
		t.I("VMASKMOVPS %s, %s, %s", src, mask, addr)
	}
}

// loadMask reads the mask of an instruction set that has it in a vector register.
func (t *tile) loadMask(reg string) {
	if t.masked && t.v.Lanes == 8 {
		t.I("MOVQ %d(AX), R13", argMask)
		t.I("VMOVUPS (R13), %s", reg)
	}
}

func (t *tile) write() {
	t.Func(t.label()+"<>", 0, 16, fmt.Sprintf("%s: %d rows by %d vectors", t.label(), t.mr, t.nv))
	t.I("MOVQ args+8(FP), AX")
	if t.masked && t.v.Lanes == 16 {
		t.I("MOVQ %d(AX), CX", argMask)
		t.I("KMOVW (CX), K1")
	}
	t.I("MOVQ %d(AX), SI", argRSA)
	t.I("MOVQ %d(AX), DX", argCSA)
	t.I("MOVQ %d(AX), R12", argLDB)
	if t.asks() {
		t.I("MOVQ %d(AX), R10", argB)
		t.I("ADDQ %d(AX), R10", argAhead)
		t.I("MOVQ %d(AX), R11", argStep)
	}
	t.I("XORL R14, R14") // distance from the first panel in A
	t.I("XORL R15, R15") // rows done
	t.Label("panel")
	if t.asks() {
		t.ask()
	}
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
	if t.mr == 1 && t.v.Lanes == 8 {
		t.start()
	}
	t.I("TESTQ CX, CX")
	t.I("JZ sums")
	t.Label("terms")
	t.term()
	if t.asks() {
		t.I("PREFETCHT0 (R10)")
		t.I("ADDQ R11, R10")
	}
	t.I("DECQ CX")
	t.I("JNZ terms")
	t.Label("sums")
	t.finish()
	t.I("DECQ %d(AX)", argPanels)
	t.I("JNZ panel")
	t.I("VZEROUPPER")
	t.I("RET")
}

// asks says whether the kernel prefetches. AVX-512's, whose processors have larger caches, reach their peak without.
func (t *tile) asks() bool { return t.mr > 1 && t.v.Lanes == 8 }

// ask asks for the rows of C and of the addends that finish will need. They are far apart, so that no processor guesses them,
// and a tile that only waits for them at its end waits for all of the way from memory.
func (t *tile) ask() {
	t.I("MOVQ %d(AX), BX", argAdds)
	t.I("LEAQ %d(AX), R8", argAddend)
	t.I("MOVQ %d(AX), CX", argC)
	t.I("MOVQ %d(AX), R9", argLDC)
	t.Label("ask")
	t.I("MOVQ R9, DI")
	t.I("IMULQ R15, DI")
	t.I("ADDQ CX, DI")
	for range t.mr {
		t.I("PREFETCHT0 (DI)")
		t.I("PREFETCHT0 %d(DI)", t.nv*t.v.Bytes()-4)
		t.I("ADDQ R9, DI")
	}
	t.I("MOVQ (R8), CX")
	t.I("MOVQ 8(R8), R9")
	t.I("ADDQ $16, R8")
	t.I("DECQ BX")
	t.I("JGE ask")
}

// start sets the sums to where they start, if anywhere. Beyond the columns that count it holds anything.
func (t *tile) start() {
	t.I("MOVQ %d(AX), R9", argStart)
	t.I("TESTQ R9, R9")
	t.I("JZ started")
	for v := range t.nv {
		t.I("VMOVUPS %d(R9), %s", v*t.v.Bytes(), t.acc(0, v))
	}
	t.Label("started")
}

// term adds the products of one k.
func (t *tile) term() {
	// B first: registers after the sums; then one register for each row of A in turn.
	b := func(v int) string { return fmt.Sprintf("%d(BX)", v*t.v.Bytes()) }
	used := 0
	breg := make([]int, t.nv)
	for v := range t.nv {
		if t.inRegister(v) {
			breg[v] = t.free(used)
			used++
		}
	}
	mask := t.v.R(t.free(used))
	t.loadMask(mask)
	for v := range t.nv {
		if t.inRegister(v) {
			t.load(b(v), t.v.R(breg[v]), mask, t.masked && !t.pairs && v == t.nv-1)
		}
	}
	if t.mr == 1 && !t.pairs {
		// Nothing but the way from memory limits a single row.
		t.I("LEAQ (BX)(R12*8), R13")
		for v := range t.nv {
			t.I("PREFETCHT0 %d(R13)", v*t.v.Bytes())
		}
	}
	left := t.v.Regs - t.mr*t.nv - used
	for r := range t.mr {
		addr := "(" + aReg[r/3] + ")" + []string{"", "(SI*1)", "(SI*2)"}[r%3]
		if t.nv == 1 && t.v.Lanes == 16 && !t.pairs {
			t.I("VFMADD231PS.BCST %s, %s, %s", addr, t.v.R(breg[0]), t.acc(r, 0))
			continue
		}
		x := t.free(used + r%left)
		t.I("VBROADCASTSS %s, %s", addr, t.v.R(x))
		for v := range t.nv {
			switch {
			case t.pairs:
				t.VDPBF16PS(x, breg[v], r*t.nv+v)
			case t.inRegister(v):
				t.I("VFMADD231PS %s, %s, %s", t.v.R(x), t.v.R(breg[v]), t.acc(r, v))
			default:
				t.I("VFMADD231PS %s, %s, %s", b(v), t.v.R(x), t.acc(r, v))
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
	x, mask := t.v.R(t.free(0)), t.v.R(t.free(1))
	part := func(v int) bool { return t.masked && v == t.nv-1 }
	t.loadMask(mask)
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
			if part(v) {
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
		t.load(fmt.Sprintf("%d(DI)", v*t.v.Bytes()), x, mask, part(v))
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
			t.store(t.acc(r, v), fmt.Sprintf("%d(DI)", v*t.v.Bytes()), mask, part(v))
		}
		t.I("ADDQ R9, DI")
	}
	t.I("ADDQ $%d, R15", t.mr)
}

// matmulFile writes the micro-kernels of the float32 product for AVX2 and AVX-512, and the sweep of AVX2.
func matmulFile() []byte {
	a := NewAsm()
	tilesAVX2.writeAll(a)
	writeSweep(a, avx2)
	tilesAVX512.writeAll(a)
	return a.Bytes()
}

// writeAll writes the kernels of a set and the function that calls one by its index, (16·nv + mr)·2, plus 1 when the last
// vector is not whole. Tiles of two vectors, which do nearly all of the work, have a form without a mask; the others do
// with the one that has it.
func (s tileSet) writeAll(a *Asm) {
	table := make([]string, 2*16*len(s.rows))
	for nv, rows := range s.rows {
		for mr := 1; mr <= rows; mr++ {
			i := (16*nv + mr) * 2
			masked := &tile{Asm: a, tileSet: s, mr: mr, nv: nv, masked: true}
			masked.write()
			table[i], table[i+1] = masked.label(), masked.label()
			if nv == 2 && !s.pairs {
				whole := &tile{Asm: a, tileSet: s, mr: mr, nv: nv}
				whole.write()
				table[i] = whole.label()
			}
		}
	}
	for i, label := range table {
		if label != "" {
			a.Data("·tiles%s<>+%d(SB)/8, $·%s<>(SB)", s.name, 8*i, label)
		}
	}
	a.Global("·tiles%s<>(SB), RODATA|NOPTR, $%d", s.name, 8*len(table))
	a.Func("runTile"+s.name, 0, 16, fmt.Sprintf("func runTile%s(kernel int, args *tileArgs)", s.name))
	a.I("MOVQ kernel+0(FP), CX")
	a.I("LEAQ ·tiles%s<>(SB), AX", s.name)
	a.I("MOVQ (AX)(CX*8), CX")
	a.I("JMP CX")
}
