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
	"github.com/seraph-ml/seraph/format"
)

// randomGraph is a graph of so many nodes with weights, isolated nodes, rows without features, and a node next to many.
// One feature in so many is not zero.
func randomGraph(nodes, cols int, sparse bool, oneIn int) *format.Graph {
	r := rand.New(rand.NewPCG(1, uint64(nodes)))
	g := &format.Graph{Name: "random", Nodes: nodes, Classes: 2}
	for range 4 * nodes {
		u, v := r.IntN(nodes), r.IntN(nodes)
		if r.IntN(3) == 0 {
			v = nodes / 2
		}
		if u%17 == 5 || v%17 == 5 {
			continue
		}
		g.Src, g.Dst = append(g.Src, int32(u)), append(g.Dst, int32(v))
		g.Weights = append(g.Weights, float32(r.IntN(4)+1))
	}
	for u := range nodes {
		g.Labels = append(g.Labels, int32(u%2))
	}
	g.Features.Cols = cols
	s := &format.Sparse{Rows: nodes, Cols: cols, Indptr: make([]int64, 1, nodes+1)}
	dense := make([]float32, nodes*cols)
	for u := range nodes {
		for c := range cols {
			if u%11 != 0 && r.IntN(oneIn) == 0 {
				v := float32(r.NormFloat64())
				s.Indices, s.Values = append(s.Indices, int32(c)), append(s.Values, v)
				dense[u*cols+c] = v
			}
		}
		s.Indptr = append(s.Indptr, int64(len(s.Indices)))
	}
	if sparse {
		g.Features.Sparse = s
	} else {
		g.Features.Dense = dense
	}
	return g
}

func openSpill(t testing.TB) *memory.Spill {
	t.Helper()
	s, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Skip(err) // a temporary directory in memory, say
	}
	t.Cleanup(func() {
		if s.Used() != 0 {
			t.Errorf("%d bytes are still set aside on the disk", s.Used())
		}
		s.Close()
	})
	return s
}

// formsOfFeatures returns a graph with features in every form. Those of "sparse", "dense" and "read" are the same, and those
// of "thin" and "thin dense".
func formsOfFeatures(t *testing.T, nodes, cols int) map[string]*Graph {
	graphs := map[string]*Graph{
		"sparse":     newGraph(t, randomGraph(nodes, cols, true, 3), All),
		"dense":      newGraph(t, randomGraph(nodes, cols, false, 3), All),
		"read":       newGraph(t, randomGraph(nodes, cols, false, 3), All),
		"thin":       newGraph(t, randomGraph(nodes, cols, true, 20), All),
		"thin dense": newGraph(t, randomGraph(nodes, cols, false, 20), All),
	}
	dense := graphs["read"].Features.Dense
	graphs["read"].Features.Dense = nil
	next := 0
	graphs["read"].Features.Read = func(first int, dst []float32) error {
		if first != next {
			return fmt.Errorf("row %d is asked for, expected %d", first, next)
		}
		n := copy(dst, dense[first*cols:])
		next = (first + n/cols) % nodes
		return nil
	}
	return graphs
}

// keptRows are rows to keep.
type keptRows struct {
	name string
	ids  []int32
}

// choicesOfRows returns rows to keep, from all to few.
func choicesOfRows(nodes int) []keptRows {
	everything := make([]int32, nodes)
	for i, u := range rand.New(rand.NewPCG(3, 3)).Perm(nodes) {
		everything[i] = int32(u)
	}
	return []keptRows{{"all", nil}, {"shuffled", everything}, {"few", everything[:5]}, {"some", everything[:shardRows+99]}}
}

// The same hops, bit for bit: in memory and on disk, in blocks of any width, with any number of threads, of features in
// every form, for all rows and for some.
func TestNoWayChangesABit(t *testing.T) {
	const nodes, cols, hops = 2*shardRows + 77, 70, 3
	spill := openSpill(t)
	graphs := formsOfFeatures(t, nodes, cols)
	rows := choicesOfRows(nodes)
	norm := Norm{R: 0.3} // without self-loops a row does not need itself
	want := func(form string) map[Scaling]*Hops {
		all := map[Scaling]*Hops{}
		for _, scaling := range Scalings {
			p := &Propagation{Graph: graphs[form], Adjacency: normalize(t, graphs[form], norm), Scaling: scaling, K: hops}
			all[scaling] = propagate(t, p, Way{Width: cols}, nil, nil)
		}
		return all
	}
	third, twentieth := want("sparse"), want("thin dense")
	pools := []*kernel.Pool{nil, kernel.NewPool(2), kernel.NewPool(3)}
	runs := 0
	for _, form := range []string{"sparse", "dense", "read", "thin"} {
		g, want := graphs[form], third
		if form == "thin" {
			want = twentieth
		}
		a := normalize(t, g, norm)
		for _, kept := range rows {
			for _, first := range []int{0, 1, hops} {
				for _, w := range []Way{{Width: 16 * (1 + runs%5)}, {Width: 70 - runs%37, Spill: true}} {
					scaling := Scalings[runs%len(Scalings)]
					p := &Propagation{Graph: g, Adjacency: a, Scaling: scaling, First: first, K: hops, Rows: kept.ids}
					name := fmt.Sprintf("%s, %s features, %s rows, hops from %d, %+v", scaling, form, kept.name, first, w)
					got, err := p.Run(context.Background(), w, pools[runs%len(pools)], spill)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					compareHops(t, name, got, want[scaling], kept.ids)
					if err := got.Close(); err != nil {
						t.Error(err)
					}
					runs++
				}
				runs++
			}
		}
	}
	p := &Propagation{Graph: graphs["sparse"], Adjacency: normalize(t, graphs["sparse"], norm), Scaling: ScaleRMS, K: hops}
	for _, w := range append(p.Ways(), Way{Width: 1}) {
		compareHops(t, fmt.Sprintf("%+v", w), propagate(t, p, w, pools[1], spill), third[ScaleRMS], nil)
	}
	for _, p := range pools {
		p.Close()
	}
}

// compareHops compares the rows of got, those of the given nodes, with those of want, which has all.
func compareHops(t *testing.T, name string, got, want *Hops, nodes []int32) {
	t.Helper()
	if nodes == nil {
		nodes = make([]int32, want.Rows)
		for i := range nodes {
			nodes[i] = int32(i)
		}
	}
	random := rand.New(rand.NewPCG(9, uint64(len(nodes))))
	for k := got.First; k <= got.K; k++ {
		expected := make([]float32, len(nodes)*want.Cols)
		if err := want.Gather(nodes, k, expected); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(readHop(t, got, k), expected) {
			t.Fatalf("%s: hop %d differs", name, k)
		}
		lo := random.IntN(len(nodes))
		hi := lo + random.IntN(len(nodes)-lo)
		part := make([]float32, (hi-lo)*got.Cols)
		if err := got.ReadRows(lo, hi, k, part); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(part, expected[lo*got.Cols:hi*got.Cols]) {
			t.Fatalf("%s: rows %d … %d of hop %d differ", name, lo, hi-1, k)
		}
		for _, n := range []int{1, 3, 200} {
			picked := make([]int32, n)
			for i := range picked {
				picked[i] = int32(random.IntN(len(nodes)))
			}
			part := make([]float32, n*got.Cols)
			if err := got.Gather(picked, k, part); err != nil {
				t.Fatal(err)
			}
			for i, row := range picked {
				if !slices.Equal(part[i*got.Cols:(i+1)*got.Cols], expected[int(row)*got.Cols:(int(row)+1)*got.Cols]) {
					t.Fatalf("%s: gathered row %d of hop %d differs", name, row, k)
				}
			}
		}
	}
}

// Against dense matrices in float64.
func TestHopsAreThePowersOfTheOperator(t *testing.T) {
	const nodes, cols, hops = 67, 5, 4
	for _, m := range []Norm{{R: 0, SelfLoops: true}, {R: 0.5, SelfLoops: true}, {R: 1, SelfLoops: true}, {R: 0}, {R: 0.5}, {R: 0.8}} {
		g := newGraph(t, randomGraph(nodes, cols, true, 3), All)
		dense := make([][]float64, nodes)
		degree := make([]float64, nodes)
		for u := range dense {
			dense[u] = make([]float64, nodes)
			if m.SelfLoops {
				dense[u][u] = 1
			}
			for i := g.Indptr[u]; i < g.Indptr[u+1]; i++ {
				dense[u][g.Indices[i]] = float64(g.Weights[i])
			}
			for _, w := range dense[u] {
				degree[u] += w
			}
		}
		p := &Propagation{Graph: g, Adjacency: normalize(t, g, m), Scaling: ScaleL2, K: hops}
		h := propagate(t, p, Way{Width: 16}, nil, nil)
		now := make([][]float64, nodes)
		for u := range now {
			now[u] = make([]float64, cols)
			sum := 0.0
			f := g.Features.Sparse
			for e := f.Indptr[u]; e < f.Indptr[u+1]; e++ {
				c := f.Indices[e]
				now[u][c] = float64(f.Values[e])
				sum += now[u][c] * now[u][c]
			}
			for c := range now[u] {
				if sum > 0 {
					now[u][c] /= math.Sqrt(sum)
				}
			}
		}
		worst := 0.0
		for k := 0; k <= hops; k++ {
			got := readHop(t, h, k)
			for u := range now {
				for c, want := range now[u] {
					worst = max(worst, math.Abs(float64(got[u*cols+c])-want))
				}
			}
			next := make([][]float64, nodes)
			for u := range next {
				next[u] = make([]float64, cols)
				for v, w := range dense[u] {
					for c := range cols {
						if w != 0 {
							next[u][c] += w * math.Pow(degree[u], m.R-1) * math.Pow(degree[v], -m.R) * now[v][c]
						}
					}
				}
			}
			now = next
		}
		// Elements are at most about 1; a sum of d terms with float32 weights errs by d·2⁻²⁴ of that at most.
		if bound := 5e-7 * hops; worst > bound {
			t.Errorf("%+v: off by %.2g, allowed %.2g", m, worst, bound)
		} else {
			t.Logf("%+v: off by %.2g of %.2g allowed", m, worst, bound)
		}
	}
}

func TestRMSGivesRowsOfRootMeanSquareNormOne(t *testing.T) {
	g := newGraph(t, randomGraph(500, 20, true, 3), All)
	p := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), Scaling: ScaleRMS, K: 2}
	h := propagate(t, p, Way{Width: 16}, nil, nil)
	for k := range 3 {
		if norm := frobenius(readHop(t, h, k)) / math.Sqrt(float64(g.Nodes)); math.Abs(norm-1) > 1e-6 {
			t.Errorf("hop %d has the root mean square row norm %v", k, norm)
		}
	}
}
