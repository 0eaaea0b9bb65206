package main

import "fmt"

// notGreater is the predicate of VCMPPS that holds where the first number is not above the second, or one is NaN.
const notGreater = 26

// prelu writes the kernels of PReLU with a slope for each element, or with one.
type prelu struct {
	*Row
	one bool
}

// slope makes sure that the slopes are in register 2; operand is where they are when each element has one.
func (p *prelu) slope(operand int) {
	if !p.one {
		p.Load(operand, p.R(2))
	}
}

// scale multiplies y by the slope, in register 2, where x is not positive. It leaves that in K2, or in register 3.
func (p *prelu) scale(x, y string) {
	zero, mask, t := p.R(4), p.R(3), p.R(5)
	if p.Vec.Lanes == 16 {
		p.I("VCMPPS $%d, %s, %s, K2", notGreater, zero, x)
		p.I("VMULPS %s, %s, K2, %s", p.R(2), y, y)
		return
	}
	p.I("VCMPPS $%d, %s, %s, %s", notGreater, zero, x, mask)
	p.I("VMULPS %s, %s, %s", p.R(2), y, t)
	p.I("VBLENDVPS %s, %s, %s, %s", mask, t, y, y)
}

// begin begins a function; the slopes are its last operand, or a number after n.
func (p *prelu) begin(a *Asm, v Vec, name string, operands []string, list string) {
	after := 0
	doc := fmt.Sprintf("func %s(%s, slope *float32, n int)", name, list)
	if p.one {
		doc = fmt.Sprintf("func %s(%s *float32, n int, slope float32)", name, list)
		after = 4
	} else {
		operands = append(operands, "slope")
	}
	p.Row = rowFunc(a, v, name, 0, operands, after, doc)
	if p.one {
		p.I("VBROADCASTSS slope+%d(FP), %s", 8*(len(operands)+1), p.R(2))
	}
	p.Zero(p.R(4))
}

// writePReLU writes dst = x, or slope·x where x is not positive.
func writePReLU(a *Asm, v Vec) {
	for i, name := range []string{"prelu", "preluOne"} {
		p := &prelu{one: i == 1}
		p.begin(a, v, name+v.Name, []string{"dst", "x"}, "dst, x")
		p.Each(func() {
			p.slope(2)
			p.Load(1, p.R(0))
			p.scale(p.R(0), p.R(0))
			p.Store(p.R(0), 0)
		})
	}
}

// writePReLUGrad writes dx = dy, or slope·dy where x is not positive, and acc += x·dy there.
func writePReLUGrad(a *Asm, v Vec) {
	for i, name := range []string{"preluGrad", "preluGradOne"} {
		p := &prelu{one: i == 1}
		p.begin(a, v, name+v.Name, []string{"dx", "acc", "dy", "x"}, "dx, acc, dy, x")
		p.Each(func() {
			x, dy, acc, term := p.R(0), p.R(1), p.R(6), p.R(7)
			p.slope(4)
			p.Load(2, dy)
			p.Load(3, x)
			p.Load(1, acc)
			p.I("VMULPS %s, %s, %s", x, dy, term)
			p.scale(x, dy)
			if v.Lanes == 16 {
				p.I("VADDPS %s, %s, K2, %s", term, acc, acc)
			} else {
				p.I("VANDPS %s, %s, %s", p.R(3), term, term)
				p.I("VADDPS %s, %s, %s", term, acc, acc)
			}
			p.Store(acc, 1)
			p.Store(dy, 0)
		})
	}
}
