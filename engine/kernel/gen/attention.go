package main

import (
	"fmt"
	"math"
)

// Attention treats scores in tiles of 64 queries by 64 keys, which lie in rows of 64. These kernels do what is between the
// products: probabilities and their gradients. A query sees the first keys of a tile: visible of them the first query,
// step more each that follows (1 on the diagonal of causal attention, else 0). What it does not see is never used, and
// its probability is 0.

// scoreTile is the number of queries and of keys of a tile; attentionTile in package kernel.
const scoreTile = 64

// Offsets in the argument blocks, scoreArgs and gradArgs in package kernel.
const (
	scoreS       = 0
	scoreRows    = 8
	scoreVisible = 16
	scoreStep    = 24
	scoreScale   = 32
	scoreDrop    = 40
	scoreTop     = 48
	scoreSum     = 56
	scoreShrink  = 64
	gradLSE      = 48
	gradShift    = 56
	gradDP       = 64
)

// scoreKernel writes kernels over the rows of a tile. AX is the argument block, CX counts rows, DX is how many keys the
// row sees.
type scoreKernel struct {
	Lanes
	vectors int // of a row
}

// scoreMask is the register that holds the mask of AVX2.
const scoreMask = "Y15"

// seen broadcasts how many keys the row sees, for see.
func (k *scoreKernel) seen(dst string) {
	if k.Vec.Lanes == 16 {
		k.I("VPBROADCASTD DX, %s", dst)
		return
	}
	k.I("VMOVD DX, X%s", dst[1:])
	k.I("VPBROADCASTD X%s, %s", dst[1:], dst)
}

// see makes the mask of the lanes of vector v whose keys are seen: K1, or scoreMask.
func (k *scoreKernel) see(v int, seen string) {
	mask := scoreMask
	if k.Vec.Lanes == 16 {
		mask = "K1"
	}
	k.I("VPCMPGTD iota<>+%d(SB), %s, %s", v*k.Vec.Bytes(), seen, mask)
}

// keep clears the lanes of x that are not seen.
func (k *scoreKernel) keep(x string) {
	if k.Vec.Lanes == 16 {
		k.I("VMOVAPS.Z %s, K1, %s", x, x)
	} else {
		k.I("VANDPS %s, %s, %s", scoreMask, x, x)
	}
}

// broadcast fills a register with the float32 at an address.
func (k *scoreKernel) broadcast(addr, dst string) { k.I("VBROADCASTSS %s, %s", addr, dst) }

// begin loads what all rows use.
func (k *scoreKernel) begin() {
	k.I("MOVQ %d(AX), DI", scoreS)
	k.I("MOVQ %d(AX), CX", scoreRows)
	k.I("MOVQ %d(AX), DX", scoreVisible)
}

// eachRow writes the loop over rows; body advances its own pointers.
func (k *scoreKernel) eachRow(name string, body func()) {
	k.Label(name)
	body()
	k.I("ADDQ $%d, DI", 4*scoreTile)
	k.I("ADDQ %d(AX), DX", scoreStep)
	k.I("DECQ CX")
	k.I("JNZ %s", name)
}

// eachVector writes body for every vector of a row that has keys that are seen, and rest for the others.
func (k *scoreKernel) eachVector(name string, body, rest func(v int)) {
	for v := range k.vectors {
		if v > 0 {
			k.I("CMPQ DX, $%d", v*k.Vec.Lanes)
			k.I("JLE %srest%d", name, v)
		}
		body(v)
	}
	k.I("JMP %send", name)
	for v := 1; v < k.vectors; v++ {
		k.Label("%srest%d", name, v)
		rest(v)
	}
	k.Label("%send", name)
}

// withDrop writes body twice: without and with factors to multiply by, the row of which is at R12.
func (k *scoreKernel) withDrop(name string, body func(name string, drop bool)) {
	k.I("MOVQ %d(AX), R12", scoreDrop)
	k.I("TESTQ R12, R12")
	k.I("JNZ %sdrop", name)
	body(name, false)
	k.I("VZEROUPPER")
	k.I("RET")
	k.Label("%sdrop", name)
	body(name+"drop_", true)
	k.I("VZEROUPPER")
	k.I("RET")
}

// writeSoftmax writes the softmax of a tile: scores become e^(Scale·s − top), where top, the running maximum of Scale·s,
// and the running sum of a row are brought up to date; shrink is the factor for what went before.
//
//	func attentionSoftmaxX(args *scoreArgs)
func (k *scoreKernel) writeSoftmax() {
	name := "attentionSoftmax" + k.Vec.Name
	k.Func(name, 0, 8, fmt.Sprintf("func %s(args *scoreArgs)", name))
	k.I("MOVQ args+0(FP), AX")

	// The largest score of each row, into shrink.
	seen, low := k.R(14), k.R(13)
	k.begin()
	k.I("MOVQ %d(AX), R8", scoreShrink)
	k.Set(low, -math.MaxFloat32)
	k.eachRow("tops", func() {
		k.seen(seen)
		k.I("VMOVAPS %s, %s", low, k.R(0))
		if k.Vec.Lanes == 8 {
			k.I("VMOVAPS %s, %s", low, k.R(1))
		}
		for v := range k.vectors {
			k.see(v, seen)
			addr := fmt.Sprintf("%d(DI)", v*k.Vec.Bytes())
			if k.Vec.Lanes == 16 {
				k.I("VMAXPS %s, %s, K1, %s", addr, k.R(0), k.R(0))
			} else {
				k.I("VBLENDVPS %s, %s, %s, %s", scoreMask, addr, low, k.R(2))
				k.I("VMAXPS %s, %s, %s", k.R(2), k.R(v%2), k.R(v%2))
			}
		}
		k.tree("MAX", 0, 1)
		k.I("VMOVSS X0, (R8)")
		k.I("ADDQ $4, R8")
	})

	// Rows side by side: the new maxima, and what they do to the old sums.
	k.I("MOVQ %d(AX), R8", scoreShrink)
	k.I("MOVQ %d(AX), R9", scoreTop)
	k.I("MOVQ %d(AX), R10", scoreSum)
	k.broadcast(fmt.Sprintf("%d(AX)", scoreScale), k.R(5))
	k.I("MOVQ %d(AX), CX", scoreRows)
	k.Label("shrinks")
	k.I("VMOVUPS (R9), %s", k.R(0))
	k.I("VMULPS (R8), %s, %s", k.R(5), k.R(1))
	k.I("VMAXPS %s, %s, %s", k.R(0), k.R(1), k.R(1))
	k.I("VSUBPS %s, %s, %s", k.R(1), k.R(0), k.R(0))
	k.I("VMOVUPS %s, (R9)", k.R(1))
	k.ExpOfNegative(k.R(0), [3]string{k.R(2), k.R(3), k.R(4)})
	k.I("VMOVUPS %s, (R8)", k.R(0))
	k.I("VMULPS (R10), %s, %s", k.R(0), k.R(0))
	k.I("VMOVUPS %s, (R10)", k.R(0))
	for _, reg := range []string{"R8", "R9", "R10"} {
		k.I("ADDQ $%d, %s", k.Vec.Bytes(), reg)
	}
	k.I("SUBQ $%d, CX", k.Vec.Lanes)
	k.I("JG shrinks")

	k.begin()
	k.I("MOVQ %d(AX), R9", scoreTop)
	k.I("MOVQ %d(AX), R10", scoreSum)
	k.withDrop("rows", func(label string, drop bool) {
		zero, scale, top := k.R(13), k.R(12), k.R(11)
		k.Zero(zero)
		k.broadcast(fmt.Sprintf("%d(AX)", scoreScale), scale)
		k.eachRow(label, func() {
			k.seen(seen)
			k.broadcast("(R9)", top)
			// The sum in registers 0 and, with AVX2, 1.
			k.Zero(k.R(0))
			k.Zero(k.R(1))
			k.eachVector(label, func(v int) {
				x := k.R(2 + v%2)
				k.I("VMULPS %d(DI), %s, %s", v*k.Vec.Bytes(), scale, x)
				k.I("VSUBPS %s, %s, %s", top, x, x)
				k.ExpOfNegative(x, [3]string{k.R(4 + 3*(v%2)), k.R(5 + 3*(v%2)), k.R(6 + 3*(v%2))})
				k.see(v, seen)
				k.keep(x)
				sum := k.R(0)
				if k.Vec.Lanes == 8 {
					sum = k.R(v % 2)
				}
				k.I("VADDPS %s, %s, %s", x, sum, sum)
				if drop {
					k.I("VMULPS %d(R12), %s, %s", v*k.Vec.Bytes(), x, x)
				}
				k.I("VMOVUPS %s, %d(DI)", x, v*k.Vec.Bytes())
			}, func(v int) {
				k.I("VMOVUPS %s, %d(DI)", zero, v*k.Vec.Bytes())
			})
			k.tree("ADD", 0, 1)
			k.I("VADDSS (R10), X0, X0")
			k.I("VMOVSS X0, (R10)")
			k.I("ADDQ $4, R9")
			k.I("ADDQ $4, R10")
			if drop {
				k.I("ADDQ $%d, R12", 4*scoreTile)
			}
		})
	})
}

// writeGrad writes the gradient of the softmax of a tile: scores become P = e^(Scale·s − LSE), which with dropout is
// multiplied by the factors, and dP becomes dS = P·(Scale·dP·factor + shift), with P before the factor.
//
//	func attentionGradX(args *gradArgs)
func (k *scoreKernel) writeGrad() {
	name := "attentionGrad" + k.Vec.Name
	k.Func(name, 0, 8, fmt.Sprintf("func %s(args *gradArgs)", name))
	k.I("MOVQ args+0(FP), AX")
	k.begin()
	k.I("MOVQ %d(AX), R9", gradLSE)
	k.I("MOVQ %d(AX), R10", gradShift)
	k.I("MOVQ %d(AX), SI", gradDP)
	k.withDrop("rows", func(label string, drop bool) {
		seen, zero, scale, lse, shift := k.R(14), k.R(13), k.R(12), k.R(11), k.R(10)
		k.Zero(zero)
		k.broadcast(fmt.Sprintf("%d(AX)", scoreScale), scale)
		k.eachRow(label, func() {
			k.seen(seen)
			k.broadcast("(R9)", lse)
			k.broadcast("(R10)", shift)
			k.eachVector(label, func(v int) {
				off := v * k.Vec.Bytes()
				x, dp := k.R(v%2), k.R(2+v%2)
				k.I("VMULPS %d(DI), %s, %s", off, scale, x)
				k.I("VSUBPS %s, %s, %s", lse, x, x)
				k.ExpOfNegative(x, [3]string{k.R(4 + 3*(v%2)), k.R(5 + 3*(v%2)), k.R(6 + 3*(v%2))})
				k.see(v, seen)
				k.keep(x)
				k.I("VMOVUPS %d(SI), %s", off, dp)
				if drop {
					k.I("VMULPS %d(R12), %s, %s", off, dp, dp)
				}
				k.I("VFMADD213PS %s, %s, %s", shift, scale, dp)
				k.I("VMULPS %s, %s, %s", x, dp, dp)
				k.keep(dp)
				if drop {
					k.I("VMULPS %d(R12), %s, %s", off, x, x)
				}
				k.I("VMOVUPS %s, %d(DI)", x, off)
				k.I("VMOVUPS %s, %d(SI)", dp, off)
			}, func(v int) {
				k.I("VMOVUPS %s, %d(DI)", zero, v*k.Vec.Bytes())
				k.I("VMOVUPS %s, %d(SI)", zero, v*k.Vec.Bytes())
			})
			k.I("ADDQ $4, R9")
			k.I("ADDQ $4, R10")
			k.I("ADDQ $%d, SI", 4*scoreTile)
			if drop {
				k.I("ADDQ $%d, R12", 4*scoreTile)
			}
		})
	})
}

// writeFinish writes what ends the softmax of rows, vectors of which may be read and written whole:
//
//	func attentionFinishX(top, sum *float32, rows int)
//
// top becomes LSE = top + ln sum, and sum its reciprocal. A sum is at least 1, or 0, or NaN.
func (k *scoreKernel) writeFinish() {
	name := "attentionFinish" + k.Vec.Name
	k.Func(name, 0, 24, fmt.Sprintf("func %s(top, sum *float32, rows int)", name))
	k.I("MOVQ top+0(FP), DI")
	k.I("MOVQ sum+8(FP), SI")
	k.I("MOVQ rows+16(FP), CX")
	x, r, n, e, p, one := k.R(0), k.R(1), k.R(2), k.R(3), k.R(4), k.R(5)
	k.Set(one, 1)
	k.Label("vector")
	k.I("VMOVUPS (SI), %s", x)
	k.I("VDIVPS %s, %s, %s", x, one, r)
	k.I("VMOVUPS %s, (SI)", r)
	// x = 2ⁿ·(1 + e): the exponent, and the mantissa as that of a number in [1, 2).
	k.I("VPSRLD $23, %s, %s", x, n)
	k.KBits("VPSUBD", 127, n+", "+n)
	k.I("VCVTDQ2PS %s, %s", n, n)
	k.KBits("VANDPS", 1<<23-1, x+", "+e)
	k.I("VORPS %s, %s, %s", one, e, e)
	k.I("VSUBPS %s, %s, %s", one, e, e)
	k.polynomial(p, e, log1pCoefficients, 1)
	k.I("VMULPS %s, %s, %s", e, p, p)
	k.KBits("VFMADD231PS", ln2Low, n+", "+p)
	k.KBits("VFMADD231PS", ln2High, n+", "+p)
	// 1 − 1/x is −∞ for 0, and NaN for NaN.
	k.I("VSUBPS %s, %s, %s", r, one, r)
	const notGreaterOrEqual = 25
	if k.Vec.Lanes == 16 {
		k.I("VCMPPS $%d, %s, %s, K1", notGreaterOrEqual, one, x)
		k.I("VMOVAPS %s, K1, %s", r, p)
	} else {
		k.I("VCMPPS $%d, %s, %s, %s", notGreaterOrEqual, one, x, x)
		k.I("VBLENDVPS %s, %s, %s, %s", x, r, p, p)
	}
	k.I("VADDPS (DI), %s, %s", p, p)
	k.I("VMOVUPS %s, (DI)", p)
	k.I("ADDQ $%d, DI", k.Vec.Bytes())
	k.I("ADDQ $%d, SI", k.Vec.Bytes())
	k.I("SUBQ $%d, CX", k.Vec.Lanes)
	k.I("JG vector")
	k.I("VZEROUPPER")
	k.I("RET")
}

// attentionFile writes the kernels of attention.
func attentionFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		k := &scoreKernel{Lanes{a, v}, scoreTile / v.Lanes}
		k.writeSoftmax()
		k.writeFinish()
		k.writeGrad()
		h := &headKernel{Lanes{a, v}}
		h.writeScale()
		h.writeDots()
		h.writeTriangle(false)
	}
	(&headKernel{Lanes{a, avx512}}).writeTriangle(true)
	for i := 0; i < scoreTile; i += 2 {
		a.Data("iota<>+%d(SB)/8, $0x%08x%08x", 4*i, i+1, i)
	}
	a.Global("iota<>(SB), RODATA|NOPTR, $%d", 4*scoreTile)
	return a.Bytes()
}
