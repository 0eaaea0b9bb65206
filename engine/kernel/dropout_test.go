package kernel

import (
	"math"
	"testing"
)

// The number kept of n is binomial; five standard deviations are allowed.
func TestDropoutKeepsTheRightShareAndScalesIt(t *testing.T) {
	const n = 1 << 18
	for _, p := range []float64{0, 0.1, 0.5, 0.9} {
		y := make([]float32, n)
		(&Dropout{Dst: y, X: ones(n), P: p, Key: Key{Seed: 7}}).Run(nil)
		kept := 0
		for i, v := range y {
			switch v {
			case float32(1 / (1 - p)):
				kept++
			case 0:
			default:
				t.Fatalf("P %v: element %d is %v", p, i, v)
			}
		}
		if d := math.Abs(float64(kept) - n*(1-p)); d > 5*math.Sqrt(n*p*(1-p)) {
			t.Errorf("P %v: %d of %d are kept", p, kept, n)
		}
	}
}

func TestDropoutOfABlockOfRowsIsThatOfTheWhole(t *testing.T) {
	const rows, cols = 40, 33
	x := normalFloats(randSource(1), rows*cols)
	whole, part := make([]float32, rows*cols), make([]float32, rows*cols)
	for _, level := range testLevels() {
		d := Dropout{Dst: whole, X: x, P: 0.4, Key: Key{1, 2, 3}}
		d.run(nil, level)
		for lo := 0; lo < rows; lo += 7 {
			hi := min(lo+7, rows)
			d := Dropout{Dst: part[lo*cols : hi*cols], X: x[lo*cols : hi*cols], P: 0.4, Key: Key{1, 2, 3}, Offset: uint64(lo * cols)}
			d.run(nil, level)
		}
		if i, bad := differs(part, whole); bad {
			t.Errorf("level %v: element %d is %v in its block, %v in the whole", level, i, part[i], whole[i])
		}
	}
}

// Element i is decided by word i mod 4 of the block i div 4.
func TestDropoutFollowsTheDefinition(t *testing.T) {
	key := Key{Seed: 5, Stream: 6, Step: 7}
	words := key.sequence()
	const n, p, offset = 200, 0.25, 1<<33 + 3
	for _, level := range testLevels() {
		y := make([]float32, n)
		d := Dropout{Dst: y, X: ones(n), P: p, Key: key, Offset: offset}
		d.run(nil, level)
		for i, v := range y {
			e := offset + uint64(i)
			if kept := float64(words.block(e / 4)[e%4]) >= p*(1<<32); kept != (v != 0) {
				t.Fatalf("level %v: element %d is %v, kept should be %v", level, i, v, kept)
			}
		}
	}
}

func TestDroppedIsZeroWhateverItWas(t *testing.T) {
	x := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), -1}
	for _, level := range testLevels() {
		zeros := 0
		for step := range uint64(50) {
			y := make([]float32, len(x))
			d := Dropout{Dst: y, X: x, P: 0.9, Key: Key{Step: step}}
			d.run(nil, level)
			for i, v := range y {
				if v == 0 && !math.Signbit(float64(v)) {
					zeros++
				} else if !sameBits(v, x[i]*float32(1/(1-0.9))) {
					t.Fatalf("level %v: %v became %v", level, x[i], v)
				}
			}
		}
		if zeros < 150 {
			t.Errorf("level %v: %d of 200 were dropped", level, zeros)
		}
	}
}

func TestDropoutIsSplitWithoutChangingABit(t *testing.T) {
	n := 3*elementGrain + 77
	x, dst := awkward(randSource(1), n), make([]float32, n)
	d := &Dropout{Dst: dst, X: x, P: 0.3, Key: Key{1, 2, 3}, Offset: 5}
	checkTasks(t, []taskCase{{"dropout", func(p *Pool, level Level) []float32 { d.run(p, level); return dst }}})
}
