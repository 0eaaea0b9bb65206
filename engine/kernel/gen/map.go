package main

import (
	"fmt"
	"math"
)

// The activations and their derivatives, in the order of package kernel: forward replaces x, in register 0, by act(x);
// backward replaces it, x or act(x), by the derivative times dy, which is in register 1.
//
// With e = e^−|x|, σ(x) is 1/(1 + e) or e/(1 + e), and ln(1 + e^x) is max(x, 0) + ln(1 + e): nothing overflows, and small
// results keep their relative precision. tanh(|x|) = m/(m + 2) with m = e^2|x| − 1. Φ(−t) = e^(−t²/2)·P(t)/Q(t).
var activations = []struct {
	name              string
	forward, backward func(m *mapKernel)
}{
	{"Identity", func(m *mapKernel) {}, func(m *mapKernel) { m.I("VMOVAPS %s, %s", m.dy(), m.x()) }},
	{"ReLU", func(m *mapKernel) { m.whereNotNegative(m.x()) }, func(m *mapKernel) { m.whereNotNegative(m.dy()) }},
	{"GELU", (*mapKernel).gelu, (*mapKernel).geluGrad},
	{"GELUTanh", (*mapKernel).geluTanh, (*mapKernel).geluTanhGrad},
	{"SiLU", (*mapKernel).silu, (*mapKernel).siluGrad},
	{"Sigmoid", (*mapKernel).sigmoid, (*mapKernel).sigmoidGrad},
	{"Tanh", (*mapKernel).tanh, (*mapKernel).tanhGrad},
	{"Softplus", (*mapKernel).softplus, (*mapKernel).softplusGrad},
	{"Exp", func(m *mapKernel) { m.Exp(m.x(), m.free()) }, func(m *mapKernel) { m.I("VMULPS %s, %s, %s", m.dy(), m.x(), m.x()) }},
}

// mapKernel writes the activations. Registers: 0 and 1 as above, 2 to 4 are lost in Exp and other steps, 5 and up hold
// what a kernel needs longer.
type mapKernel struct{ *Row }

func (m *mapKernel) x() string       { return m.R(0) }
func (m *mapKernel) dy() string      { return m.R(1) }
func (m *mapKernel) free() [3]string { return [3]string{m.R(2), m.R(3), m.R(4)} }

// The bits of a float32.
const (
	signBit   = 0x80000000
	valueBits = 0x7fffffff
)

// geluReach is beyond where Φ(−t) is less than half of the smallest float32, 2^−150.
const geluReach = 14.5

// geluTanhReach is beyond where σ(u) of GELUTanh is 0 or 1.
const geluTanhReach = 15

// The constants of GELUTanh = x·σ(u), u = x·(geluLinear + geluCubic·x²), and of φ(0).
var (
	geluLinear = float32(2 * math.Sqrt(2/math.Pi))
	geluCubic  = float32(2 * math.Sqrt(2/math.Pi) * 0.044715)
	density0   = float32(1 / math.Sqrt(2*math.Pi))
)

// The coefficients of testdata/polynomials.py. log1p: ln(1 + e) = e·(1 + e·(c₀ + c₁·e + …)), relative error 2^−27.5.
// tailP and tailQ: Φ(−t)·e^(t²/2) = P(t)/Q(t), relative error 2^−25.9.
var (
	log1pCoefficients = []uint32{0xbeffffe9, 0x3eaaa6e8, 0xbe7f91f3, 0x3e49a5aa, 0xbe1d21af, 0x3dda5702, 0xbd6b5837, 0x3ca48bc2, 0xbb57a46f}
	tailP             = []uint32{0x3f000000, 0x3ee06842, 0x3e3ba212, 0x3d266f2c, 0x3b86e242}
	tailQ             = []uint32{0x3f800000, 0x3fd65539, 0x3f99ebab, 0x3ef05e93, 0x3dd09b89, 0x3c290cc4}
)

// whereNotNegative sets x to y where x is positive or NaN, else to 0.
func (m *mapKernel) whereNotNegative(y string) {
	const notLessOrEqual = 22
	zero := m.R(2)
	m.Zero(zero)
	if m.Vec.Lanes == 16 {
		m.I("VCMPPS $%d, %s, %s, K2", notLessOrEqual, zero, m.x())
		m.I("VMOVAPS.Z %s, K2, %s", y, m.x())
	} else {
		m.I("VCMPPS $%d, %s, %s, %s", notLessOrEqual, zero, m.x(), zero)
		m.I("VANDPS %s, %s, %s", y, zero, m.x())
	}
}

// choose sets dst to negative where the sign bit of x is set, else to positive.
func (m *mapKernel) choose(x, negative, positive, dst string) {
	if m.Vec.Lanes == 16 {
		m.I("VPMOVD2M %s, K2", x)
		m.I("VBLENDMPS %s, %s, K2, %s", negative, positive, dst)
	} else {
		m.I("VBLENDVPS %s, %s, %s, %s", x, negative, positive, dst)
	}
}

// abs sets dst to |x|.
func (m *mapKernel) abs(x, dst string) { m.KBits("VANDPS", valueBits, x+", "+dst) }

// expOfMinusAbs sets e to e^−|u|.
func (m *mapKernel) expOfMinusAbs(u, e string) {
	m.KBits("VORPS", signBit, u+", "+e)
	m.ExpOfNegative(e, m.free())
}

// sigmoidParts sets num and den so that σ(u) = num/den.
func (m *mapKernel) sigmoidParts(u, num, den string) {
	m.expOfMinusAbs(u, num)
	m.K("VADDPS", 1, num+", "+den)
	one := m.R(2)
	m.Set(one, 1)
	m.choose(u, num, one, num)
}

// sigmoids sets s to σ(u) and rest to σ(−u).
func (m *mapKernel) sigmoids(u, s, rest string) {
	one, far, near := m.R(2), m.R(3), m.R(4)
	m.expOfMinusAbs(u, s)
	m.K("VADDPS", 1, s+", "+rest)
	m.Set(one, 1)
	m.I("VDIVPS %s, %s, %s", rest, one, near) // 1/(1 + e)
	m.I("VMULPS %s, %s, %s", near, s, far)    // e/(1 + e)
	m.choose(u, far, near, s)
	m.choose(u, near, far, rest)
}

func (m *mapKernel) sigmoid() {
	num, den := m.R(5), m.R(6)
	m.sigmoidParts(m.x(), num, den)
	m.I("VDIVPS %s, %s, %s", den, num, m.x())
}

// sigmoidGrad: y·(1 − y)·dy
func (m *mapKernel) sigmoidGrad() {
	t := m.R(2)
	m.I("VMOVAPS %s, %s", m.x(), t)
	m.I("VFNMADD231PS %s, %s, %s", m.x(), m.x(), t)
	m.I("VMULPS %s, %s, %s", m.dy(), t, m.x())
}

func (m *mapKernel) silu() {
	num, den := m.R(5), m.R(6)
	m.sigmoidParts(m.x(), num, den)
	m.atLeast(m.x(), expSmallest, m.R(2)) // −∞·0 is not a number
	m.I("VMULPS %s, %s, %s", m.x(), num, num)
	m.I("VDIVPS %s, %s, %s", den, num, m.x())
}

// siluGrad: σ(x)·(1 + x·σ(−x))·dy
func (m *mapKernel) siluGrad() {
	s, rest := m.R(5), m.R(6)
	m.atLeast(m.x(), expSmallest, m.R(2))
	m.atMost(m.x(), -expSmallest, m.R(2))
	m.sigmoids(m.x(), s, rest)
	m.K("VFMADD213PS", 1, m.x()+", "+rest)
	m.I("VMULPS %s, %s, %s", rest, s, s)
	m.I("VMULPS %s, %s, %s", m.dy(), s, m.x())
}

// tanh: r of the reduction gives e^r − 1 = r·(1 + r·(c₀ + …)), and m = 2ⁿ·(e^r − 1) + (2ⁿ − 1).
func (m *mapKernel) tanh() {
	const saturated = 10
	n, power, p, z, sign := m.R(2), m.R(3), m.R(4), m.R(5), m.R(6)
	m.abs(m.x(), z)
	m.atMost(z, saturated, n)
	m.I("VADDPS %s, %s, %s", z, z, z)
	m.reduce(z, n, power)
	m.polynomial(p, z, expCoefficients, 1)
	m.I("VMULPS %s, %s, %s", z, p, p)
	m.powerOfTwo(power)
	m.Set(n, 1)
	m.I("VSUBPS %s, %s, %s", n, power, n)
	m.I("VFMADD213PS %s, %s, %s", n, power, p)
	m.K("VADDPS", 2, p+", "+z)
	m.I("VDIVPS %s, %s, %s", z, p, p)
	m.KBits("VANDPS", signBit, m.x()+", "+sign)
	m.I("VORPS %s, %s, %s", sign, p, m.x())
}

// tanhGrad: (1 − y²)·dy
func (m *mapKernel) tanhGrad() {
	t := m.R(2)
	m.Set(t, 1)
	m.I("VFNMADD231PS %s, %s, %s", m.x(), m.x(), t)
	m.I("VMULPS %s, %s, %s", m.dy(), t, m.x())
}

func (m *mapKernel) softplus() {
	e, p := m.R(5), m.R(6)
	m.expOfMinusAbs(m.x(), e)
	m.polynomial(p, e, log1pCoefficients, 1)
	m.Zero(m.R(2))
	m.I("VMAXPS %s, %s, %s", m.x(), m.R(2), m.x())
	m.I("VFMADD231PS %s, %s, %s", e, p, m.x())
}

// softplusGrad: σ(x)·dy
func (m *mapKernel) softplusGrad() {
	m.sigmoid()
	m.I("VMULPS %s, %s, %s", m.dy(), m.x(), m.x())
}

// gaussian sets t to |x|, but no more than geluReach, e to e^(−t²/2) and ratio to P(t)/Q(t). What rounding t² loses is
// added to the argument of the exponential, where it would count t² times.
func (m *mapKernel) gaussian(t, e, ratio string) {
	lost, q := m.R(8), m.R(9)
	m.abs(m.x(), t)
	m.atMost(t, geluReach, m.R(2))
	m.polynomial(ratio, t, tailP)
	m.polynomial(q, t, tailQ)
	m.I("VDIVPS %s, %s, %s", q, ratio, ratio)
	m.I("VMULPS %s, %s, %s", t, t, e)
	m.I("VMOVAPS %s, %s", e, lost)
	m.I("VFMSUB231PS %s, %s, %s", t, t, lost)
	m.K("VMULPS", -0.5, e+", "+e)
	n, bits, p := m.R(2), m.R(3), m.R(4)
	m.reduce(e, n, bits)
	m.K("VFMADD231PS", -0.5, lost+", "+e)
	m.polynomial(p, e, expCoefficients, 1, 1)
	m.scale(p, n, bits)
	m.I("VMOVAPS %s, %s", p, e)
}

// gelu: x·Φ(x) = max(x, 0) − t·Φ(−t)
func (m *mapKernel) gelu() {
	t, e, ratio := m.R(5), m.R(6), m.R(7)
	m.gaussian(t, e, ratio)
	m.I("VMULPS %s, %s, %s", ratio, e, e)
	m.Zero(m.R(2))
	m.I("VMAXPS %s, %s, %s", m.x(), m.R(2), m.x())
	m.I("VFNMADD231PS %s, %s, %s", e, t, m.x())
}

// geluGrad: Φ(x) + x·φ(x) is g = e^(−t²/2)·(P/Q − t·φ(0)) for negative x, and 1 − g else.
func (m *mapKernel) geluGrad() {
	t, e, ratio := m.R(5), m.R(6), m.R(7)
	m.gaussian(t, e, ratio)
	m.K("VFNMADD231PS", density0, t+", "+ratio)
	m.I("VMULPS %s, %s, %s", ratio, e, e)
	m.Set(m.R(2), 1)
	m.I("VSUBPS %s, %s, %s", e, m.R(2), m.R(2))
	m.choose(m.x(), e, m.R(2), e)
	m.I("VMULPS %s, %s, %s", m.dy(), e, m.x())
}

// geluTanhArgument sets u, and square to x².
func (m *mapKernel) geluTanhArgument(u, square string) {
	m.I("VMULPS %s, %s, %s", m.x(), m.x(), square)
	m.Set(u, geluLinear)
	m.K("VFMADD231PS", geluCubic, square+", "+u)
	m.I("VMULPS %s, %s, %s", m.x(), u, u)
}

func (m *mapKernel) geluTanh() {
	num, den, u := m.R(5), m.R(6), m.R(7)
	m.atLeast(m.x(), -geluTanhReach, m.R(2))
	m.geluTanhArgument(u, num)
	m.sigmoidParts(u, num, den)
	m.I("VMULPS %s, %s, %s", m.x(), num, num)
	m.I("VDIVPS %s, %s, %s", den, num, m.x())
}

// geluTanhGrad: σ(u)·(1 + x·σ(−u)·(geluLinear + 3·geluCubic·x²))·dy
func (m *mapKernel) geluTanhGrad() {
	s, rest, u, slope := m.R(5), m.R(6), m.R(7), m.R(8)
	m.atLeast(m.x(), -geluTanhReach, m.R(2))
	m.atMost(m.x(), geluTanhReach, m.R(2))
	m.geluTanhArgument(u, s)
	m.Set(slope, geluLinear)
	m.K("VFMADD231PS", 3*geluCubic, s+", "+slope)
	m.I("VMULPS %s, %s, %s", m.x(), slope, slope)
	m.sigmoids(u, s, rest)
	m.K("VFMADD213PS", 1, slope+", "+rest)
	m.I("VMULPS %s, %s, %s", rest, s, s)
	m.I("VMULPS %s, %s, %s", m.dy(), s, m.x())
}

// mapFile writes the activations and their derivatives.
func mapFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		writeMaps(a, v)
	}
	return a.Bytes()
}

// writeMaps writes the kernels of an instruction set and the two functions that call one by its activation.
func writeMaps(a *Asm, v Vec) {
	var forward, backward []string
	for _, act := range activations {
		name := fmt.Sprintf("map%s%s", act.name, v.Name)
		m := &mapKernel{rowFunc(a, v, name+"<>", 8, []string{"dst", "x"}, 0, name+": dst = act(x)")}
		m.Each(func() {
			m.Load(1, m.x())
			act.forward(m)
			m.Store(m.x(), 0)
		})
		forward = append(forward, name)

		name = fmt.Sprintf("mapGrad%s%s", act.name, v.Name)
		m = &mapKernel{rowFunc(a, v, name+"<>", 8, []string{"dx", "dy", "xy"}, 0, name+": dx = dy·act′")}
		m.Each(func() {
			m.Load(1, m.dy())
			m.Load(2, m.x())
			act.backward(m)
			m.Store(m.x(), 0)
		})
		backward = append(backward, name)
	}
	jumpTable(a, "map"+v.Name, 32, fmt.Sprintf("func map%s(kernel int, dst, x *float32, n int)", v.Name), forward)
	jumpTable(a, "mapGrad"+v.Name, 40, fmt.Sprintf("func mapGrad%s(kernel int, dx, dy, xy *float32, n int)", v.Name), backward)
}
