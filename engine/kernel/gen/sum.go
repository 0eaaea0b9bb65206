package main

// The sums of rows: s = Σ b, Σ b², or Σ b·c.

func rowSum(k *rowsKernel) {
	k.sum(func(s vector) { s.op("VADDPS", 1, 0, 0) })
}

func rowSquares(k *rowsKernel) {
	k.sum(func(s vector) { s.op("VFMADD231PS", 1, 1, 0) })
}

func rowDot(k *rowsKernel) {
	k.sum(func(s vector) {
		s.load("c", 2)
		s.op("VFMADD231PS", 2, 1, 0)
	})
}

// sum writes a sum of which add adds the elements in register 1 to register 0.
func (k *rowsKernel) sum(add func(s vector)) {
	k.clear(0)
	k.loop(func(s vector) {
		s.load("b", 1)
		add(s)
	})
	k.reduce("ADD", 0, 1)
	k.I("VMOVSS %s, (%s)", k.X(0), rowsReg["s"])
}
