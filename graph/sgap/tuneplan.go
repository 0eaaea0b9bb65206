package sgap

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph"
)

// kinds are the entrants that plans tell apart, with how many of each there are: neither rates nor r change what a training
// holds.
func kinds(entrants []entrant) (list []choice, count []int) {
	at := map[string]int{}
	for _, e := range entrants {
		c := e.choice
		c.design.Norm.R, c.training.LR, c.training.WeightDecay = 0, 0, 0
		c.design.Weighting.Alpha, c.design.Weighting.T, c.design.Local.Epsilon = 0, 0, 0
		for _, rate := range []*float64{&c.design.Head.Dropout, &c.design.Head.InputDropout, &c.design.Attention.Dropout, &c.design.Network.Dropout, &c.design.Network.AttentionDropout} {
			*rate = math.Ceil(*rate) // 0, or dropout of some kind
		}
		key := fmt.Sprintf("%+v", c)
		k, known := at[key]
		if !known {
			k = len(list)
			at[key] = k
			list, count = append(list, e.choice), append(count, 0)
		}
		count[k]++
	}
	return list, count
}

// variant is what the hops depend on: candidates of one variant share them.
type variant struct {
	norm      graph.Norm
	teleport  float64
	scaling   graph.Scaling
	weighting Weighting
	local     Local
	hops      int // where they are added up; else a candidate takes as many as it needs
}

// variantOf is the variant of a design.
func variantOf(d *Design) variant {
	v := variant{norm: d.Norm, teleport: d.Teleport, scaling: d.Scaling, local: d.Local}
	if d.Messages.sums() {
		v.weighting, v.hops = d.Weighting, d.Hops
	}
	return v
}

// variants groups entrants by their hops.
func variants(entrants []entrant) (list []variant, of map[variant][]entrant) {
	of = map[variant][]entrant{}
	for _, e := range entrants {
		v := variantOf(&e.design)
		if of[v] == nil {
			list = append(list, v)
		}
		of[v] = append(of[v], e)
	}
	return list, of
}

// hops describes the hops that the members of a variant need together, for the nodes that train and validate.
func (t *tuning) hops(v variant, members []entrant, seeds int) (design Design, nodes []int32) {
	design = Design{Norm: v.norm, Teleport: v.teleport, Scaling: v.scaling, Local: v.local, Subsets: len(t.work.data.subsets), Messages: members[0].design.Messages, Weighting: v.weighting}
	for _, e := range members {
		design.Hops = max(design.Hops, e.design.Hops)
	}
	if design.passes() || len(members[0].candidate.Smoothed) > 0 {
		return design, nil
	}
	return design, t.work.data.wanted(t.work.data.splits[:seeds], false)
}

// propagation is graph.Propagation for hops; Last needs them from the first that any member reads.
func (t *tuning) propagation(design Design, members []entrant, nodes []int32) *graph.Propagation {
	p := t.work.propagation(design, nodes)
	p.First = firstHop(design, members)
	return p
}

// firstHop is the first hop that any of the members reads.
func firstHop(design Design, members []entrant) int {
	first := design.Hops
	for _, e := range members {
		first = min(first, e.design.FirstHop())
	}
	return first
}

// stage is the plan of the search, but for graph and adjacency matrix: the largest hops beside the largest training.
func (t *tuning) stage(pl *planner, w way) (plan.Stage, error) {
	s := plan.Stage{Name: stageTune}
	var hops, shop plan.Stage
	for _, r := range t.rounds {
		entrants := t.entrants(t.all(), r)
		each := float64(r.trainings()) / float64(len(entrants)) // trainings of an entrant, on average
		list, of := variants(entrants)
		for _, v := range list {
			design, nodes := t.hops(v, of[v], r.hi)
			h := pl.hopStage(&design, t.propagation(design, of[v], nodes), w)
			h.Items = append(h.Items, positionItems(nodes, pl.data.Nodes)...)
			addStage(&h, pl.learnStage(&design, firstHop(design, of[v]), w), each*float64(len(of[v])))
			if h.Peak() > hops.Peak() {
				hops.Items = h.Items
			}
			h.Items = nil
			addStage(&s, h, 1)
		}
		choices, count := kinds(entrants)
		for k, c := range choices {
			one, err := t.training(pl, w, c.firstStage(), each*float64(count[k]))
			if err != nil {
				return s, err
			}
			if one.Peak() > shop.Peak() {
				shop.Items = one.Items
			}
			one.Items = nil
			addStage(&s, one, 1)
		}
	}
	s.Items = append(hops.Items, shop.Items...)
	return s, nil
}

// training is the plan of so many trainings of a choice.
func (t *tuning) training(pl *planner, w way, c choice, trainings float64) (plan.Stage, error) {
	sizes := t.sizes(c, w)
	if err := sizes.check(&c.design); err != nil {
		return plan.Stage{}, err
	}
	ends, err := sizes.compileEnds(c)
	if err != nil {
		return plan.Stage{}, err
	}
	smoothing := smoothedStage(t.candidates[0].Smoothed, pl.data, pl.job.Threads)
	s := plan.Stage{Items: pl.data.workItems(&c.design, ends, sizes, len(smoothing.Items) > 0)}
	addStage(&s, smoothing, trainings)
	addTraining(&s, trainings*float64(c.training.Epochs), &sizes, ends[0])
	addStage(&s, pl.labelStage(&c.design, w, sizes.train, pl.data.wanted(pl.data.splits[:t.seeds], false)), trainings)
	return s, nil
}

// sizes are those of every training of a candidate.
func (t *tuning) sizes(c choice, w way) sizes {
	d := t.work.data
	return d.sizesOf(c, d.splits[:t.seeds], w, t.work.job.Threads)
}
