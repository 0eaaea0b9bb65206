package main

import "math"

// The exponential function: e^x = 2ⁿ·e^r with n = round(x·log₂e) and r = x − n·ln 2 in two steps, |r| ≤ ½·ln 2. Every
// product that is added to something is fused, so that the bits are the same in both instruction sets. The largest error
// is below 1 ulp; denormal results are rounded correctly from there. NaN stays NaN.

// expSmallest and expLargest bound the arguments: e^x is 0 and infinite beyond. From expNormal on e^x is not denormal.
const (
	expSmallest = -104
	expNormal   = -87
	expLargest  = 89
)

// rounder is 1.5·2²³: a float32 plus rounder is rounded to an integer, which stands in the low bits of the sum.
const rounder = 3 << 22

// expCoefficients are those of testdata/polynomials.py: e^r = 1 + r + r²·(c₀ + c₁·r + …), relative error 2^−28.2.
var expCoefficients = []uint32{0x3efffffe, 0x3e2aaa46, 0x3d2aac2c, 0x3c091ef0, 0x3ab563a7}

// ln 2 as the sum of two float32.
const (
	ln2High = 0x3f317218
	ln2Low  = 0xb102e308
)

// Exp replaces x by e^x in every lane; t are three registers that are lost.
func (l Lanes) Exp(x string, t [3]string) {
	l.atLeast(x, expSmallest, t[0])
	l.atMost(x, expLargest, t[0])
	l.ExpInRange(x, t)
}

// ExpOfNegative is Exp for x ≤ 0, or NaN.
func (l Lanes) ExpOfNegative(x string, t [3]string) {
	l.atLeast(x, expSmallest, t[0])
	l.ExpInRange(x, t)
}

// ExpInRange is Exp for arguments in the bounds, or NaN.
func (l Lanes) ExpInRange(x string, t [3]string) {
	n, bits, p := t[0], t[1], t[2]
	l.reduce(x, n, bits)
	l.polynomial(p, x, expCoefficients, 1, 1)
	l.scale(p, n, bits)
	l.I("VMOVAPS %s, %s", p, x)
}

// expOften are constants that Exp uses more than once or early, for registers that are free.
var expOften = []uint32{math.Float32bits(rounder), math.Float32bits(1), math.Float32bits(math.Log2E), ln2High, ln2Low}

// ExpOfModest is Exp for expNormal ≤ x ≤ 0, or NaN: one multiplication with a power of two is exact.
func (l Lanes) ExpOfModest(x string, t [3]string) {
	n, bits, p := t[0], t[1], t[2]
	l.reduce(x, n, bits)
	l.polynomial(p, x, expCoefficients, 1, 1)
	l.powerOfTwo(bits)
	l.I("VMULPS %s, %s, %s", bits, p, x)
}

// atLeast replaces x by max(x, bound), NaN staying NaN; t is lost.
func (l Lanes) atLeast(x string, bound float32, t string) {
	l.Set(t, bound)
	l.I("VMAXPS %s, %s, %s", x, t, x)
}

// atMost replaces x by min(x, bound), NaN staying NaN; t is lost.
func (l Lanes) atMost(x string, bound float32, t string) {
	l.Set(t, bound)
	l.I("VMINPS %s, %s, %s", x, t, x)
}

// reduce puts n into n, n + rounder into bits, and replaces x by r.
func (l Lanes) reduce(x, n, bits string) {
	l.Set(bits, rounder)
	l.K("VFMADD231PS", math.Log2E, x+", "+bits)
	l.K("VSUBPS", rounder, bits+", "+n)
	l.KBits("VFNMADD231PS", ln2High, n+", "+x)
	l.KBits("VFNMADD231PS", ln2Low, n+", "+x)
}

// polynomial sets p to f₀ + x·(f₁ + x·(… c₀ + c₁·x + c₂·x² …)), where f are the leading coefficients.
func (l Lanes) polynomial(p, x string, c []uint32, leading ...float32) {
	l.SetBits(p, c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		l.KBits("VFMADD213PS", c[i], x+", "+p)
	}
	for i := len(leading) - 1; i >= 0; i-- {
		l.K("VFMADD213PS", leading[i], x+", "+p)
	}
}

// scale multiplies p by 2ⁿ for any n from −152 to 128, rounding once. AVX2 multiplies by the halves of the power, the first
// of which is exact: n/2 rounded down and the rest, whose bits come from those of n + rounder. n and bits are lost.
func (l Lanes) scale(p, n, bits string) {
	if l.Lanes == 16 {
		l.I("VSCALEFPS %s, %s, %s", n, p, p)
		return
	}
	half := n
	l.I("VPSRLD $1, %s, %s", bits, half)
	l.I("VPSUBD %s, %s, %s", half, bits, bits)
	for _, h := range []string{half, bits} {
		l.powerOfTwo(h)
		l.I("VMULPS %s, %s, %s", h, p, p)
	}
}

// powerOfTwo replaces the integer n by 2ⁿ as a float32. The upper bits, those of rounder or of half of it, are shifted out.
func (l Lanes) powerOfTwo(n string) {
	l.I("VPSLLD $23, %s, %s", n, n)
	l.K("VPADDD", 1, n+", "+n)
}
