package main

import "fmt"

// Row writes a kernel that works through rows of n contiguous elements, a vector at a time. The last elements run through
// the same instructions under a mask, so that an element's bits do not depend on its place.
type Row struct {
	Lanes
	operands []string // general registers that hold where the operands begin
	tail     bool     // the vector at hand is the last and not whole
}

// rowOperands are the registers of operands; BX is the distance from their beginnings in bytes, CX counts elements.
var rowOperands = []string{"DI", "SI", "DX", "R8", "R9", "R10"}

// tailMask is the register that holds the mask of AVX2.
const tailMask = "Y15"

// rowFunc begins a function whose arguments are: before bytes of others, pointers to the operands, n, after bytes of others.
func rowFunc(a *Asm, v Vec, name string, before int, operands []string, after int, doc string) *Row {
	r := &Row{Lanes: Lanes{a, v}, operands: rowOperands[:len(operands)]}
	a.Func(name, 0, before+8*(len(operands)+1)+after, doc)
	for i, reg := range r.operands {
		a.I("MOVQ %s+%d(FP), %s", operands[i], before+8*i, reg)
	}
	a.I("MOVQ n+%d(FP), CX", before+8*len(operands))
	return r
}

// Each writes the loop around body, which treats one vector, and the return.
func (r *Row) Each(body func()) {
	r.I("XORL BX, BX")
	r.I("SUBQ $%d, CX", r.Vec.Lanes)
	r.I("JLT tail")
	r.Label("vector")
	body()
	r.I("ADDQ $%d, BX", r.Vec.Bytes())
	r.I("SUBQ $%d, CX", r.Vec.Lanes)
	r.I("JGE vector")
	r.Label("tail")
	r.I("ADDQ $%d, CX", r.Vec.Lanes)
	r.I("JEQ done")
	r.Tail("CX", tailMask)
	r.tail = true
	body()
	r.tail = false
	r.Label("done")
	r.I("VZEROUPPER")
	r.I("RET")
}

func (r *Row) at(operand int) string { return fmt.Sprintf("(%s)(BX*1)", r.operands[operand]) }

// Load reads the vector at hand of an operand.
func (r *Row) Load(operand int, dst string) {
	if r.tail {
		r.LoadTail(r.at(operand), tailMask, dst)
	} else {
		r.I("VMOVUPS %s, %s", r.at(operand), dst)
	}
}

// Store writes the vector at hand of an operand.
func (r *Row) Store(src string, operand int) {
	if r.tail {
		r.StoreTail(src, tailMask, r.at(operand))
	} else {
		r.I("VMOVUPS %s, %s", src, r.at(operand))
	}
}

// jumpTable writes a function that calls one of several kernels of the same arguments, chosen by the first of them.
func jumpTable(a *Asm, name string, args int, doc string, kernels []string) {
	a.Func(name, 0, args, doc)
	a.I("MOVQ kernel+0(FP), CX")
	a.I("LEAQ %sTable<>(SB), AX", name)
	a.I("MOVQ (AX)(CX*8), CX")
	a.I("JMP CX")
	for i, k := range kernels {
		a.Data("%sTable<>+%d(SB)/8, $·%s<>(SB)", name, 8*i, k)
	}
	a.Global("%sTable<>(SB), RODATA|NOPTR, $%d", name, 8*len(kernels))
}
