package main

import "math"

// Softmax, log-softmax and cross-entropy along rows. A row's exponentials are taken of differences to its largest element.

// expTemps are registers that exp loses; those of vectors are below.
func (k *rowsKernel) expTemps() [3]string { return [3]string{k.v.R(8), k.v.R(9), k.v.R(10)} }

func (k *rowsKernel) lanes() Lanes { return Lanes{k.Asm, k.v} }

// largest sets register top to the largest element of a row of b, in every lane, and under AVX2 lane 0 of least to the smallest;
// x is lost. NaN is passed over: it shows in the exponentials.
func (k *rowsKernel) largest(top, least, x int) {
	for g := range k.vectors() {
		k.lanes().Set(k.R(top, g), float32(math.Inf(-1)))
		if k.v.Lanes == 8 {
			k.lanes().Set(k.R(least, g), float32(math.Inf(1)))
		}
	}
	k.loop(func(s vector) {
		s.load("b", x)
		if s.v.Lanes == 8 {
			if s.masked {
				s.otherwise(x, least)
			}
			s.op("VMINPS", least, x, least)
			if s.masked {
				s.load("b", x)
			}
		}
		s.otherwise(x, top)
		s.op("VMAXPS", top, x, top)
	})
	k.reduce("MAX", top, x)
	k.spread(top)
	if k.v.Lanes == 8 {
		k.reduce("MIN", least, x)
	}
}

// exponentials writes a loop that sets x to e^(b − top), 0 in the lanes that do not count, adds it to sum, and goes on with
// then. least is the smallest element of the row under AVX2, whose general way to scale by a power of two takes seven
// instructions: where all differences are modest, three do.
func (k *rowsKernel) exponentials(least, top, sum, x int, then func(s vector)) {
	loop := func(exp func(l Lanes, x string, t [3]string)) {
		k.loopAhead([]string{"b"}, func(s vector) {
			s.load("b", x)
			s.op("VSUBPS", top, x, x)
			exp(s.lanes(), s.r(x), s.expTemps())
			s.keep(x)
			s.op("VADDPS", x, sum, sum)
			then(s)
		})
	}
	if k.v.Lanes == 16 {
		loop(Lanes.ExpOfNegative)
		return
	}
	k.labels++
	n := k.labels
	k.I("VSUBSS %s, %s, %s", k.X(top), k.X(least), k.X(least))
	k.I("VUCOMISS %s, %s", k.constants.address(math.Float32bits(expNormal)), k.X(least))
	k.I("JCS wide%d", n) // less, or not a number
	k.lanes().Hold([]string{"Y6", "Y7", "Y11", "Y12", "Y13"}, expOften, func() { loop(Lanes.ExpOfModest) })
	k.I("JMP exponentials%d", n)
	k.Label("wide%d", n)
	loop(Lanes.ExpOfNegative)
	k.Label("exponentials%d", n)
}

// softmax writes a = e^(b − max b) / Σ e^(b − max b); y holds the exponentials of a row meanwhile.
func softmax(k *rowsKernel) {
	const top, sum, x, least = 0, 1, 2, 3
	k.largest(top, least, x)
	k.clear(sum)
	k.exponentials(least, top, sum, x, func(s vector) { s.store(x, "y") })
	k.reduce("ADD", sum, x)
	k.I("VMOVSS %s, %s", number("one"), k.X(x))
	k.I("VDIVSS %s, %s, %s", k.X(sum), k.X(x), k.X(sum))
	k.spread(sum)
	k.results(x, func(s vector) {
		s.load("y", x)
		s.op("VMULPS", sum, x, x)
	})
}

// softmaxGrad writes a = (b − Σ b·c)·c.
func softmaxGrad(k *rowsKernel) {
	const dot, dy, y = 0, 1, 2
	k.clear(dot)
	k.loopAhead([]string{"b", "c"}, func(s vector) {
		s.load("b", dy)
		s.load("c", y)
		s.op("VFMADD231PS", dy, y, dot)
	})
	k.reduce("ADD", dot, y)
	k.spread(dot)
	k.results(dy, func(s vector) {
		s.load("b", dy)
		s.load("c", y)
		s.op("VSUBPS", dot, dy, dy)
		s.op("VMULPS", y, dy, dy)
	})
}

// expSum writes s = max b and t = Σ e^(b − s).
func expSum(k *rowsKernel) {
	const top, sum, x, least = 0, 1, 2, 3
	k.largest(top, least, x)
	k.I("VMOVSS %s, (%s)", k.X(top), rowsReg["s"])
	k.clear(sum)
	k.exponentials(least, top, sum, x, func(vector) {})
	k.reduce("ADD", sum, x)
	k.I("VMOVSS %s, (%s)", k.X(sum), rowsReg["t"])
}

// shift writes a = (b − s) − t.
func shift(k *rowsKernel) {
	const first, second, x = 0, 1, 2
	k.broadcast("("+rowsReg["s"]+")", first)
	k.broadcast("("+rowsReg["t"]+")", second)
	k.results(x, func(s vector) {
		s.load("b", x)
		s.op("VSUBPS", first, x, x)
		s.op("VSUBPS", second, x, x)
	})
}

// logSoftmaxGrad writes a = b − e^c·Σ b.
func logSoftmaxGrad(k *rowsKernel) {
	const sum, dy, y = 0, 1, 2
	k.clear(sum)
	k.loopAhead([]string{"b", "c"}, func(s vector) {
		s.load("b", dy)
		s.op("VADDPS", dy, sum, sum)
	})
	k.reduce("ADD", sum, y)
	k.spread(sum)
	k.results(dy, func(s vector) {
		s.load("c", y)
		s.lanes().Exp(s.r(y), s.expTemps())
		s.load("b", dy)
		s.op("VFNMADD231PS", sum, y, dy)
	})
}

// expScaled writes a = e^(b − s)·n.
func expScaled(k *rowsKernel) {
	const less, scale, x = 0, 1, 2
	k.broadcast("("+rowsReg["s"]+")", less)
	k.broadcast(number("n"), scale)
	k.results(x, func(s vector) {
		s.load("b", x)
		s.op("VSUBPS", less, x, x)
		s.lanes().Exp(s.r(x), s.expTemps())
		s.op("VMULPS", scale, x, x)
	})
}
