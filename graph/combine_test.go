package graph

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// aggregates are ways to aggregate hops 0 … 4.
var aggregates = []struct {
	name     string
	teleport float64
	first    int
	weights  []float64
}{
	{"personalised PageRank", 0.15, 0, nil},
	{"its last step", 0.15, 4, nil},
	{"S2GC", 0, 4, S2GCWeights(0.1, 4)},
	{"GBP", 0, 4, PPRWeights(0.3, 4)},
	{"the mean of personalised PageRank", 0.2, 4, MeanWeights(4)},
	{"two hops of five", 0, 4, []float64{0, -0.5, 0, 2, 0}},
	{"the first two hops", 0.7, 4, []float64{0.5, 0.5, 0, 0, 0}},
}

// The same aggregates, bit for bit, as in TestNoWayChangesABit; and what goes to disk is what is planned.
func TestNoWayChangesABitOfAnAggregate(t *testing.T) {
	const nodes, cols, hops = 2*shardRows + 77, 70, 4
	spill := openSpill(t)
	graphs := formsOfFeatures(t, nodes, cols)
	norm := Norm{R: 0.3}
	adjacency := map[string]*Adjacency{}
	for form, g := range graphs {
		adjacency[form] = normalize(t, g, norm)
	}
	pools := []*kernel.Pool{nil, kernel.NewPool(2), kernel.NewPool(3)}
	random := rand.New(rand.NewPCG(5, 5))
	for _, of := range aggregates {
		describe := func(form string, scaling Scaling) *Propagation {
			return &Propagation{
				Graph: graphs[form], Adjacency: adjacency[form], Scaling: scaling, Teleport: of.teleport, Combine: of.weights,
				First: of.first, K: hops,
			}
		}
		known := map[string]*Hops{}
		want := func(form string, scaling Scaling) *Hops {
			key := form + string(scaling)
			if known[key] == nil {
				known[key] = propagate(t, describe(form, scaling), Way{Width: cols}, nil, nil)
			}
			return known[key]
		}
		for _, pair := range [][2]string{{"sparse", "dense"}, {"dense", "sparse"}, {"read", "sparse"}, {"thin", "thin dense"}} {
			for _, kept := range choicesOfRows(nodes) {
				for _, spills := range []bool{false, true} {
					if testing.Short() && random.IntN(4) > 0 {
						continue
					}
					p := describe(pair[0], Scalings[random.IntN(len(Scalings))])
					p.Rows = kept.ids
					w := Way{Width: 1 + random.IntN(cols), Spill: spills}
					name := fmt.Sprintf("%s, %s, %s features, %s rows, %+v", of.name, p.Scaling, pair[0], kept.name, w)
					before := spill.Traffic().Written.Load()
					got, err := p.Run(context.Background(), w, pools[random.IntN(len(pools))], spill)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					s := p.Stage(w)
					if wrote := spill.Traffic().Written.Load() - before; wrote != s.DiskWrite {
						t.Errorf("%s: %d bytes went to disk, planned are %d", name, wrote, s.DiskWrite)
					}
					compareHops(t, name, got, want(pair[1], p.Scaling), kept.ids)
					if err := got.Close(); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	for _, p := range pools {
		p.Close()
	}
}

// The sum of the hops as they are kept without Combine: to the bit where it is rounded as stated, and near the sum in
// float64.
func TestTheSumIsThatOfTheHops(t *testing.T) {
	const nodes, cols, hops = 400, 24, 4
	g := newGraph(t, randomGraph(nodes, cols, true, 3), All)
	a := normalize(t, g, Symmetric)
	for _, of := range aggregates {
		if of.weights == nil {
			continue
		}
		apart := propagate(t, &Propagation{Graph: g, Adjacency: a, Scaling: ScaleL2, Teleport: of.teleport, K: hops}, Way{Width: cols}, nil, nil)
		p := &Propagation{Graph: g, Adjacency: a, Scaling: ScaleL2, Teleport: of.teleport, Combine: of.weights, First: hops, K: hops}
		got := readHop(t, propagate(t, p, Way{Width: 16}, nil, nil), hops)
		rounded, exact, absolute := make([]float32, len(got)), make([]float64, len(got)), make([]float64, len(got))
		for k, w := range of.weights {
			for i, v := range readHop(t, apart, k) {
				rounded[i] += float32(float32(w) * v)
				exact[i] += w * float64(v)
				absolute[i] += math.Abs(w * float64(v))
			}
		}
		if !slices.Equal(got, rounded) {
			t.Errorf("%s: not the sum of the hops in ascending order", of.name)
		}
		// A weight, its product, and up to five sums are rounded.
		for i, v := range got {
			if off := math.Abs(float64(v) - exact[i]); off > 7*0x1p-24*absolute[i] {
				t.Fatalf("%s: element %d is off by %.2g of %.2g", of.name, i, off, absolute[i])
			}
		}
	}
}

// Weights that name one hop alone leave it as it is: SGC. Hop 0 alone is X, whatever form and place it has.
func TestASumOfOneHopIsThatHop(t *testing.T) {
	spill := openSpill(t)
	for form, g := range formsOfFeatures(t, shardRows+30, 20) {
		a := normalize(t, g, Symmetric)
		for _, rows := range [][]int32{nil, {9, shardRows + 3, 2}} {
			for _, scaling := range Scalings {
				for _, spills := range []bool{false, true} {
					for k := range 3 {
						weights := make([]float64, k+1)
						weights[k] = 1
						if scaling == ScaleRMS {
							weights[k] = 2 // it is scaled away, to the bit
						}
						w := Way{Width: 16, Spill: spills}
						alone := propagate(t, &Propagation{Graph: g, Adjacency: a, Scaling: scaling, Rows: rows, First: k, K: k}, w, nil, spill)
						sum := propagate(t, &Propagation{Graph: g, Adjacency: a, Scaling: scaling, Rows: rows, First: k, K: k, Combine: weights}, w, nil, spill)
						got, want := readHop(t, sum, k), readHop(t, alone, k)
						for i, v := range got {
							// The scale of very sparse features sums their squares in another order.
							if v != want[i] && (scaling != ScaleRMS || k > 0 || math.Abs(float64(v/want[i])-1) > 0x1p-23) {
								t.Fatalf("%s features, %s, rows %v, %+v: element %d of hop %d is %v, want %v", form, scaling, rows, w, i, k, v, want[i])
							}
						}
					}
				}
			}
		}
	}
}

// Teleporting is a sum of powers of Â whose last weight is (1−α)^K.
func TestTeleportingIsASumOfHops(t *testing.T) {
	const alpha, hops = 0.2, 6
	g := newGraph(t, randomGraph(500, 10, true, 3), All)
	a := normalize(t, g, Symmetric)
	weights := PPRWeights(alpha, hops)
	weights[hops] = math.Pow(1-alpha, hops)
	sum := readHop(t, propagate(t, &Propagation{Graph: g, Adjacency: a, Combine: weights, First: hops, K: hops}, Way{Width: 16}, nil, nil), hops)
	steps := readHop(t, propagate(t, &Propagation{Graph: g, Adjacency: a, Teleport: alpha, First: hops, K: hops}, Way{Width: 16}, nil, nil), hops)
	largest := 0.0
	for _, v := range sum {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, v := range sum {
		if off := math.Abs(float64(v - steps[i])); off > 1e-6*largest {
			t.Fatalf("element %d: %v by weights, %v by steps", i, v, steps[i])
		}
	}
}

// The scale is that of what is kept.
func TestASumIsScaledAsAWhole(t *testing.T) {
	g := newGraph(t, randomGraph(500, 20, true, 3), All)
	a := normalize(t, g, Symmetric)
	p := &Propagation{Graph: g, Adjacency: a, Scaling: ScaleRMS, Combine: S2GCWeights(0.1, 3), First: 3, K: 3}
	got := readHop(t, propagate(t, p, Way{Width: 16}, nil, nil), 3)
	if norm := frobenius(got) / math.Sqrt(float64(g.Nodes)); math.Abs(norm-1) > 1e-6 {
		t.Errorf("the rows have the root mean square norm %v", norm)
	}
	p = &Propagation{Graph: g, Adjacency: a, Scaling: ScaleL1, Combine: S2GCWeights(0.1, 3), First: 3, K: 3}
	unscaled := readHop(t, propagate(t, p, Way{Width: 16}, nil, nil), 3)
	factor := float32(math.Sqrt(float64(g.Nodes)) / frobenius(unscaled))
	for i, v := range got {
		if want := float64(unscaled[i] * factor); math.Abs(float64(v)-want) > 2*0x1p-23*math.Abs(want) {
			t.Fatalf("element %d is %v, want %v", i, v, want)
		}
	}
}

// One matrix is kept whatever the number of hops is, and a strip more is used for each of: hop 0 that is teleported to, a sum
// that is not made where it stays.
func TestASumTakesOneMatrix(t *testing.T) {
	const nodes, cols = 5000, 300
	g := newGraph(t, randomGraph(nodes, cols, true, 3), All)
	a := normalize(t, g, Symmetric)
	const matrix, width = 4*nodes*cols + memory.Align, 64
	for _, c := range []struct {
		teleport float64
		spill    bool
		strips   int64
	}{{0, false, 2}, {0.1, false, 3}, {0, true, 3}, {0.1, true, 4}} {
		p := &Propagation{Graph: g, Adjacency: a, Teleport: c.teleport, Combine: MeanWeights(12), First: 12, K: 12}
		w := Way{Width: width, Spill: c.spill}
		s := p.Stage(w)
		items := map[string]plan.Item{}
		for _, it := range s.Items {
			items[it.Name] = it
		}
		if got, want := items["blocks of hops"].Bytes, c.strips*stripBytes(nodes, width); got != want {
			t.Errorf("%+v: blocks take %d bytes, want %d", c, got, want)
		}
		if c.spill && s.DiskWrite != tileBytes(nodes, cols) || !c.spill && items["hops"].Bytes != matrix {
			t.Errorf("%+v: %d bytes in memory, %d on disk", c, items["hops"].Bytes, s.DiskWrite)
		}
		plain := (&Propagation{Graph: g, Adjacency: a, First: 12, K: 12}).Stage(w)
		elements := float64(nodes * cols)
		want := 13 * 2 * elements
		if c.teleport > 0 {
			want += 12 * 3 * elements
		}
		if got := s.Flops - plain.Flops; got != want {
			t.Errorf("%+v: %v operations more than for the last hop alone, want %v", c, got, want)
		}
	}
}
