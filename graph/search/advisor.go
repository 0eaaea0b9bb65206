package search

import (
	"fmt"
	"math"
	"math/bits"
)

// Options of an [Advisor].
type Options struct {
	// Initial is the number of designs that are spread evenly before the forest is asked; 0 is 2·(parameters + 1).
	Initial int
	// Reference bounds the objectives from above: designs worse than it in one of them are of no interest. Nil is, for
	// each objective, the worst value so far and a tenth of the range more.
	Reference []float64
	// LocalSearch looks for the best design near those that were good and among random ones, instead of in the whole
	// space. Spaces of more than 2^20 raw points are always searched so.
	LocalSearch bool
}

// Advisor is PaSca's suggestion server: it fits a [Forest] to each objective of the trials so far and asks for the design
// with the largest expected improvement of the hypervolume ([Improvement]); of equal ones any. Every tenth design or so
// is a random one, so that no part of the space is ruled out for good.
//
// Objectives are scaled to the range of the successful trials first. A failed trial counts with the worst value of each;
// a running one counts with the medians until it is told, so that workers are not all sent to the same place.
type Advisor struct {
	History
	options Options
}

const (
	randomShare = 0.1     // of the designs after the initial ones
	exhaustive  = 1 << 20 // raw points up to which the whole space is searched
)

// NewAdvisor returns the advisor for the problem.
func NewAdvisor(p Problem, o Options) (*Advisor, error) {
	h, err := newHistory(p)
	if err != nil {
		return nil, err
	}
	if o.Initial < 0 {
		return nil, fmt.Errorf("advisor: %d initial designs", o.Initial)
	}
	if o.Initial == 0 {
		o.Initial = 2 * (len(p.Space.sizes) + 1)
	}
	if o.Reference != nil && len(o.Reference) != p.Objectives {
		return nil, fmt.Errorf("advisor: the reference has %d numbers; there are %d objectives", len(o.Reference), p.Objectives)
	}
	for _, r := range o.Reference {
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return nil, fmt.Errorf("advisor: %v in the reference is not finite", r)
		}
	}
	return &Advisor{h, o}, nil
}

// Ask returns the next design; see [Strategy].
func (a *Advisor) Ask() (Design, bool) {
	d, ok := a.suggest()
	if ok {
		a.start(d)
	}
	return d, ok
}

func (a *Advisor) suggest() (Design, bool) {
	random := newDraw(a.problem.Seed, advisorStream, a.step())
	if a.step() < uint64(a.options.Initial) {
		return a.spread(random)
	}
	succeeded := a.succeeded()
	if len(succeeded) == 0 || random.chance(randomShare) {
		return a.fresh(random)
	}
	c := choice{History: &a.History, random: random, best: -1}
	b := newBelief(a, succeeded)
	if a.options.LocalSearch || a.problem.Space.Size() > exhaustive {
		b.searchLocally(&c)
	} else {
		b.searchAll(&c)
	}
	if c.ties == 0 {
		return a.fresh(random)
	}
	return c.design, true
}

// spread returns the next unknown design of the initial ones: points of the Sobol sequence, of which the first
// 2^(1 … 3 + ⌊log2 of their number⌋) are skipped, all moved by the same random digits. Moving keeps the points as evenly
// spread as they are and makes seeds differ by more than how many are skipped.
func (a *Advisor) spread(random *draw) (Design, bool) {
	s := a.problem.Space
	d := len(s.sizes)
	start := newDraw(a.problem.Seed, sobolStream, 0)
	skip := uint32(1) << (start.below(3) + bits.Len(uint(a.options.Initial)))
	shift, x, v := make([]uint32, d), make([]uint32, d), make([]int, d)
	for j := range shift {
		shift[j] = start.Word()
	}
	points := newSobol(d)
	for i := range uint32(a.options.Initial + patience) {
		points.at(skip+i, x)
		for j, n := range s.sizes {
			hi, _ := bits.Mul64(uint64(x[j]^shift[j])<<32, uint64(n))
			v[j] = int(hi)
		}
		if design := s.design(v); !a.known[design.rank] {
			return design, true
		}
	}
	return a.fresh(random)
}

// choice keeps the best unknown design so far; of equally good ones each has the same chance.
type choice struct {
	*History
	random *draw
	design Design
	best   float64
	ties   int
}

func (c *choice) offer(d Design, value float64) {
	if value < c.best || c.known[d.rank] {
		return
	}
	if value > c.best {
		c.best, c.ties = value, 0
	}
	c.ties++
	if c.random.below(c.ties) == 0 {
		c.design = d
	}
}
