package kernel

import (
	"math"
	"testing"
)

// moments returns the mean of x and of its 2nd to 4th powers about the given mean.
func moments(x []float32, about float64) (mean, second, third, fourth float64) {
	n := float64(len(x))
	for _, v := range x {
		d := float64(v) - about
		mean += float64(v) / n
		second += d * d / n
		third += d * d * d / n
		fourth += d * d * d * d / n
	}
	return
}

func TestUniformNumbersFillTheirInterval(t *testing.T) {
	const n, lo, hi = 1 << 16, -0.5, 1.5
	x := make([]float32, n)
	u := Uniform{Dst: x, Lo: lo, Hi: hi, Key: Key{Seed: 3}}
	if err := u.Check(); err != nil {
		t.Fatal(err)
	}
	u.Run(nil)
	var tenths [10]int
	for _, v := range x {
		if !(v >= lo && v < hi) {
			t.Fatalf("%v is outside", v)
		}
		tenths[int((float64(v)-lo)/(hi-lo)*10)]++
	}
	chi := 0.0
	for _, c := range tenths {
		d := float64(c) - n/10.
		chi += d * d / (n / 10.)
	}
	if chi > 27.9 { // 99.9 % of χ² with 9 degrees of freedom
		t.Errorf("χ² of the tenths is %.1f: %v", chi, tenths)
	}
}

func TestUniformNumbersStayBelowTheUpperBound(t *testing.T) {
	// Most of the interval rounds to its upper bound.
	hi := math.Nextafter32(1, 2)
	x := make([]float32, 1000)
	(&Uniform{Dst: x, Lo: 1, Hi: float64(hi)}).Run(nil)
	for _, v := range x {
		if v != 1 {
			t.Fatalf("%v is not in [1, %v)", v, hi)
		}
	}
}

func TestNormalNumbersHaveTheirMoments(t *testing.T) {
	const n, m, s = 1 << 18, 0.5, 2.0
	x := make([]float32, n)
	(&Normal{Dst: x, Mean: m, Std: s, Key: Key{Seed: 4}}).Run(nil)
	mean, second, third, fourth := moments(x, m)
	// Standard errors of the moments of n normal numbers; five are allowed.
	root := math.Sqrt(n)
	for _, c := range []struct {
		name             string
		got, want, error float64
	}{
		{"mean", mean, m, s / root},
		{"variance", second, s * s, math.Sqrt2 * s * s / root},
		{"third moment", third, 0, math.Sqrt(15) * s * s * s / root},
		{"fourth moment", fourth, 3 * s * s * s * s, math.Sqrt(96) * s * s * s * s / root},
	} {
		if math.Abs(c.got-c.want) > 5*c.error {
			t.Errorf("the %s is %.4f, want %.4f ± %.4f", c.name, c.got, c.want, c.error)
		}
	}
	var pairs float64 // neighbours come from the same pair of words
	for i := 0; i < n; i += 2 {
		pairs += float64(x[i]-m) * float64(x[i+1]-m)
	}
	if r := pairs / (n / 2) / (s * s); math.Abs(r) > 5/math.Sqrt(n/2) {
		t.Errorf("neighbours are correlated: %.4f", r)
	}
}

func TestRandomNumbersDependOnKeyAndIndexAlone(t *testing.T) {
	n := 2*elementGrain + 77
	whole, part := make([]float32, n), make([]float32, n)
	pool := NewPool(3)
	defer pool.Close()
	for _, fill := range []func(dst []float32, p *Pool, offset int){
		func(dst []float32, p *Pool, offset int) { (&Uniform{Dst: dst, Hi: 1, Offset: uint64(offset)}).Run(p) },
		func(dst []float32, p *Pool, offset int) { (&Normal{Dst: dst, Std: 1, Offset: uint64(offset)}).Run(p) },
	} {
		fill(whole, nil, 0)
		fill(part, pool, 0)
		if i, bad := differs(part, whole); bad {
			t.Errorf("element %d is %v with three workers, %v with one", i, part[i], whole[i])
		}
		for _, cut := range []int{1, 2, 3, 5, 1000} {
			fill(part[cut:], nil, cut)
			if i, bad := differs(part[cut:], whole[cut:]); bad {
				t.Errorf("element %d is %v when the fill begins at %d, %v in the whole", cut+i, part[cut+i], cut, whole[cut+i])
			}
		}
	}
}
