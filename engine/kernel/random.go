package kernel

import (
	"fmt"
	"math"
)

// Uniform fills Dst with numbers that are uniform in [Lo, Hi); element i is a function of Key and Offset+i alone.
type Uniform struct {
	Dst    []float32
	Lo, Hi float64
	Key    Key
	Offset uint64

	words sequence
}

// Check says what is wrong with the bounds. Run does not check.
func (u *Uniform) Check() error {
	if !(float32(u.Lo) < float32(u.Hi)) || math.IsInf(u.Hi-u.Lo, 0) {
		return fmt.Errorf("uniform numbers: the bounds are %v and %v; they must be finite, and the first below the second", u.Lo, u.Hi)
	}
	return nil
}

// Run fills Dst on the pool's workers.
func (u *Uniform) Run(p *Pool) {
	u.words = u.Key.sequence()
	p.For(len(u.Dst), elementGrain, (*uniformTask)(u))
}

type uniformTask Uniform

// Do fills elements lo to hi.
func (u *uniformTask) Do(_, lo, hi int) {
	below := math.Nextafter32(float32(u.Hi), float32(u.Lo))
	for i := lo; i < hi; {
		e := u.Offset + uint64(i)
		w := u.words.block(e / 4)
		for j := e % 4; j < 4 && i < hi; j++ {
			// Rounding to float32 may reach the upper bound.
			u.Dst[i] = min(float32(u.Lo+(u.Hi-u.Lo)*fraction(w[j])), below)
			i++
		}
	}
}

// Normal fills Dst with numbers that are normal with the given mean and standard deviation; element i is a function of
// Key and Offset+i alone. The elements 2j and 2j+1 of a sequence come from two random words each by Box and Muller.
type Normal struct {
	Dst       []float32
	Mean, Std float64
	Key       Key
	Offset    uint64

	words sequence
}

// Check says what is wrong with the standard deviation. Run does not check.
func (n *Normal) Check() error {
	if !(n.Std >= 0) || math.IsInf(n.Std, 0) || math.IsInf(n.Mean, 0) || math.IsNaN(n.Mean) {
		return fmt.Errorf("normal numbers: mean %v, standard deviation %v; they must be finite, the second not negative", n.Mean, n.Std)
	}
	return nil
}

// Run fills Dst on the pool's workers.
func (n *Normal) Run(p *Pool) {
	n.words = n.Key.sequence()
	p.For(len(n.Dst), elementGrain, (*normalTask)(n))
}

type normalTask Normal

// Do fills elements lo to hi.
func (n *normalTask) Do(_, lo, hi int) {
	for i := lo; i < hi; {
		e := n.Offset + uint64(i)
		w := n.words.block(e / 4)
		var z [4]float64
		z[0], z[1] = boxMuller(w[0], w[1])
		z[2], z[3] = boxMuller(w[2], w[3])
		for j := e % 4; j < 4 && i < hi; j++ {
			n.Dst[i] = float32(n.Mean + n.Std*z[j])
			i++
		}
	}
}

// boxMuller turns two random words into two independent normal numbers.
func boxMuller(a, b uint32) (float64, float64) {
	r := math.Sqrt(-2 * math.Log(fraction(a)))
	sin, cos := math.Sincos(2 * math.Pi * fraction(b))
	return r * cos, r * sin
}

// fraction maps a random word to the middle of one of 2³² parts of (0, 1).
func fraction(w uint32) float64 { return (float64(w) + 0.5) / (1 << 32) }
