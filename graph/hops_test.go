package graph

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// Hop 0 alone is the features as they are scaled, whatever form they have: a model that does not see the graph.
func TestHopZeroIsTheScaledFeatures(t *testing.T) {
	const nodes, cols = 300, 10
	thin, dense := newGraph(t, randomGraph(nodes, cols, true, 20), All), newGraph(t, randomGraph(nodes, cols, false, 20), All)
	x := dense.Features.Dense
	read := newGraph(t, randomGraph(nodes, cols, false, 20), All)
	read.Features.Dense, read.Features.Read = nil, func(first int, dst []float32) error {
		copy(dst, x[first*cols:])
		return nil
	}
	spill := openSpill(t)
	for _, scaling := range Scalings {
		want := slices.Clone(x)
		total := 0.0
		for u := range nodes {
			row := want[u*cols : (u+1)*cols]
			norm := 0.0
			for _, v := range row {
				if scaling == ScaleL2 {
					norm += float64(v) * float64(v)
				} else {
					norm += math.Abs(float64(v))
				}
			}
			if scaling == ScaleL2 {
				norm = math.Sqrt(norm)
			}
			for c, v := range row {
				if scaling != ScaleNone && norm > 0 {
					row[c] = float32(float64(v) / norm)
				}
				total += float64(row[c]) * float64(row[c])
			}
		}
		if scaling == ScaleRMS {
			for i := range want {
				want[i] = float32(float64(want[i]) * math.Sqrt(nodes/total))
			}
		}
		for name, g := range map[string]*Graph{"sparse": thin, "dense": dense, "read": read} {
			for _, rows := range [][]int32{nil, {7, 3, 250}} {
				p := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), Scaling: scaling, Rows: rows}
				h := propagate(t, p, p.Ways()[0], nil, spill)
				got := readHop(t, h, 0)
				for i, v := range got {
					u := int(original(rows, i/cols))
					if w := want[u*cols+i%cols]; math.Abs(float64(v-w)) > 1.5*0x1p-23*math.Abs(float64(w)) {
						t.Fatalf("%s, %s: element %d of node %d is %v, want %v", scaling, name, i%cols, u, v, w)
					}
				}
			}
		}
	}
}

func TestReadingWhatIsNotThereIsAnError(t *testing.T) {
	g := newGraph(t, randomGraph(50, 4, false, 2), All)
	p := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), First: 1, K: 2}
	h := propagate(t, p, p.Ways()[0], nil, nil)
	room := make([]float32, 4*50)
	for want, err := range map[string]error{
		"hops 1 … 2 were kept":       h.ReadRows(0, 1, 0, room),
		"read hop 3":                 h.Gather([]int32{1}, 3, room),
		"rows 0 … 50 of hop 1":       h.ReadRows(0, 51, 1, make([]float32, 4*51)),
		"rows -1 … 0":                h.ReadRows(-1, 1, 1, room),
		"row 50, there are 50":       h.Gather([]int32{3, 50}, 2, room),
		"do not fit in 7 elements":   h.ReadRows(0, 2, 1, room[:7]),
		"3 rows of 4 do not fit in ": h.Gather([]int32{1, 2, 3}, 2, room[:11]),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
	if h.Matrix(0) != nil || len(h.Matrix(2)) != 4*50 || h.Matrix(3) != nil {
		t.Error("Matrix returns other hops than those in memory")
	}
	if err := errors.Join(h.Close(), h.Close()); err != nil {
		t.Error(err)
	}
}

func TestFeaturesNeedNoAdjacencyMatrix(t *testing.T) {
	g := newGraph(t, randomGraph(50, 4, false, 2), All)
	for _, rows := range [][]int32{nil, {7, 3, 40}} {
		for _, scaling := range Scalings {
			with := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), Scaling: scaling, Rows: rows}
			without := &Propagation{Graph: g, Scaling: scaling, Rows: rows}
			want := readHop(t, propagate(t, with, with.Ways()[0], nil, nil), 0)
			if got := readHop(t, propagate(t, without, without.Ways()[0], nil, nil), 0); !slices.Equal(got, want) {
				t.Errorf("scaling %s, rows %v: other features without an adjacency matrix", scaling, rows)
			}
		}
	}
}

func TestPropagationsThatMakeNoSenseAreRefused(t *testing.T) {
	g := newGraph(t, randomGraph(50, 4, false, 2), All)
	other := newGraph(t, randomGraph(51, 4, false, 2), All)
	good := Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), K: 1}
	for want, change := range map[string]func(p *Propagation){
		"0 ≤ first ≤ last":  func(p *Propagation) { p.First = 2 },
		"51 rows":           func(p *Propagation) { p.Adjacency = normalize(t, other, Symmetric) },
		"no adjacency":      func(p *Propagation) { p.Adjacency = nil },
		"probability 1.1":   func(p *Propagation) { p.Teleport = 1.1 },
		"probability NaN":   func(p *Propagation) { p.Teleport = math.NaN() },
		"1 weights":         func(p *Propagation) { p.First, p.Combine = 1, []float64{1} },
		"expected First":    func(p *Propagation) { p.Combine = []float64{1, 1} },
		"hop 1 is +Inf":     func(p *Propagation) { p.First, p.Combine = 1, []float64{1, math.Inf(1)} },
		"hop 0 is 1e+39":    func(p *Propagation) { p.First, p.Combine = 1, []float64{1e39, 1} },
		"weights are zero":  func(p *Propagation) { p.First, p.Combine = 1, []float64{0, 0} },
		"no rows to keep":   func(p *Propagation) { p.Rows = []int32{} },
		"node 50, there":    func(p *Propagation) { p.Rows = []int32{0, 50} },
		"scaling \"l3\"":    func(p *Propagation) { p.Scaling = "l3" },
		"give --disk DIR":   func(p *Propagation) {},
		"context cancelled": func(p *Propagation) {},
	} {
		p := good
		change(&p)
		way := Way{Width: 4, Spill: want == "give --disk DIR"}
		ctx, cancel := context.WithCancel(context.Background())
		if want == "context cancelled" {
			cancel()
			want = context.Canceled.Error()
		}
		if _, err := p.Run(ctx, way, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
		cancel()
	}
}

// However a propagation ends early, nothing stays on the disk; openSpill looks.
func TestAnUnfinishedPropagationLeavesNothing(t *testing.T) {
	g := newGraph(t, randomGraph(3000, 40, true, 3), All)
	p := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), Scaling: ScaleRMS, K: 3}
	spill := openSpill(t)
	ctx, cancel := context.WithCancel(context.Background())
	p.Progress = func(done, total int) {
		if done == 7 {
			cancel()
		}
	}
	if _, err := p.Run(ctx, Way{Width: 16, Spill: true}, nil, spill); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	small, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir(), Size: tileBytes(3000, 40) * 5 / 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(context.Background(), Way{Width: 16, Spill: true}, nil, small); err == nil || !strings.Contains(err.Error(), "hop 3 needs") {
		t.Errorf("a disk with room for two hops of three: %v", err)
	}
	if small.Used() != 0 {
		t.Errorf("%d bytes are left on it", small.Used())
	}
	g.Features.Read, g.Features.Sparse = func(first int, dst []float32) error { return errors.New("no such luck") }, nil
	p = &Propagation{Graph: g, Adjacency: p.Adjacency, K: 3}
	if _, err := p.Run(context.Background(), Way{Width: 16, Spill: true}, nil, spill); err == nil || !strings.Contains(err.Error(), "rows 0 … 2999 of the features: no such luck") {
		t.Errorf("the error is %v", err)
	}
}

// Ways go from more memory to less, the last way in memory to the first on disk may be a step up; what a stage is said to
// hold is there for whoever makes the plan.
func TestWaysTakeLessAndLess(t *testing.T) {
	g := newGraph(t, randomGraph(5000, 300, true, 20), All)
	for _, first := range []int{0, 2} {
		p := &Propagation{Graph: g, Adjacency: normalize(t, g, Symmetric), Scaling: ScaleL1, First: first, K: 2}
		ways := p.Ways()
		var last int64
		for i, w := range ways {
			s := p.Stage(w)
			if peak := s.Peak(); i > 0 && w.Spill == ways[i-1].Spill && peak > last {
				t.Errorf("%+v takes %d bytes, more than %d of the way before", w, peak, last)
			}
			last = s.Peak()
			items := plan.Stage{Items: p.Items(w)}
			if w.Spill != (s.DiskWrite > 0) || s.Flops <= 0 || items.Peak() >= s.Peak() || !w.Spill && items.Peak() < 4*5000*300 {
				t.Errorf("%+v: %+v", w, s)
			}
		}
		if w := ways[len(ways)-1]; !w.Spill || w.Width != columnStep {
			t.Errorf("the last way is %+v", w)
		}
		largest := p.Stage(ways[0])
		job := func(w Way) *plan.Job { return &plan.Job{Baseline: 1000, Stages: []plan.Stage{p.Stage(w)}} }
		if w, chosen, err := p.Choose(largest.Peak()+1000, job); err != nil || w != ways[0] || chosen.Peak() != largest.Peak()+1000 {
			t.Errorf("with enough memory: %+v, %v", w, err)
		}
		var small *plan.TooSmallError
		if _, _, err := p.Choose(100_000, job); !errors.As(err, &small) {
			t.Fatalf("with 100 kB: %v", err)
		}
		if w, _, err := p.Choose(small.Smallest, job); err != nil || !w.Spill {
			t.Errorf("with the smallest budget: %+v, %v", w, err)
		}
	}
}
