package main

import "fmt"

// The kernels of package kernel's binary.go and prelu.go. Nothing is fused: their bits are those of the portable kernels.

// binaryFile writes them.
func binaryFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		writeBinaries(a, v)
		writeAxpby(a, v)
		writeScale(a, v)
		writePReLU(a, v)
		writePReLUGrad(a, v)
	}
	return a.Bytes()
}

// writeBinaries writes dst = a op b, in the order of BinaryOp.
func writeBinaries(a *Asm, v Vec) {
	var kernels []string
	for _, op := range []string{"ADD", "SUB", "MUL"} {
		name := fmt.Sprintf("binary%s%s", op, v.Name)
		r := rowFunc(a, v, name+"<>", 8, []string{"dst", "a", "b"}, 0, name+": dst = a op b")
		r.Each(func() {
			r.Load(1, r.R(0))
			r.Load(2, r.R(1))
			r.I("V%sPS %s, %s, %s", op, r.R(1), r.R(0), r.R(0))
			r.Store(r.R(0), 0)
		})
		kernels = append(kernels, name)
	}
	jumpTable(a, "binary"+v.Name, 40, fmt.Sprintf("func binary%s(kernel int, dst, a, b *float32, n int)", v.Name), kernels)
}

func writeAxpby(a *Asm, v Vec) {
	r := rowFunc(a, v, "axpby"+v.Name, 0, []string{"dst", "a", "b"}, 8, fmt.Sprintf("func axpby%s(dst, a, b *float32, n int, alpha, beta float32)", v.Name))
	x, y, alpha, beta := r.R(0), r.R(1), r.R(2), r.R(3)
	a.I("VBROADCASTSS alpha+32(FP), %s", alpha)
	a.I("VBROADCASTSS beta+36(FP), %s", beta)
	r.Each(func() {
		r.Load(1, x)
		r.Load(2, y)
		r.I("VMULPS %s, %s, %s", x, alpha, x)
		r.I("VMULPS %s, %s, %s", y, beta, y)
		r.I("VADDPS %s, %s, %s", y, x, x)
		r.Store(x, 0)
	})
}

func writeScale(a *Asm, v Vec) {
	r := rowFunc(a, v, "scale"+v.Name, 0, []string{"dst", "x"}, 4, fmt.Sprintf("func scale%s(dst, x *float32, n int, alpha float32)", v.Name))
	x, alpha := r.R(0), r.R(1)
	a.I("VBROADCASTSS alpha+24(FP), %s", alpha)
	r.Each(func() {
		r.Load(1, x)
		r.I("VMULPS %s, %s, %s", x, alpha, x)
		r.Store(x, 0)
	})
}
