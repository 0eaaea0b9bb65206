package graph

import "testing"

// With n = 3·2³⁰ a word without rejection would fall on every third number twice as often as on the others.
func TestDrawsHaveNoBias(t *testing.T) {
	d := newDraw(1, splitStream, 0)
	const draws = 30_000
	var rest [3]float64
	for range draws {
		rest[d.below(3<<30)%3]++
	}
	for _, n := range rest {
		near(t, "numbers with one remainder", n, draws/3, draws*2/9.)
	}
	for range 100 {
		if d.below(1) != 0 {
			t.Fatal("a number below 1 is not 0")
		}
	}
}
