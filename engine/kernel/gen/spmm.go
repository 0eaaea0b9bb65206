package main

import "fmt"

// A kernel of the sparse product computes rows of Y, one after another, in a tile of nv vectors of columns:
//
//	for row = 0 … rows−1:
//	    acc[v] = Σ_e values[e] · X[indices[e]·strideX + v],   e = indptr[row] … indptr[row+1]−1
//	    Y[row·strideY + v] = acc[v], or += with accumulate
//
// While it works on an entry it asks for the row of X that the entry spmmAhead further on will read, up to the entry safe.
// The kernel that is masked takes of its last vector the lanes that the mask has. These are the offsets of its argument
// block, spmmArgs; strides are in bytes.
const (
	spmmIndptr     = 0
	spmmIndices    = 8
	spmmValues     = 16
	spmmValueStep  = 24 // 1, or 0 when values is a single number
	spmmX          = 32
	spmmStrideX    = 40
	spmmY          = 48
	spmmStrideY    = 56
	spmmRows       = 64
	spmmSafe       = 72
	spmmAccumulate = 80
	spmmMask       = 88
)

// spmmAhead is how many entries ahead rows of X are asked for.
const spmmAhead = 8

// spmmTile is the most vectors of columns that a kernel works on.
const spmmTile = 8

// spmmKernel writes one kernel.
type spmmKernel struct {
	*Asm
	v      Vec
	nv     int
	masked bool
}

func (k *spmmKernel) name() string {
	s := fmt.Sprintf("spmm%s_%d", k.v.Name, k.nv)
	if k.masked {
		s += "masked"
	}
	return s
}

func (k *spmmKernel) value() string { return k.v.R(spmmTile) }
func (k *spmmKernel) temp() string  { return k.v.R(spmmTile + 1) }
func (k *spmmKernel) mask() string  { return k.v.R(spmmTile + 2) }

// whole says that vector v counts in all its lanes.
func (k *spmmKernel) whole(v int) bool { return !k.masked || v < k.nv-1 }

func (k *spmmKernel) load(addr, dst string) {
	if k.v.Lanes == 16 {
		k.I("VMOVUPS.Z %s, K1, %s", addr, dst)
	} else {
		k.I("VMASKMOVPS %s, %s, %s", addr, k.mask(), dst)
	}
}

func (k *spmmKernel) write() {
	k.Func(k.name()+"<>", 0, 16, fmt.Sprintf("%s: %d vectors of columns", k.name(), k.nv))
	k.I("MOVQ args+8(FP), AX")
	if k.masked {
		k.I("MOVQ %d(AX), CX", spmmMask)
		if k.v.Lanes == 16 {
			k.I("KMOVW (CX), K1")
		} else {
			k.I("VMOVUPS (CX), %s", k.mask())
		}
	}
	k.I("MOVQ %d(AX), SI", spmmIndptr)
	k.I("MOVQ %d(AX), DI", spmmIndices)
	k.I("MOVQ %d(AX), R8", spmmValues)
	k.I("MOVQ %d(AX), BX", spmmX)
	k.I("MOVQ %d(AX), R12", spmmStrideX)
	k.I("MOVQ %d(AX), DX", spmmY)
	k.I("MOVQ %d(AX), CX", spmmRows)
	k.I("MOVQ %d(AX), R13", spmmSafe)
	k.Label("row")
	k.I("MOVQ (SI), R9") // the entry, and in R15 where its value is
	k.I("MOVQ 8(SI), R10")
	k.I("ADDQ $8, SI")
	k.I("MOVQ R9, R15")
	k.I("IMULQ %d(AX), R15", spmmValueStep)
	for v := range k.nv {
		k.I("VXORPS X%d, X%d, X%d", v, v, v)
	}
	k.I("MOVQ R10, R14")
	k.I("CMPQ R14, R13")
	k.I("CMOVQGT R13, R14")
	k.I("CMPQ R9, R14")
	k.I("JGE last")
	k.Label("entries")
	k.entry()
	k.I("MOVLQSX %d(DI)(R9*4), R11", 4*spmmAhead)
	k.I("IMULQ R12, R11")
	for v := 0; v < k.nv; v += 16 / k.v.Lanes {
		k.I("PREFETCHT0 %d(BX)(R11*1)", v*k.v.Bytes())
	}
	k.next()
	k.I("CMPQ R9, R14")
	k.I("JLT entries")
	k.Label("last")
	k.I("CMPQ R9, R10")
	k.I("JGE store")
	k.Label("lastEntries")
	k.entry()
	k.next()
	k.I("CMPQ R9, R10")
	k.I("JLT lastEntries")
	k.Label("store")
	k.store()
	k.I("ADDQ %d(AX), DX", spmmStrideY)
	k.I("DECQ CX")
	k.I("JNZ row")
	k.I("VZEROUPPER")
	k.I("RET")
}

// entry adds the products of the entry R9.
func (k *spmmKernel) entry() {
	k.I("MOVLQSX (DI)(R9*4), R11")
	k.I("IMULQ R12, R11")
	k.I("VBROADCASTSS (R8)(R15*4), %s", k.value())
	for v := range k.nv {
		addr := fmt.Sprintf("%d(BX)(R11*1)", v*k.v.Bytes())
		if k.whole(v) {
			k.I("VFMADD231PS %s, %s, %s", addr, k.value(), k.v.R(v))
		} else {
			k.load(addr, k.temp())
			k.I("VFMADD231PS %s, %s, %s", k.temp(), k.value(), k.v.R(v))
		}
	}
}

func (k *spmmKernel) next() {
	k.I("INCQ R9")
	k.I("ADDQ %d(AX), R15", spmmValueStep)
}

func (k *spmmKernel) store() {
	k.I("CMPB %d(AX), $0", spmmAccumulate)
	k.I("JEQ set")
	for v := range k.nv {
		addr := fmt.Sprintf("%d(DX)", v*k.v.Bytes())
		if k.whole(v) {
			k.I("VADDPS %s, %s, %s", addr, k.v.R(v), k.v.R(v))
		} else {
			k.load(addr, k.temp())
			k.I("VADDPS %s, %s, %s", k.temp(), k.v.R(v), k.v.R(v))
		}
	}
	k.Label("set")
	for v := range k.nv {
		addr := fmt.Sprintf("%d(DX)", v*k.v.Bytes())
		switch {
		case k.whole(v):
			k.I("VMOVUPS %s, %s", k.v.R(v), addr)
		case k.v.Lanes == 16:
			k.I("VMOVUPS %s, K1, %s", k.v.R(v), addr)
		default:
			k.I("VMASKMOVPS %s, %s, %s", k.v.R(v), k.mask(), addr)
		}
	}
}

// spmmFile writes the kernels of the sparse product, and for each instruction set the function that calls one by its index,
// 2·nv, plus 1 when masked.
func spmmFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		table := fmt.Sprintf("·spmm%s<>", v.Name)
		for nv := 1; nv <= spmmTile; nv++ {
			for i, masked := range []bool{false, true} {
				k := &spmmKernel{Asm: a, v: v, nv: nv, masked: masked}
				k.write()
				a.Data("%s+%d(SB)/8, $·%s<>(SB)", table, 8*(2*nv+i), k.name())
			}
		}
		a.Global("%s(SB), RODATA|NOPTR, $%d", table, 8*2*(spmmTile+1))
		a.Func("runSpMM"+v.Name, 0, 16, fmt.Sprintf("func runSpMM%s(kernel int, args *spmmArgs)", v.Name))
		a.I("MOVQ kernel+0(FP), CX")
		a.I("LEAQ %s(SB), AX", table)
		a.I("MOVQ (AX)(CX*8), CX")
		a.I("JMP CX")
	}
	return a.Bytes()
}
