package main

import (
	"fmt"
	"slices"
	"strings"
)

// The optimizer steps of package kernel. Nothing is fused: the bits are those of the portable kernels.

// optimizerFile writes them.
func optimizerFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		writeAdamW(a, v)
		writeSGD(a, v)
		writeMomentum(a, v)
		writeAdagrad(a, v)
	}
	return a.Bytes()
}

// step writes an optimizer step. AX points to its factors, a struct of float32 whose fields are named in order.
type step struct {
	*Row
	factors []string
}

// newStep begins the function called name, of the operands and the struct scalars.
func newStep(a *Asm, v Vec, name, scalars, operands, factors string) *step {
	name += v.Name
	list := strings.Split(operands, ", ")
	doc := fmt.Sprintf("func %s(%s *float32, n int, s *%s)", name, operands, scalars)
	s := &step{rowFunc(a, v, name, 0, list, 8, doc), strings.Split(factors, ", ")}
	s.I("MOVQ s+%d(FP), AX", 8*(len(list)+1))
	return s
}

// with writes dst = y op factor.
func (s *step) with(op, factor, y, dst string) {
	i := slices.Index(s.factors, factor)
	if i < 0 {
		panic("no factor " + factor)
	}
	if s.Vec.Lanes == 16 {
		s.I("%s.BCST %d(AX), %s, %s", op, 4*i, y, dst)
		return
	}
	t := s.R(s.Regs - 2)
	s.I("VBROADCASTSS %d(AX), %s", 4*i, t)
	s.I("%s %s, %s, %s", op, t, y, dst)
}

// gradient loads p and g, and sets g to g·gradScale + l2·p; t is lost.
func (s *step) gradient(p, g, t string) {
	s.Load(0, p)
	s.Load(1, g)
	s.with("VMULPS", "gradScale", g, g)
	s.with("VMULPS", "l2", p, t)
	s.I("VADDPS %s, %s, %s", t, g, g)
}

func writeAdamW(a *Asm, v Vec) {
	s := newStep(a, v, "adamw", "adamScalars", "param, grad, m, v",
		"gradScale, l2, decay, beta1, beta1Rest, beta2, beta2Rest, step, rootCorrect2, eps")
	p, g, m, w, t := s.R(0), s.R(1), s.R(2), s.R(3), s.R(4)
	s.Each(func() {
		s.gradient(p, g, t)
		s.Load(2, m)
		s.with("VMULPS", "beta1", m, m)
		s.with("VMULPS", "beta1Rest", g, t)
		s.I("VADDPS %s, %s, %s", t, m, m)
		s.Store(m, 2)
		s.Load(3, w)
		s.with("VMULPS", "beta2", w, w)
		s.I("VMULPS %s, %s, %s", g, g, g)
		s.with("VMULPS", "beta2Rest", g, g)
		s.I("VADDPS %s, %s, %s", g, w, w)
		s.Store(w, 3)
		s.I("VSQRTPS %s, %s", w, w)
		s.with("VDIVPS", "rootCorrect2", w, w)
		s.with("VADDPS", "eps", w, w)
		s.with("VMULPS", "step", m, m)
		s.I("VDIVPS %s, %s, %s", w, m, m)
		s.with("VMULPS", "decay", p, p)
		s.I("VSUBPS %s, %s, %s", m, p, p)
		s.Store(p, 0)
	})
}

func writeSGD(a *Asm, v Vec) {
	s := newStep(a, v, "sgd", "sgdScalars", "param, grad", "gradScale, l2, lr")
	p, g, t := s.R(0), s.R(1), s.R(2)
	s.Each(func() {
		s.gradient(p, g, t)
		s.with("VMULPS", "lr", g, g)
		s.I("VSUBPS %s, %s, %s", g, p, p)
		s.Store(p, 0)
	})
}

func writeMomentum(a *Asm, v Vec) {
	s := newStep(a, v, "momentum", "sgdScalars", "param, grad, momentum", "gradScale, l2, lr, mu, rest, ofG, ofB")
	p, g, b, t := s.R(0), s.R(1), s.R(2), s.R(3)
	s.Each(func() {
		s.gradient(p, g, t)
		s.Load(2, b)
		s.with("VMULPS", "mu", b, b)
		s.with("VMULPS", "rest", g, t)
		s.I("VADDPS %s, %s, %s", t, b, b)
		s.Store(b, 2)
		s.with("VMULPS", "ofG", g, g)
		s.with("VMULPS", "ofB", b, b)
		s.I("VADDPS %s, %s, %s", b, g, g)
		s.with("VMULPS", "lr", g, g)
		s.I("VSUBPS %s, %s, %s", g, p, p)
		s.Store(p, 0)
	})
}

func writeAdagrad(a *Asm, v Vec) {
	s := newStep(a, v, "adagrad", "adagradScalars", "param, grad, sum", "gradScale, l2, lr, eps")
	p, g, sum, t := s.R(0), s.R(1), s.R(2), s.R(3)
	s.Each(func() {
		s.gradient(p, g, t)
		s.Load(2, sum)
		s.I("VMULPS %s, %s, %s", g, g, t)
		s.I("VADDPS %s, %s, %s", t, sum, sum)
		s.Store(sum, 2)
		s.I("VSQRTPS %s, %s", sum, sum)
		s.with("VADDPS", "eps", sum, sum)
		s.with("VMULPS", "lr", g, g)
		s.I("VDIVPS %s, %s, %s", sum, g, g)
		s.I("VSUBPS %s, %s, %s", g, p, p)
		s.Store(p, 0)
	})
}
