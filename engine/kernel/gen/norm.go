package main

// The norms along rows. Dst may be X, so a row is read as a whole before any of it is written.

func layerNorm(k *rowsKernel)     { k.norm(true) }
func rmsNorm(k *rowsKernel)       { k.norm(false) }
func layerNormGrad(k *rowsKernel) { k.normGrad(true) }
func rmsNormGrad(k *rowsKernel)   { k.normGrad(false) }

// norm writes
//
//	s = Σ b / n,   t = 1/√(Σ (b − s)² / n + eps),   a = (b − s)·t·u + v,
//
// where u and v may be nil. Without centred, s is 0 and not stored.
func (k *rowsKernel) norm(centred bool) {
	const sum, mean, rstd, x, temp = 0, 1, 2, 3, 4
	if centred {
		k.clear(sum)
		k.loop(func(s vector) {
			s.load("b", x)
			s.op("VADDPS", x, sum, sum)
		})
		k.reduce("ADD", sum, temp)
		k.I("VDIVSS %s, %s, %s", number("n"), k.X(sum), k.X(mean))
		k.I("VMOVSS %s, (%s)", k.X(mean), rowsReg["s"])
		k.spread(mean)
	}
	k.clear(sum)
	k.loopAhead([]string{"b"}, func(s vector) {
		s.load("b", x)
		if centred {
			s.op("VSUBPS", mean, x, x)
			s.keep(x)
		}
		s.op("VFMADD231PS", x, x, sum)
	})
	k.reduce("ADD", sum, temp)
	k.I("VDIVSS %s, %s, %s", number("n"), k.X(sum), k.X(sum))
	k.I("VADDSS %s, %s, %s", number("eps"), k.X(sum), k.X(sum))
	k.I("VSQRTSS %s, %s, %s", k.X(sum), k.X(sum), k.X(sum))
	k.I("VMOVSS %s, %s", number("one"), k.X(rstd))
	k.I("VDIVSS %s, %s, %s", k.X(sum), k.X(rstd), k.X(rstd))
	k.I("VMOVSS %s, (%s)", k.X(rstd), rowsReg["t"])
	k.spread(rstd)
	with := func(gain, bias bool) {
		k.results(x, func(s vector) {
			s.load("b", x)
			if centred {
				s.op("VSUBPS", mean, x, x)
			}
			s.op("VMULPS", rstd, x, x)
			if gain {
				s.load("u", temp)
			}
			switch {
			case gain && bias:
				s.load("v", sum)
				s.op("VFMADD213PS", sum, temp, x)
			case gain:
				s.op("VMULPS", temp, x, x)
			case bias:
				s.load("v", sum)
				s.op("VADDPS", sum, x, x)
			}
		})
	}
	withBias := func(gain bool) {
		if centred {
			k.choose("v", func() { with(gain, true) }, func() { with(gain, false) })
		} else {
			with(gain, false)
		}
	}
	k.choose("u", func() { withBias(true) }, func() { withBias(false) })
}

// normGrad writes, with h = (c − s)·t and g = b·u,
//
//	a = t·(g − Σ g / n − h·Σ g·h / n),
//
// where u may be nil. Without centred, s is 0 and the first sum is left out.
func (k *rowsKernel) normGrad(centred bool) {
	const sum, dot, mean, rstd, g, h, temp = 0, 1, 2, 3, 4, 5, 6
	terms := func(s vector, gain bool) {
		s.load("b", g)
		if gain {
			s.load("u", temp)
			s.op("VMULPS", temp, g, g)
		}
		s.load("c", h)
		if centred {
			s.op("VSUBPS", mean, h, h)
		}
		s.op("VMULPS", rstd, h, h)
	}
	whole := func(gain bool) {
		k.clear(sum, dot)
		k.loopAhead([]string{"b", "c"}, func(s vector) {
			terms(s, gain)
			if centred {
				s.op("VADDPS", g, sum, sum)
			}
			s.op("VFMADD231PS", g, h, dot)
		})
		for _, i := range []int{sum, dot} {
			if i == dot || centred {
				k.reduce("ADD", i, temp)
				k.I("VDIVSS %s, %s, %s", number("n"), k.X(i), k.X(i))
				k.spread(i)
			}
		}
		k.results(g, func(s vector) {
			terms(s, gain)
			if centred {
				s.op("VSUBPS", sum, g, g)
			}
			s.op("VFNMADD231PS", h, dot, g)
			s.op("VMULPS", rstd, g, g)
		})
	}
	if centred {
		k.broadcast("("+rowsReg["s"]+")", mean)
	}
	k.broadcast("("+rowsReg["t"]+")", rstd)
	k.choose("u", func() { whole(true) }, func() { whole(false) })
}
