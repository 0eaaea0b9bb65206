package main

import "fmt"

// The kernels over columns. Sums over rows are added to what a (and v) hold, so a chunk of rows can come in several calls:
// rows in groups of 1 or 4, which a step works through from the first to the last.

// columnNorm writes a = (b − w)·y·u + v; u and v may be nil.
func columnNorm(k *rowsKernel) {
	const x, mean, factor = 0, 1, 2
	with := func(gain, bias bool) {
		k.results(x, func(s vector) {
			s.load("b", x)
			s.load("w", mean)
			s.op("VSUBPS", mean, x, x)
			s.load("y", factor)
			s.op("VMULPS", factor, x, x)
			if gain {
				s.load("u", factor)
			}
			if bias {
				s.load("v", mean)
			}
			switch {
			case gain && bias:
				s.op("VFMADD213PS", mean, factor, x)
			case gain:
				s.op("VMULPS", factor, x, x)
			case bias:
				s.op("VADDPS", mean, x, x)
			}
		})
	}
	k.choose("u",
		func() { k.choose("v", func() { with(true, true) }, func() { with(true, false) }) },
		func() { k.choose("v", func() { with(false, true) }, func() { with(false, false) }) })
}

// columnNormGrad writes a = (b − v − h·w)·z, with h = (c − u)·y.
func columnNormGrad(k *rowsKernel) {
	const g, h, temp = 0, 1, 2
	k.results(g, func(s vector) {
		s.load("c", h)
		s.load("u", temp)
		s.op("VSUBPS", temp, h, h)
		s.load("y", temp)
		s.op("VMULPS", temp, h, h)
		s.load("b", g)
		s.load("v", temp)
		s.op("VSUBPS", temp, g, g)
		s.load("w", temp)
		s.op("VFNMADD231PS", temp, h, g)
		s.load("z", temp)
		s.op("VMULPS", temp, g, g)
	})
}

// columnGroup writes a loop over groups of rows of b, and of c if both. In its loops SI and BX walk, the row r of the group
// being at rowOf.
func (k *rowsKernel) columnGroup(rows int, both bool, uses []string, body func()) {
	matrices := []string{"SI"}
	if both {
		matrices = append(matrices, "BX")
		uses = append(uses, "c")
	}
	k.walks = matrices
	for _, p := range append(uses, "a", "b") {
		k.I("MOVQ %d(AX), %s", rowsArg[p], rowsReg[p])
	}
	k.I("MOVQ %d(AX), R13", rowsArg["stride"])
	k.I("LEAQ (R13)(R13*2), R14")
	k.Label("group")
	body()
	for _, reg := range matrices {
		k.I("SUBQ DX, %s", reg)
		if rows == 4 {
			k.I("LEAQ (%s)(R13*4), %s", reg, reg)
		} else {
			k.I("ADDQ R13, %s", reg)
		}
	}
	k.I("DECQ %d(AX)", rowsArg["rows"])
	k.I("JNZ group")
}

// rowOf is the address of the elements of row r of the group in the matrix of the given register.
func (s vector) rowOf(reg string, r int) string {
	return fmt.Sprintf("%d(%s)%s", s.g*s.v.Bytes(), reg, []string{"", "(R13*1)", "(R13*2)", "(R14*1)"}[r])
}

// columnSums writes a += b.
func columnSums(rows int) func(k *rowsKernel) {
	return func(k *rowsKernel) {
		acc, x := k.v.R(0), k.v.R(1)
		k.columnGroup(rows, false, nil, func() {
			k.loop(func(s vector) {
				s.loadFrom(s.addr("a"), acc)
				for r := range rows {
					s.loadFrom(s.rowOf("SI", r), x)
					s.I("VADDPS %s, %s, %s", x, acc, acc)
				}
				s.storeTo(acc, s.addr("a"))
			})
		})
	}
}

// columnSquares writes a += (b − u)².
func columnSquares(rows int) func(k *rowsKernel) {
	return func(k *rowsKernel) {
		acc, x, mean := k.v.R(0), k.v.R(1), k.v.R(2)
		k.columnGroup(rows, false, []string{"u"}, func() {
			k.loop(func(s vector) {
				s.loadFrom(s.addr("a"), acc)
				s.loadFrom(s.addr("u"), mean)
				for r := range rows {
					s.loadFrom(s.rowOf("SI", r), x)
					s.I("VSUBPS %s, %s, %s", mean, x, x)
					s.I("VFMADD231PS %s, %s, %s", x, x, acc)
				}
				s.storeTo(acc, s.addr("a"))
			})
		})
	}
}

// rowNormSums writes a += c·(b − s)·t and v += c, s and t being numbers of the rows. Without s it is 0; v may be nil.
func rowNormSums(rows int) func(k *rowsKernel) {
	return func(k *rowsKernel) {
		acc, acc2, x, dy := k.v.R(8), k.v.R(9), k.v.R(10), k.v.R(11)
		k.columnGroup(rows, true, []string{"v"}, func() {
			k.I("MOVQ %d(AX), R15", rowsArg["t"])
			for r := range rows {
				k.I("VBROADCASTSS %d(R15), %s", 4*r, k.v.R(4+r))
			}
			k.I("ADDQ $%d, %d(AX)", 4*rows, rowsArg["t"])
			k.I("MOVQ %d(AX), R15", rowsArg["s"])
			k.I("TESTQ R15, R15")
			k.I("JZ centred")
			for r := range rows {
				k.I("VBROADCASTSS %d(R15), %s", 4*r, k.v.R(r))
			}
			k.I("ADDQ $%d, %d(AX)", 4*rows, rowsArg["s"])
			k.I("JMP sums")
			k.Label("centred")
			for r := range rows {
				k.I("VXORPS X%d, X%d, X%d", r, r, r)
			}
			k.Label("sums")
			with := func(second bool) {
				k.loop(func(s vector) {
					s.loadFrom(s.addr("a"), acc)
					if second {
						s.loadFrom(s.addr("v"), acc2)
					}
					for r := range rows {
						s.loadFrom(s.rowOf("SI", r), x)
						s.loadFrom(s.rowOf("BX", r), dy)
						s.I("VSUBPS %s, %s, %s", s.v.R(r), x, x)
						s.I("VMULPS %s, %s, %s", s.v.R(4+r), x, x)
						s.I("VFMADD231PS %s, %s, %s", x, dy, acc)
						if second {
							s.I("VADDPS %s, %s, %s", dy, acc2, acc2)
						}
					}
					s.storeTo(acc, s.addr("a"))
					if second {
						s.storeTo(acc2, s.addr("v"))
					}
				})
			}
			k.choose("v", func() { with(true) }, func() { with(false) })
		})
	}
}

// columnNormSums writes a += c·(b − u)·w and v += c.
func columnNormSums(rows int) func(k *rowsKernel) {
	return func(k *rowsKernel) {
		acc, acc2, x, dy, mean, rstd := k.v.R(0), k.v.R(1), k.v.R(2), k.v.R(3), k.v.R(4), k.v.R(5)
		k.columnGroup(rows, true, []string{"u", "v", "w"}, func() {
			k.loop(func(s vector) {
				s.loadFrom(s.addr("a"), acc)
				s.loadFrom(s.addr("v"), acc2)
				s.loadFrom(s.addr("u"), mean)
				s.loadFrom(s.addr("w"), rstd)
				for r := range rows {
					s.loadFrom(s.rowOf("SI", r), x)
					s.loadFrom(s.rowOf("BX", r), dy)
					s.I("VSUBPS %s, %s, %s", mean, x, x)
					s.I("VMULPS %s, %s, %s", rstd, x, x)
					s.I("VFMADD231PS %s, %s, %s", x, dy, acc)
					s.I("VADDPS %s, %s, %s", dy, acc2, acc2)
				}
				s.storeTo(acc, s.addr("a"))
				s.storeTo(acc2, s.addr("v"))
			})
		})
	}
}
