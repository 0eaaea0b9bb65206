package kernel

import (
	"math"
	"testing"
)

// With n = 3·2³⁰, or 3·2⁶², words without rejection would fall on every third number twice as often as on the others.
func TestDrawsHaveNoBias(t *testing.T) {
	for _, n := range []uint64{3 << 30, 3 << 62} {
		d := Key{Seed: 1}.Draw()
		const draws = 30_000
		var rest [3]float64
		for range draws {
			rest[d.Below(n)%3]++
		}
		for _, count := range rest {
			if off := math.Abs(count - draws/3); off > 5*math.Sqrt(draws*2/9.) {
				t.Errorf("n = %d: %v numbers with one remainder, expected about %d", n, count, draws/3)
			}
		}
		for range 100 {
			if d.Below(1) != 0 {
				t.Fatal("a number below 1 is not 0")
			}
		}
	}
}
