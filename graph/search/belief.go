package search

import (
	"cmp"
	"math"
	"slices"
)

// belief is what an advisor expects of designs it has not seen. Objectives are scaled: 0 is the best of the successful
// trials, 1 the worst.
type belief struct {
	space       *Space
	trials      []Trial
	forests     []*Forest
	reference   []float64
	improvement Improvement

	positions           []int
	mu, sigma, variance []float64 // of the last design: mean, standard deviation, variance
	last                float64   // its value
}

// newBelief fits the forests to the trials, of which some succeeded.
func newBelief(a *Advisor, succeeded []Trial) *belief {
	m, s := a.problem.Objectives, a.problem.Space
	b := &belief{
		space: s, trials: a.trials, forests: make([]*Forest, m), reference: make([]float64, m),
		positions: make([]int, len(s.sizes)), mu: make([]float64, m), sigma: make([]float64, m), variance: make([]float64, m),
	}
	points := make([][]float64, len(succeeded))
	for i := range points {
		points[i] = make([]float64, m)
	}
	designs := make([]Design, 0, a.step())
	for _, t := range a.trials {
		designs = append(designs, t.Design)
	}
	designs = append(designs, a.running...)
	for j := range m {
		scale := newScale(succeeded, j)
		for i, t := range succeeded {
			points[i][j] = scale.of(t.Objectives[j])
		}
		b.reference[j] = 1.1
		if a.options.Reference != nil {
			b.reference[j] = scale.of(a.options.Reference[j])
		}
		b.forests[j] = NewForest(s, designs, a.values(scale, j), a.problem.Seed, a.step()*uint64(m)+uint64(j))
		b.variance[j] = -1 // no design yet
	}
	b.improvement = NewImprovement(points, b.reference)
	return b
}

// values returns what objective j counts with, of the trials and then of the running designs.
func (a *Advisor) values(s scale, j int) []float64 {
	values := make([]float64, 0, a.step())
	for _, t := range a.trials {
		if t.Objectives == nil {
			values = append(values, 1)
		} else {
			values = append(values, s.of(t.Objectives[j]))
		}
	}
	middle := median(values)
	for range a.running {
		values = append(values, middle)
	}
	return values
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return x[(n-1)/2]/2 + x[n/2]/2
}

// scale maps an objective's range to [0, 1].
type scale struct{ low, width float64 }

func newScale(trials []Trial, j int) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, t := range trials {
		low, high = min(low, t.Objectives[j]), max(high, t.Objectives[j])
	}
	if low == high {
		return scale{low, 1}
	}
	return scale{low, high - low}
}

func (s scale) of(x float64) float64 { return (x - s.low) / s.width }

// value returns the expected improvement by the design with the positions v, or −1 if it is below the bound of interest.
// It does not allocate.
func (b *belief) value(v []int, interest float64) float64 {
	same := true
	for j, f := range b.forests {
		mean, variance := f.predict(v)
		if mean != b.mu[j] || variance != b.variance[j] {
			same = false
			b.mu[j], b.variance[j], b.sigma[j] = mean, variance, math.Sqrt(variance)
		}
	}
	if same {
		return b.last // neighbours often fall into the same leaves of every tree
	}
	b.last = -1
	if excessProduct(b.reference, b.mu, b.sigma) >= interest {
		b.last = b.improvement.Expected(b.mu, b.sigma)
	}
	return b.last
}

// searchAll offers every design of the space.
func (b *belief) searchAll(c *choice) {
	v := b.positions
	clear(v)
	for {
		c.offer(Design{b.space, b.space.rank(v)}, b.value(v, c.best))
		if !b.space.next(v) {
			return
		}
	}
}

// Sizes of the local search.
const (
	localStarts = 10
	localRandom = 5000 - localStarts
)

// searchLocally offers random designs and the neighbours on the way uphill from the trials with the largest expected
// improvement: the first neighbour that is better is moved to, until none is.
func (b *belief) searchLocally(c *choice) {
	for range localRandom {
		d := b.space.At(c.random.below(b.space.Size()))
		c.offer(d, b.of(d))
	}
	type start struct {
		Design
		value float64
	}
	starts := make([]start, len(b.trials))
	for i, t := range b.trials {
		starts[i] = start{t.Design, b.of(t.Design)}
	}
	slices.SortStableFunc(starts, func(x, y start) int { return cmp.Compare(y.value, x.value) })
	for _, s := range starts[:min(localStarts, len(starts))] {
		b.climb(s.Design, s.value, c)
	}
}

// climb offers what it sees on the way uphill.
func (b *belief) climb(at Design, value float64, c *choice) {
	for moved := true; moved; {
		moved = false
		near := at.Neighbours()
		for i := range near {
			j := i + c.random.below(len(near)-i)
			near[i], near[j] = near[j], near[i]
			x := b.of(near[i])
			c.offer(near[i], x)
			if x > value {
				at, value, moved = near[i], x, true
				break
			}
		}
	}
}

// of returns the expected improvement by the design.
func (b *belief) of(d Design) float64 {
	d.positions(b.positions)
	return b.value(b.positions, math.Inf(-1))
}
