package search

import (
	"fmt"
	"math"
	"slices"
)

// Problem is what every strategy needs to know: the space, how many objectives are minimised, and the seed of all draws.
type Problem struct {
	Space      *Space
	Objectives int
	Seed       uint64
}

// Strategy decides which design to try next.
type Strategy interface {
	// Ask returns a design that was neither told nor asked for before, and counts it as running until it is told; false
	// when there is none left.
	Ask() (Design, bool)
	// Tell says what came of a design: its objectives, or nil if it failed. It need not have been asked for.
	Tell(d Design, objectives []float64) error
	// Resume counts a design as running that was asked for before the search was interrupted.
	Resume(d Design) error
}

// Trial is a design and what came of it; Objectives is nil if it failed.
type Trial struct {
	Design     Design
	Objectives []float64
}

// History is what a strategy remembers: the trials in the order in which they were told, and the designs that are running
// in the order in which they were asked for.
type History struct {
	problem Problem
	trials  []Trial
	running []Design
	known   map[int]bool // ranks of both
}

func newHistory(p Problem) (History, error) {
	if p.Space == nil || p.Objectives < 1 {
		return History{}, fmt.Errorf("search: it needs a space and at least one objective")
	}
	return History{problem: p, known: map[int]bool{}}, nil
}

// largest bounds objectives, so that the range of two of them is finite.
const largest = 1e300

// Tell adds a trial. It refuses a design of another space, one that was told before, and objectives that are no numbers,
// beyond ±1e300, or not as many as the problem has.
func (h *History) Tell(d Design, objectives []float64) error {
	if d.space != h.problem.Space {
		return fmt.Errorf("search: a design of another space was told")
	}
	if objectives != nil && len(objectives) != h.problem.Objectives {
		return fmt.Errorf("search: design %s: %d objectives were told; there are %d", d, len(objectives), h.problem.Objectives)
	}
	for _, x := range objectives {
		if !(math.Abs(x) <= largest) {
			return fmt.Errorf("search: design %s: objective %v is not a number up to %v", d, x, largest)
		}
	}
	at := slices.Index(h.running, d)
	if at < 0 && h.known[d.rank] {
		return fmt.Errorf("search: design %s was told before", d)
	}
	if at >= 0 {
		h.running = slices.Delete(h.running, at, at+1)
	}
	h.known[d.rank] = true
	h.trials = append(h.trials, Trial{d, slices.Clone(objectives)})
	return nil
}

// Trials returns the trials, which must not be changed.
func (h *History) Trials() []Trial { return h.trials }

// Running returns the designs that were asked for and not told yet, which must not be changed.
func (h *History) Running() []Design { return h.running }

// Front returns the trials that no other trial dominates, in the order of [Front].
func (h *History) Front() []Trial {
	done := h.succeeded()
	front := make([]Trial, 0, len(done))
	for _, i := range Front(objectives(done)) {
		front = append(front, done[i])
	}
	return front
}

// Hypervolume returns the hypervolume of the trials below the reference, which has a number for every objective.
func (h *History) Hypervolume(reference []float64) float64 {
	return Hypervolume(objectives(h.succeeded()), reference)
}

func (h *History) succeeded() []Trial {
	return slices.DeleteFunc(slices.Clone(h.trials), func(t Trial) bool { return t.Objectives == nil })
}

func objectives(trials []Trial) [][]float64 {
	points := make([][]float64, len(trials))
	for i, t := range trials {
		points[i] = t.Objectives
	}
	return points
}

// Resume counts a design as running that was asked for before: by the search that this one goes on with. A search is resumed by
// calling Tell and Resume in the order in which designs were told and asked for.
func (h *History) Resume(d Design) error {
	if d.space != h.problem.Space {
		return fmt.Errorf("search: a design of another space was resumed")
	}
	if h.known[d.rank] {
		return fmt.Errorf("search: design %s is known already", d)
	}
	h.start(d)
	return nil
}

// step numbers the decisions: what is drawn for one depends on how many designs are known, not on how they became so.
func (h *History) step() uint64 { return uint64(len(h.trials) + len(h.running)) }

// start counts the design as running.
func (h *History) start(d Design) {
	h.known[d.rank] = true
	h.running = append(h.running, d)
}

// patience is how many random designs in a row may be known before the rest of the space is walked through.
const patience = 100

// fresh returns an unknown design at random: every parameter uniform, then made canonical. When hardly any is left it is
// the one of lowest rank; false when none is.
func (h *History) fresh(random *draw) (Design, bool) {
	s := h.problem.Space
	for range patience {
		if d := s.At(random.below(s.Size())); !h.known[d.rank] {
			return d, true
		}
	}
	for d := range s.Designs() {
		if !h.known[d.rank] {
			return d, true
		}
	}
	return Design{}, false
}
