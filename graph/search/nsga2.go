package search

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// NSGA2 is the genetic algorithm of Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II (2002), on
// discrete parameters: parents by binary tournament, every parameter from one of the two, each then replaced by a random
// value with probability 1/parameters. A generation is as many successful trials as the population has members, in the
// order in which they are told.
type NSGA2 struct {
	History
	size      int
	parents   []individual // after the first generation
	offspring []Trial
}

// individual is a member of the population: the lower rank wins, then the less crowded.
type individual struct {
	Trial
	rank     int
	crowding float64
}

// NewNSGA2 returns the algorithm with a population of the given size, at least 2.
func NewNSGA2(p Problem, population int) (*NSGA2, error) {
	h, err := newHistory(p)
	if err == nil && population < 2 {
		err = fmt.Errorf("nsga-ii: a population of %d; it must be at least 2", population)
	}
	return &NSGA2{History: h, size: population}, err
}

// Ask returns a child of the population, a random design until there is one; see [Strategy].
func (g *NSGA2) Ask() (Design, bool) {
	random := newDraw(g.problem.Seed, geneticStream, g.step())
	for range patience {
		if g.parents == nil {
			break
		}
		if d := g.child(random); !g.known[d.rank] {
			g.start(d)
			return d, true
		}
	}
	d, ok := g.fresh(random)
	if ok {
		g.start(d)
	}
	return d, ok
}

// Tell adds a trial; a full generation is selected from at once. Failed trials have no offspring.
func (g *NSGA2) Tell(d Design, objectives []float64) error {
	if err := g.History.Tell(d, objectives); err != nil {
		return err
	}
	if objectives == nil {
		return nil
	}
	g.offspring = append(g.offspring, g.trials[len(g.trials)-1])
	if len(g.offspring) == g.size {
		for _, p := range g.parents {
			g.offspring = append(g.offspring, p.Trial)
		}
		g.parents = selection(g.offspring, g.size)
		g.offspring = nil
	}
	return nil
}

// child returns a design made from two parents.
func (g *NSGA2) child(random *draw) Design {
	s := g.problem.Space
	a, b := make([]int, len(s.sizes)), make([]int, len(s.sizes))
	g.tournament(random).positions(a)
	g.tournament(random).positions(b)
	for i, n := range s.sizes {
		if random.chance(0.5) {
			a[i] = b[i]
		}
		if random.chance(1 / float64(len(a))) {
			a[i] = random.below(n)
		}
	}
	return s.design(a)
}

// tournament returns the better of two random parents.
func (g *NSGA2) tournament(random *draw) Design {
	a, b := &g.parents[random.below(len(g.parents))], &g.parents[random.below(len(g.parents))]
	if b.before(a) < 0 {
		a = b
	}
	return a.Design
}

// before compares by the crowded-comparison operator.
func (a *individual) before(b *individual) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.crowding, a.crowding))
}

// selection returns the best n of the trials: whole fronts while they fit, of the next one the least crowded.
func selection(trials []Trial, n int) []individual {
	var chosen []individual
	for rank := 0; len(chosen) < n && len(trials) > 0; rank++ {
		on := Front(objectives(trials))
		front := make([]individual, len(on))
		for i, j := range on {
			front[i] = individual{trials[j], rank, 0}
		}
		crowd(front)
		slices.SortStableFunc(front, func(a, b individual) int { return a.before(&b) })
		chosen = append(chosen, front[:min(len(front), n-len(chosen))]...)

		var rest []Trial
		for j, t := range trials {
			if !slices.Contains(on, j) {
				rest = append(rest, t)
			}
		}
		trials = rest
	}
	return chosen
}

// crowd sets the crowding distances of a front: the sum over objectives of the distance between the two neighbours,
// relative to the range; infinite at the ends.
func crowd(front []individual) {
	byObjective := make([]*individual, len(front))
	for i := range front {
		byObjective[i] = &front[i]
	}
	last := len(front) - 1
	for j := range front[0].Objectives {
		slices.SortStableFunc(byObjective, func(a, b *individual) int { return cmp.Compare(a.Objectives[j], b.Objectives[j]) })
		width := byObjective[last].Objectives[j] - byObjective[0].Objectives[j]
		byObjective[0].crowding, byObjective[last].crowding = math.Inf(1), math.Inf(1)
		if width == 0 {
			continue
		}
		for i := 1; i < last; i++ {
			byObjective[i].crowding += (byObjective[i+1].Objectives[j] - byObjective[i-1].Objectives[j]) / width
		}
	}
}
