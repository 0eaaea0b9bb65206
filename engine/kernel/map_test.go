package kernel

import (
	"math"
	"testing"
)

// ulp is the distance of float32 numbers at w.
func ulp(w float64) float64 {
	_, e := math.Frexp(w)
	return math.Ldexp(1, max(e-1, -126)-23)
}

// activationBounds are the largest errors in ulp. Those of a derivative that is a sum, Φ(x) + x·φ(x), count in ulp of the
// larger part. The argument u of GELUTanh is off by three ulp, so x·σ(u) by 3·|u| for negative x. An intermediate result may
// be denormal: an absolute error of 10⁻⁴³ is allowed.
var activationBounds = [activations]struct{ forward, backward float64 }{
	GELU:     {7, 5}, // the tail is a product of five rounded factors
	GELUTanh: {3, 4},
	SiLU:     {3.5, 5},
	Sigmoid:  {2.5, 1},
	Tanh:     {3.5, 1},
	Softplus: {2.1, 2.5},
	Exp:      {0.9, 0.5},
}

func TestActivationsStayWithinTheirBounds(t *testing.T) {
	oneGoroutine(t)
	step := uint64(4099)
	if testing.Short() {
		step = 160009
	}
	const block = 4096
	x, y, one, dx := make([]float32, block), make([]float32, block), make([]float32, block), make([]float32, block)
	for i := range one {
		one[i] = 1
	}
	level := min(HardwareLevel(), AVX2) // AVX-512 has the same bits
	for act := range activations {
		var used, usedBack float64 // the largest errors
		for bits := uint64(0); bits < 1<<32; {
			for i := range x {
				x[i] = math.Float32frombits(uint32(bits))
				bits += step
			}
			activateRow(level, act, y, x)
			v := x
			if act.GradFromOutput() {
				v = y
			}
			activateGradRow(level, act, dx, one, v)
			for i := range x {
				xi := float64(x[i])
				want := activation(act, xi)
				allowed := activationBounds[act].forward
				switch {
				case act == GELU && xi > 0:
					allowed = 4
				case act == GELUTanh && xi < 0:
					allowed += 3 * math.Abs(geluArgument(max(xi, -reach)))
				}
				used = max(used, checkNear(t, act.String(), x[i], y[i], want, ulp(want), allowed))

				want = derivative(act, float64(v[i]))
				unit := ulp(want)
				if act == GELU || act == GELUTanh || act == SiLU {
					part := activation(act, xi) / xi
					unit = max(unit, ulp(part), ulp(want-part))
				}
				allowed = activationBounds[act].backward
				if act == GELUTanh {
					allowed += 3 * math.Abs(geluArgument(max(min(xi, reach), -reach)))
				}
				usedBack = max(usedBack, checkNear(t, act.String()+" derivative", v[i], dx[i], want, unit, allowed))
				if t.Failed() {
					return
				}
			}
		}
		t.Logf("%v: %.2f of the bound used, derivative %.2f", act, used, usedBack)
	}
}

// checkNear holds got = f(x) against want: NaN and infinities as they are, else an error of allowed units. It returns the
// part of the bound that was used.
func checkNear(t *testing.T, f string, x, got float32, want, unit, allowed float64) float64 {
	t.Helper()
	if sameBits(got, float32(want)) || got == 0 && float32(want) == 0 {
		return 0
	}
	err := math.Abs(float64(got) - want)
	if err <= 1e-43 {
		return 0
	}
	used := err / unit / allowed
	if !(used <= 1) {
		t.Errorf("%s of %v is %v, want %v: an error of %.3g ulp, %v are allowed", f, x, got, want, err/unit, allowed)
	}
	return used
}

func TestMapsAreSplitWithoutChangingABit(t *testing.T) {
	n := 3*elementGrain + 77
	x := awkward(randSource(5), n)
	y, dst := make([]float32, n), make([]float32, n)
	var cases []taskCase
	for act := range activations {
		m := &Map{Dst: dst, X: x, Act: act}
		g := &MapGrad{DX: dst, DY: x, X: x, Y: y, Act: act}
		cases = append(cases,
			taskCase{act.String(), func(p *Pool, level Level) []float32 { m.run(p, level); return dst }},
			taskCase{act.String() + " derivative", func(p *Pool, level Level) []float32 { g.run(p, level); return dst }})
	}
	checkTasks(t, cases)
}
