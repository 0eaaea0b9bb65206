package sgap

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph/search"
)

// The stages of a search that try designs: all on the first seed, the best on all.
const (
	stageSearch = "search"
	stageFinal  = "finalists"
)

// sampled is how many designs the predicted time of a search is the mean of.
const sampled = 16

// plan chooses how to search within the budget: messages in memory, or on disk.
func (s *designSearch) plan() error {
	deepest := keyOf(&Design{Hops: 1, Norm: pascaNorms()[0]}).deepest(s.base.design.Scaling)
	p, err := s.choose(&deepest, func(w way) (*plan.Job, error) { return s.describe(w, deepest) })
	if err != nil {
		return err
	}
	if err := s.forget(); err != nil {
		return err
	}
	return s.job.SetPlan(p)
}

// describe is the plan of one way.
func (s *designSearch) describe(w way, deepest Design) (*plan.Job, error) {
	d := s.data
	st := plan.Stage{Name: stageSearch, Items: []plan.Item{{Name: "graph", Bytes: d.graphBytes, Where: plan.Resident}}}
	for _, norm := range pascaNorms() {
		st.Items = append(st.Items, plan.Item{Name: "adjacency matrix", Bytes: norm.Bytes(d.Graph), Where: plan.Resident})
	}
	s.planMessages(&st, w, deepest)
	if err := s.planWorkers(&st, w); err != nil {
		return nil, err
	}
	p := &plan.Job{Baseline: s.baseline, Stages: []plan.Stage{importStage(d.importBytes, d.graphBytes), st}}
	if s.job.Seeds > 1 {
		times := float64(s.job.Seeds*s.job.Int("finalists")) / float64(s.job.Int("evaluations"))
		final := plan.Stage{Name: stageFinal, Items: st.Items}
		st.Items = nil
		addStage(&final, st, times)
		p.Stages = append(p.Stages, final)
	}
	return p, nil
}

// planMessages adds the messages of all aggregators, and what making those of one takes.
func (s *designSearch) planMessages(st *plan.Stage, w way, deepest Design) {
	p := s.propagation(deepest, nil)
	one := p.Stage(w.propagate)
	aggregators := len(search.GraphAggregators)
	for range aggregators - 1 {
		st.Items = append(st.Items, p.Items(w.propagate)...)
	}
	st.Items = append(st.Items, one.Items...)
	one.Items = nil
	addStage(st, one, float64(aggregators))
}

// planWorkers adds what workers hold while each trains the design that takes the most, and the work on an average design.
func (s *designSearch) planWorkers(st *plan.Stage, w way) error {
	count, threads := workers(s.job)
	var largest plan.Stage
	for _, ma := range search.MessageAggregators {
		for _, layers := range []int{1, 10} {
			d, err := search.PaSca().Parse(fmt.Sprintf("k_pre=10,ga_pre=aug-na,ma=%s,k_trans=%d,k_post=10,ga_post=ppr-0.1", ma, layers))
			if err != nil {
				return err
			}
			items, err := s.planDesign(w, d, threads)
			if err != nil {
				return err
			}
			if items.Peak() > largest.Peak() {
				largest = items
			}
		}
	}
	for _, item := range largest.Items {
		item.Bytes *= int64(count)
		item.Note = strings.TrimPrefix(fmt.Sprintf("%s, of %d workers", item.Note, count), ", ")
		st.Items = append(st.Items, item)
	}
	draws, err := search.NewRandom(search.Problem{Space: search.PaSca(), Objectives: 1})
	if err != nil {
		return err
	}
	for range sampled {
		d, _ := draws.Ask()
		one, err := s.planDesign(w, d, threads)
		if err != nil {
			return err
		}
		one.Items = nil
		addStage(st, one, float64(s.job.Int("evaluations"))/sampled)
	}
	return nil
}

// planDesign is what training and scoring one design takes on one seed.
func (s *designSearch) planDesign(w way, d search.Design, threads int) (plan.Stage, error) {
	var st plan.Stage
	c := designChoice(s.base, d)
	w.shelve = false // several designs train at the same time
	sizes := s.data.sizesOf(c, s.data.splits, w, threads)
	if err := sizes.check(&c.design); err != nil {
		return st, err
	}
	ends, err := sizes.compileEnds(c)
	if err != nil {
		return st, err
	}
	c.design.Post.plan(s.data, &st, 1, threads, s.data.inMemory(), sizes.Eval)
	for i := range st.Items {
		if st.Items[i].Name == adjacencyOfPredictions { // shared by all designs
			st.Items[i].Bytes = 0
		}
	}
	st.Items = append(st.Items, s.data.workItems(&c.design, ends, sizes, true)...)
	addTraining(&st, float64(c.training.Epochs), &sizes, ends[0])
	addCost(&st, float64(s.data.Nodes)/float64(sizes.Eval), ends[0].Eval.Cost)
	return st, nil
}
