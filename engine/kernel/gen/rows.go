package main

import (
	"fmt"
	"slices"
)

// A row kernel works on rows of matrices one after another, 16 elements at a time: one vector of AVX-512 or two of AVX2, so
// that the sums of a row have the same 16 lanes. Its argument block is rowsArgs; these are the offsets.
var rowsArg = map[string]int{
	"a": 0, "b": 8, "c": 16, // matrices, which move on by a row
	"u": 24, "v": 32, "w": 40, "y": 48, "z": 56, // rows that serve every row, some may be nil
	"s": 64, "t": 72, // a number for each row
	"rows": 80, "cols": 88,
	"stride": 96, // in bytes: from row to row of the matrices
	"n":      104, "eps": 108, "one": 112,
	"ahead":  120, // in bytes: what is asked for of the matrices that are read, in good time before it is needed
	"stream": 128, // store the result past the cache
}

// rowsReg are the registers of the pointers in the argument block.
var rowsReg = map[string]string{
	"a": "DI", "b": "SI", "c": "BX", "u": "R8", "v": "R9", "w": "R10", "y": "R11", "z": "R12", "s": "R13", "t": "R14",
}

// rowsFile writes the row kernels of both instruction sets, and the function that calls one by its index: twice its place
// in the list, which package kernel repeats, plus 1 for AVX-512.
func rowsFile() []byte {
	a := NewAsm()
	rowsMasks(a)
	table, size := "·rowsKernels<>", 0
	for i, kernel := range []struct {
		name  string
		write func(k *rowsKernel)
		uses  []string // of a kernel that computes one row at a time: what it takes from the argument block
	}{
		{"rowSum", rowSum, []string{"b", "s"}},
		{"rowSquares", rowSquares, []string{"b", "s"}},
		{"rowDot", rowDot, []string{"b", "c", "s"}},
		{"layerNorm", layerNorm, []string{"a", "b", "u", "v", "s", "t"}},
		{"rmsNorm", rmsNorm, []string{"a", "b", "u", "t"}},
		{"layerNormGrad", layerNormGrad, []string{"a", "b", "c", "u", "s", "t"}},
		{"rmsNormGrad", rmsNormGrad, []string{"a", "b", "c", "u", "t"}},
		{"softmax", softmax, []string{"a", "b", "y"}},
		{"softmaxGrad", softmaxGrad, []string{"a", "b", "c"}},
		{"expSum", expSum, []string{"b", "s", "t"}},
		{"shift", shift, []string{"a", "b", "s", "t"}},
		{"logSoftmaxGrad", logSoftmaxGrad, []string{"a", "b", "c"}},
		{"expScaled", expScaled, []string{"a", "b", "s"}},
		{"columnNorm", columnNorm, []string{"a", "b", "u", "v", "w", "y"}},
		{"columnNormGrad", columnNormGrad, []string{"a", "b", "c", "u", "v", "w", "y", "z"}},
		{"columnSums1", columnSums(1), nil},
		{"columnSums4", columnSums(4), nil},
		{"columnSquares1", columnSquares(1), nil},
		{"columnSquares4", columnSquares(4), nil},
		{"rowNormSums1", rowNormSums(1), nil},
		{"rowNormSums4", rowNormSums(4), nil},
		{"columnNormSums1", columnNormSums(1), nil},
		{"columnNormSums4", columnNormSums(4), nil},
	} {
		for j, v := range []Vec{avx2, avx512} {
			k := &rowsKernel{Asm: a, v: v}
			k.Func(kernel.name+v.Name+"<>", 0, 16, kernel.name+v.Name+" is a row kernel")
			k.I("MOVQ args+8(FP), AX")
			if kernel.uses != nil {
				k.rows(kernel.uses, func() { kernel.write(k) })
			} else {
				kernel.write(k)
			}
			if k.streams {
				k.I("SFENCE") // others may read the result when the kernel has returned
			}
			k.I("VZEROUPPER")
			k.I("RET")
			a.Data("%s+%d(SB)/8, $·%s%s<>(SB)", table, 8*(2*i+j), kernel.name, v.Name)
			size = 8 * (2*i + j + 1)
		}
	}
	a.Global("%s(SB), RODATA|NOPTR, $%d", table, size)
	a.Func("runRows", 0, 16, "func runRows(kernel int, args *rowsArgs)")
	a.I("MOVQ kernel+0(FP), CX")
	a.I("LEAQ %s(SB), AX", table)
	a.I("MOVQ (AX)(CX*8), CX")
	a.I("JMP CX")
	return a.Bytes()
}

// rowsKernel writes one row kernel. Its first registers are the author's; the last ones hold masks under AVX2.
type rowsKernel struct {
	*Asm
	v       Vec
	walks   []string // registers that loop moves on beside DX, the distance from the beginning of the rows
	labels  int
	streams bool // it may store past the cache
}

// rows writes a loop over rows, in which body computes one.
func (k *rowsKernel) rows(uses []string, body func()) {
	for _, p := range uses {
		k.I("MOVQ %d(AX), %s", rowsArg[p], rowsReg[p])
	}
	if slices.Contains(uses, "a") {
		// Only whole cache lines go past the cache, and none that are in it.
		k.I("MOVQ %d(AX), R15", rowsArg["stride"])
		k.I("ORQ %s, R15", rowsReg["a"])
		k.I("TESTQ $63, R15")
		k.I("JNZ cached")
		k.I("CMPQ %s, %s", rowsReg["a"], rowsReg["b"])
		k.I("JNE row")
		k.Label("cached")
		k.I("MOVB $0, %d(AX)", rowsArg["stream"])
	}
	k.Label("row")
	body()
	for _, p := range uses {
		switch p {
		case "a", "b", "c":
			k.I("ADDQ %d(AX), %s", rowsArg["stride"], rowsReg[p])
		case "s", "t":
			k.I("ADDQ $4, %s", rowsReg[p])
		}
	}
	k.I("DECQ %d(AX)", rowsArg["rows"])
	k.I("JNZ row")
}

// vectors is how many vectors make 16 lanes.
func (k *rowsKernel) vectors() int { return 16 / k.v.Lanes }

// R is the register i of a step's vector g: what a kernel calls register i is as many as it takes for 16 lanes.
func (k *rowsKernel) R(i, g int) string { return k.v.R(i*k.vectors() + g) }

// clear sets the sums to 0.
func (k *rowsKernel) clear(sums ...int) {
	for _, i := range sums {
		for g := range k.vectors() {
			n := i*k.vectors() + g
			k.I("VXORPS X%d, X%d, X%d", n, n, n)
		}
	}
}

// broadcast sets a register to the number at an address.
func (k *rowsKernel) broadcast(addr string, i int) {
	for g := range k.vectors() {
		k.I("VBROADCASTSS %s, %s", addr, k.R(i, g))
	}
}

// vector is one of those of the elements that a loop is at.
type vector struct {
	*rowsKernel
	g      int
	masked bool // not all lanes count
}

// r is register i.
func (s vector) r(i int) string { return s.R(i, s.g) }

func (s vector) addr(pointer string) string {
	return fmt.Sprintf("%d(%s)(DX*1)", s.g*s.v.Bytes(), rowsReg[pointer])
}

func (s vector) mask() string { return s.v.R(s.v.Regs - 1 - s.g) }

// load reads the elements of a row into register i; lanes that do not count become 0.
func (s vector) load(pointer string, i int) { s.loadFrom(s.addr(pointer), s.r(i)) }

// store writes register i to a row.
func (s vector) store(i int, pointer string) { s.storeTo(s.r(i), s.addr(pointer)) }

func (s vector) loadFrom(addr, reg string) {
	switch {
	case !s.masked:
		s.I("VMOVUPS %s, %s", addr, reg)
	case s.v.Lanes == 16:
		s.I("VMOVUPS.Z %s, K1, %s", addr, reg)
	default:
		s.I("VMASKMOVPS %s, %s, %s", addr, s.mask(), reg)
	}
}

func (s vector) storeTo(reg, addr string) {
	switch {
	case !s.masked:
		s.I("VMOVUPS %s, %s", reg, addr)
	case s.v.Lanes == 16:
		s.I("VMOVUPS %s, K1, %s", reg, addr)
	default:
		s.I("VMASKMOVPS %s, %s, %s", reg, s.mask(), addr)
	}
}

// keep sets the lanes of register i that do not count to 0.
func (s vector) keep(i int) {
	switch {
	case !s.masked:
	case s.v.Lanes == 16:
		s.I("VMOVAPS.Z %s, K1, %s", s.r(i), s.r(i))
	default:
		s.I("VANDPS %s, %s, %s", s.mask(), s.r(i), s.r(i))
	}
}

// otherwise sets the lanes of register i that do not count to those of register j.
func (s vector) otherwise(i, j int) {
	switch {
	case !s.masked:
	case s.v.Lanes == 16:
		s.I("VBLENDMPS %s, %s, K1, %s", s.r(i), s.r(j), s.r(i))
	default:
		s.I("VBLENDVPS %s, %s, %s, %s", s.mask(), s.r(i), s.r(j), s.r(i))
	}
}

// op writes an instruction whose operands are registers, in the order of Go's assembler: the destination is last.
func (s vector) op(name string, regs ...int) {
	line := name
	for n, i := range regs {
		if n > 0 {
			line += ","
		}
		line += " " + s.r(i)
	}
	s.I("%s", line)
}

// loop goes over the elements of a row.
func (k *rowsKernel) loop(body func(s vector)) { k.loopAhead(nil, body) }

// loopAhead is a loop that asks for what later rows of the given matrices hold. One loop of a kernel does that for each
// matrix, best one that computes more than it reads.
func (k *rowsKernel) loopAhead(matrices []string, body func(s vector)) {
	k.labels++
	n := k.labels
	walks := append([]string{"DX"}, k.walks...)
	k.I("XORL DX, DX") // bytes
	if matrices != nil {
		k.I("MOVQ %d(AX), R15", rowsArg["ahead"])
		walks = append(walks, "R15")
	}
	k.I("MOVQ %d(AX), CX", rowsArg["cols"])
	k.I("SUBQ $16, CX")
	k.I("JLT tail%d", n)
	k.Label("steps%d", n)
	for _, m := range matrices {
		k.I("PREFETCHT0 (%s)(R15*1)", rowsReg[m])
	}
	for g := range k.vectors() {
		body(vector{k, g, false})
	}
	for _, reg := range walks {
		k.I("ADDQ $64, %s", reg)
	}
	k.I("SUBQ $16, CX")
	k.I("JGE steps%d", n)
	k.Label("tail%d", n)
	k.I("ADDQ $16, CX")
	k.I("JZ done%d", n)
	k.loadMasks()
	for g := range k.vectors() {
		body(vector{k, g, true})
	}
	k.Label("done%d", n)
}

// results is a loop whose last instruction stores register i as a row of a: past the cache, if the argument block says so.
func (k *rowsKernel) results(i int, body func(s vector)) {
	k.streams = true
	k.labels++
	n := k.labels
	k.I("CMPB %d(AX), $0", rowsArg["stream"])
	k.I("JNE stream%d", n)
	k.loop(func(s vector) {
		body(s)
		s.store(i, "a")
	})
	k.I("JMP stored%d", n)
	k.Label("stream%d", n)
	k.loop(func(s vector) {
		body(s)
		if s.masked {
			s.store(i, "a")
		} else {
			s.I("VMOVNTPS %s, %s", s.r(i), s.addr("a"))
		}
	})
	k.Label("stored%d", n)
}

// loadMasks makes the masks of the first CX of 16 lanes; CX is lost.
func (k *rowsKernel) loadMasks() {
	if k.v.Lanes == 16 {
		k.I("MOVL $1, R15")
		k.I("SHLL CX, R15")
		k.I("DECL R15")
		k.I("KMOVW R15, K1")
		return
	}
	k.I("LEAQ ·rowsMasks<>(SB), R15")
	k.I("NEGQ CX")
	for g := range k.vectors() {
		k.I("VMOVUPS %d(R15)(CX*4), %s", 64+32*g, k.v.R(k.v.Regs-1-g))
	}
}

// rowsMasks writes the numbers that masks of AVX2 are cut from: 16 times all bits, 16 times none.
func rowsMasks(a *Asm) {
	for i := range 16 {
		a.Data("·rowsMasks<>+%d(SB)/8, $%d", 8*i, i/8-1)
	}
	a.Global("·rowsMasks<>(SB), RODATA|NOPTR, $128")
}

// reduce combines the 16 lanes of register i by the fixed tree; the result is in lane 0, that is in register X of it.
func (k *rowsKernel) reduce(op string, i, temp int) {
	k.lanes().tree(op, i*k.vectors(), temp*k.vectors())
}

// X is the register that lane 0 of register i is in.
func (k *rowsKernel) X(i int) string { return fmt.Sprintf("X%d", i*k.vectors()) }

// spread sets all lanes of register i to its lane 0.
func (k *rowsKernel) spread(i int) {
	for g := range k.vectors() {
		k.I("VBROADCASTSS %s, %s", k.X(i), k.R(i, g))
	}
}

// choose writes two ways for a row: whether a pointer is nil decides.
func (k *rowsKernel) choose(pointer string, given, missing func()) {
	k.labels++
	n := k.labels
	k.I("TESTQ %s, %s", rowsReg[pointer], rowsReg[pointer])
	k.I("JZ missing%d", n)
	given()
	k.I("JMP chosen%d", n)
	k.Label("missing%d", n)
	missing()
	k.Label("chosen%d", n)
}

// number is the address of a number in the argument block.
func number(name string) string { return fmt.Sprintf("%d(AX)", rowsArg[name]) }
