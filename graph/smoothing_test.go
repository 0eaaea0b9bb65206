package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// smoothed returns the smoothed features.
func smoothed(t testing.TB, s *Smoothing, w Way, steps []int32, pool *kernel.Pool, spill *memory.Spill) []float32 {
	t.Helper()
	h, err := s.Smooth(context.Background(), w, steps, pool, spill)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	return readHop(t, h, 0)
}

// writtenOut is Â and the features in float64, written out.
type writtenOut struct {
	operator, x [][]float64
	degree      []float64
}

func writeOut(g *Graph) writtenOut {
	d := writtenOut{degree: make([]float64, g.Nodes)}
	for u := range g.Nodes {
		row := make([]float64, g.Nodes)
		row[u] = 1
		for e := g.Indptr[u]; e < g.Indptr[u+1]; e++ {
			row[g.Indices[e]] = weightOf(g.Weights, e)
		}
		for _, w := range row {
			d.degree[u] += w
		}
		for v := range row {
			row[v] /= d.degree[u]
		}
		x := make([]float64, g.Features.Cols)
		for c := range x {
			x[c] = float64(g.Features.Dense[u*len(x)+c])
		}
		d.operator, d.x = append(d.operator, row), append(d.x, x)
	}
	return d
}

// times is the product of two matrices.
func times(a, b [][]float64) [][]float64 {
	y := make([][]float64, len(a))
	for i := range y {
		y[i] = make([]float64, len(b[0]))
		for k, w := range a[i] {
			for j, v := range b[k] {
				y[i][j] += w * v
			}
		}
	}
	return y
}

// stationary is what the rows of Âᵏ tend to, or are taken to.
func (d *writtenOut) stationary(s Stationarity, of []int32) [][]float64 {
	y := make([][]float64, len(d.degree))
	for i := range y {
		y[i] = make([]float64, len(y))
		sum := 0.0
		for j, w := range d.degree {
			if s == StationaryGlobal || of[i] == of[j] {
				y[i][j] = w
				sum += w
			}
		}
		for j := range y[i] {
			y[i][j] /= sum
		}
	}
	return y
}

func distance(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += (x[i] - y[i]) * (x[i] - y[i])
	}
	return math.Sqrt(sum)
}

// Steps and averages as the paper's formulas and the released code's read, with dense powers of Â in float64.
func TestSmoothingFollowsItsFormulas(t *testing.T) {
	const nodes, cols, kmax, epsilon = 90, 21, 12, .35
	raw := randomGraph(nodes, cols, false, 3)
	for i := range raw.Dst { // no edges between the even nodes and the odd ones
		raw.Dst[i] -= (raw.Dst[i] - raw.Src[i]) % 2
	}
	g := newGraph(t, raw, All)
	a := normalize(t, g, randomWalk)
	of, sizes := g.Components()
	slices.Sort(sizes)
	if n := len(sizes); n < 3 || sizes[0] > 1 || sizes[n-2] < nodes/4 {
		t.Fatalf("components of %v nodes, too few kinds for a test", sizes)
	}
	d := writeOut(g)
	powers := [][][]float64{make([][]float64, nodes)}
	for i := range powers[0] {
		powers[0][i] = make([]float64, nodes)
		powers[0][i][i] = 1
	}
	for k := 1; k < kmax; k++ {
		powers = append(powers, times(d.operator, powers[k-1]))
	}
	for _, stationarity := range []Stationarity{StationaryGlobal, StationaryComponent} {
		limit := d.stationary(stationarity, of)
		for _, measure := range []Distance{DistanceFeatures, DistanceInfluence} {
			s := &Smoothing{Graph: g, Adjacency: a, Epsilon: epsilon, Kmax: kmax, Distance: measure, Stationarity: stationarity}
			steps := localSteps(t, s).K
			seen := map[int32]int{}
			for i, got := range steps {
				want := int32(kmax - 1)
				for k := range powers {
					x, y := powers[k][i:i+1], limit[i:i+1]
					if measure == DistanceFeatures {
						x, y = times(x, d.x), times(y, d.x)
					}
					now := distance(x[0], y[0])
					if math.Abs(now-epsilon) < 1e-5 {
						t.Fatalf("node %d is too near to epsilon for a test", i)
					}
					if now < epsilon {
						want = int32(k)
						break
					}
				}
				if seen[want]++; got != want {
					t.Errorf("%s, %s: %d steps of node %d, want %d", measure, stationarity, got, i, want)
				}
			}
			if len(seen) < 3 {
				t.Errorf("%s, %s: the steps are %v, too few kinds for a test", measure, stationarity, seen)
			}
			for _, restart := range []float64{0, .15} {
				for _, averaging := range []Averaging{AverageFormula, AverageReleased} {
					s.Averaging, s.Restart = averaging, restart
					x := smoothed(t, s, Way{Width: cols}, steps, nil, nil)
					worst := 0.0
					for i, k := range steps {
						want := averageOf(powers, d.x, i, int(k), averaging, restart)
						for c, w := range want {
							worst = max(worst, math.Abs(float64(x[i*cols+c])-w))
						}
					}
					// Elements are below 4; at most 12 terms with their weights, over 12 float32 products each.
					if bound := 12 * 4 * 0x1p-23; !(worst <= bound) {
						t.Errorf("%s, %s, %s, restart %v: off by %.2g, allowed %.2g", measure, stationarity, averaging, restart, worst, bound)
					}
				}
			}
		}
	}
}

// averageOf is the smoothed row of node i after k steps, by the formula of the NDLS paper or as its released code has it.
func averageOf(powers [][][]float64, x [][]float64, i, k int, averaging Averaging, restart float64) []float64 {
	last := k
	if averaging == AverageReleased {
		last = k - 1
	}
	if k == 0 {
		return x[i]
	}
	sum := make([]float64, len(x[i]))
	for j := 0; j <= last; j++ {
		hop := times(powers[j][i:i+1], x)[0]
		for c := range sum {
			sum[c] += ((1-restart)*hop[c] + restart*x[i][c]) / float64(last+1)
		}
	}
	return sum
}

// X̃ = X to the bit where nothing is to be averaged: K = 0, or all weight on the restart.
func TestSmoothingCanLeaveFeaturesAsTheyAre(t *testing.T) {
	g := newGraph(t, randomGraph(300, 10, false, 2), All)
	for _, s := range []*Smoothing{
		{Epsilon: math.Sqrt2, Kmax: 9, Distance: DistanceInfluence, Restart: .15},
		{Epsilon: .1, Kmax: 1, Restart: .15, Averaging: AverageReleased},
		{Epsilon: .1, Kmax: 9, Restart: 1},
		{Epsilon: .1, Kmax: 9, Restart: 1, Averaging: AverageReleased},
	} {
		s.Graph, s.Adjacency = g, normalize(t, g, randomWalk)
		steps := localSteps(t, s).K
		if zero := slices.Max(steps) == 0; zero == (s.Restart == 1) {
			t.Errorf("%v: up to %d steps", s.Restart, slices.Max(steps))
		}
		if !slices.Equal(smoothed(t, s, s.Ways()[0], steps, nil, nil), g.Features.Dense) {
			t.Errorf("epsilon %v, %d steps, restart %v: other features", s.Epsilon, s.Kmax, s.Restart)
		}
	}
}

// Once steps are fixed smoothing is linear, and does not mix columns: predictions may be relabelled before or after (NDLS-L).
func TestSmoothingPredictionsCommutesWithRelabelling(t *testing.T) {
	const nodes, classes = 400, 7
	g := newGraph(t, randomGraph(nodes, 3, true, 2), All)
	r := rand.New(rand.NewPCG(8, 8))
	steps, order := make([]int32, nodes), r.Perm(classes)
	y, relabelled, twice := make([]float32, nodes*classes), make([]float32, nodes*classes), make([]float32, nodes*classes)
	for i := range nodes {
		steps[i] = int32(r.IntN(6))
		for c := range classes {
			y[i*classes+c] = r.Float32()
			relabelled[i*classes+order[c]] = y[i*classes+c]
			twice[i*classes+c] = 2 * y[i*classes+c]
		}
	}
	smooth := func(x []float32) []float32 {
		s := &Smoothing{
			Graph: g, Adjacency: normalize(t, g, randomWalk), Epsilon: .1, Kmax: 6,
			Features: &Features{Rows: nodes, Cols: classes, Dense: x},
		}
		return smoothed(t, s, s.Ways()[0], steps, nil, nil)
	}
	want, other, double := smooth(y), smooth(relabelled), smooth(twice)
	for i := range nodes {
		for c := range classes {
			w := want[i*classes+c]
			if other[i*classes+order[c]] != w || double[i*classes+c] != 2*w {
				t.Fatalf("node %d, class %d: %v, relabelled %v, doubled %v", i, c, w, other[i*classes+order[c]], double[i*classes+c])
			}
		}
	}
}

// Steps and smoothed features have the same bits: in blocks of any width, in memory and on disk, with any number of
// threads, of features in every form, for all rows and for some.
func TestNoWayOfSmoothingChangesABit(t *testing.T) {
	const nodes, cols, kmax = shardRows + 77, 70, 9
	spill := openSpill(t)
	graphs := map[string]*Graph{
		"sparse": newGraph(t, randomGraph(nodes, cols, true, 3), All),
		"dense":  newGraph(t, randomGraph(nodes, cols, false, 3), All),
		"read":   newGraph(t, randomGraph(nodes, cols, true, 3), All),
	}
	x := graphs["dense"].Features.Dense
	graphs["read"].Features.Sparse = nil
	graphs["read"].Features.Read = func(first int, dst []float32) error { copy(dst, x[first*cols:]); return nil }
	var everything []int32
	for _, u := range rand.New(rand.NewPCG(3, 3)).Perm(nodes) {
		everything = append(everything, int32(u))
	}
	pools := []*kernel.Pool{nil, kernel.NewPool(2), kernel.NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	for _, stationarity := range []Stationarity{StationaryGlobal, StationaryComponent} {
		describe := func(g *Graph, rows []int32) *Smoothing {
			return &Smoothing{
				Graph: g, Adjacency: normalize(t, g, randomWalk), Scaling: ScaleL2,
				Epsilon: .2, Kmax: kmax, Stationarity: stationarity, Restart: .1, Rows: rows,
			}
		}
		first := describe(graphs["sparse"], nil)
		steps := localSteps(t, first)
		want := smoothed(t, first, Way{Width: cols}, steps.K, nil, nil)
		if steps.Never == nodes || slices.Max(steps.K) < 3 {
			t.Fatalf("the steps of %d nodes are %d", steps.Never, slices.Max(steps.K))
		}
		runs := 0
		for form, g := range graphs {
			for _, width := range []int{1, 12, 16, 40, cols, 1000} {
				for _, onDisk := range []bool{false, true} {
					for _, rows := range [][]int32{nil, everything, everything[:5]} {
						pool := pools[runs%len(pools)]
						runs++
						name := fmt.Sprintf("%s, %s, width %d, on disk %v, %d rows, %d workers", stationarity, form, width, onDisk, len(rows), pool.Workers())
						s, way := describe(g, rows), Way{Width: width, Spill: onDisk}
						local, err := s.Steps(context.Background(), way, pool, spill)
						if err != nil {
							t.Fatal(err)
						}
						if !slices.Equal(local.K, steps.K) || local.Never != steps.Never {
							t.Fatalf("%s: other steps", name)
						}
						got := smoothed(t, s, way, local.K, pool, spill)
						for i := range s.kept() {
							u := int(original(rows, i))
							if !slices.Equal(got[i*cols:(i+1)*cols], want[u*cols:(u+1)*cols]) {
								t.Fatalf("%s: row %d differs", name, i)
							}
						}
						local.Close()
					}
				}
			}
		}
	}
}

// What a stage is said to hold is what it takes from the system while it runs, and no more than it needs.
func TestSmoothingTakesWhatItsPlanSays(t *testing.T) {
	const nodes, cols = 3*shardRows + 5, 100
	spill := openSpill(t)
	g := newGraph(t, randomGraph(nodes, cols, true, 3), All)
	pool := kernel.NewPool(2)
	defer pool.Close()
	for _, stationarity := range []Stationarity{StationaryGlobal, StationaryComponent} {
		for _, measure := range []Distance{DistanceFeatures, DistanceInfluence} {
			if testing.Short() && measure == DistanceInfluence && stationarity == StationaryComponent {
				continue // takes what it takes with one component
			}
			for _, way := range []Way{{Width: cols}, {Width: 32}, {Width: 32, Spill: true}} {
				s := &Smoothing{
					Graph: g, Adjacency: normalize(t, g, randomWalk), Scaling: ScaleL2,
					Epsilon: .2, Kmax: 5, Stationarity: stationarity, Distance: measure,
				}
				before, during := memory.ArenaBytes(), int64(0)
				s.Progress = func(int, int) { during = max(during, memory.ArenaBytes()-before) }
				local, err := s.Steps(context.Background(), way, pool, spill)
				if err != nil {
					t.Fatal(err)
				}
				stages := s.Stages(way, pool.Workers())
				checkNeed(t, s, way, stages)
				name := fmt.Sprintf("%s, %s, %+v", stationarity, measure, way)
				// Arenas are whole pages; the queue of the components is on the Go heap.
				checkHeld(t, name+", steps", &stages[0], during, s.groupsBytes())
				during = 0
				h, err := s.Smooth(context.Background(), way, local.K, pool, spill)
				if err != nil {
					t.Fatal(err)
				}
				checkHeld(t, name+", smooth", &stages[1], during, s.groupsBytes())
				items := plan.Stage{Items: s.Items(way)}
				checkHeld(t, name+", result", &items, memory.ArenaBytes()-before-pages(s.stepsBytes()), 0)
				if err := errors.Join(h.Close(), local.Close()); err != nil {
					t.Error(err)
				}
				if memory.ArenaBytes() != before {
					t.Errorf("%s: %d bytes are left", name, memory.ArenaBytes()-before)
				}
			}
		}
	}
}

// checkNeed counts what the stages need for 100 columns, 5 steps and 2 workers.
func checkNeed(t *testing.T, s *Smoothing, w Way, stages []plan.Stage) {
	t.Helper()
	n, padded, width := int64(s.Graph.Nodes), int64(padRows(s.Graph.Nodes)), int64(w.Width)
	relay := 2*4*padded*width + 4*int64(len(s.Graph.Features.Sparse.Values)) // two blocks, scaled features
	find, average := 4*n, 4*n+relay                                          // the steps
	switch {
	case s.Distance == DistanceInfluence:
		find += 8*n*2 + 2*3*8*n // degrees and their shares; three vectors a worker
	case w.Width == 100:
		find += relay + 8*n + 8*width + 8*padded // shares of degrees, stationary features, distances
	case w.Spill:
		find += relay + 8*n + 8*width + 2*8*padded // the others on disk
	default:
		find += relay + 8*n + 8*width + 5*8*padded
	}
	if w.Spill {
		average += 4*padded*width + stagingBytes
	} else {
		average += 4 * n * 100
	}
	for i, want := range []int64{find, average} {
		if got := stages[i].Peak() - s.groupsBytes(); got < want || got > want+2*memory.BlockSize {
			t.Errorf("%s, %+v: %s needs %d bytes, the plan says %d", s.Distance, w, stages[i].Name, want, got)
		}
	}
}

func pages(bytes int64) int64 {
	page := int64(os.Getpagesize())
	return (bytes + page - 1) / page * page
}

func checkHeld(t *testing.T, name string, stage *plan.Stage, got, onHeap int64) {
	t.Helper()
	want := stage.Peak() - onHeap
	if got < want || got > want+3*int64(os.Getpagesize()) {
		t.Errorf("%s: %d bytes of arenas, the plan says %d", name, got, want)
	}
}

func TestSmoothingsThatMakeNoSenseAreRefused(t *testing.T) {
	g := newGraph(t, randomGraph(50, 4, false, 2), All)
	other := newGraph(t, randomGraph(51, 4, false, 2), All)
	good := Smoothing{Graph: g, Adjacency: normalize(t, g, randomWalk), Epsilon: .1, Kmax: 3}
	for want, change := range map[string]func(s *Smoothing){
		"r = 0 and self-loops":   func(s *Smoothing) { s.Adjacency = normalize(t, g, Symmetric) },
		"with r = 0":             func(s *Smoothing) { s.Adjacency = nil },
		"no nodes":               func(s *Smoothing) { s.Graph = &Graph{} },
		"51 rows":                func(s *Smoothing) { s.Adjacency = normalize(t, other, randomWalk) },
		"no features":            func(s *Smoothing) { s.Features = &Features{Rows: 50} },
		"49 rows of features":    func(s *Smoothing) { s.Features = &Features{Rows: 49, Cols: 1, Dense: make([]float32, 49)} },
		"epsilon is NaN":         func(s *Smoothing) { s.Epsilon = math.NaN() },
		"epsilon is 0":           func(s *Smoothing) { s.Epsilon = 0 },
		"at most 0 steps":        func(s *Smoothing) { s.Kmax = 0 },
		"restart 1.5":            func(s *Smoothing) { s.Restart = 1.5 },
		"no rows to keep":        func(s *Smoothing) { s.Rows = []int32{} },
		"node 50, there":         func(s *Smoothing) { s.Rows = []int32{0, 50} },
		"scaling \"l3\"":         func(s *Smoothing) { s.Scaling = "l3" },
		"scaling rms":            func(s *Smoothing) { s.Scaling = ScaleRMS },
		"distance \"far\"":       func(s *Smoothing) { s.Distance = "far" },
		"stationarity \"none\"":  func(s *Smoothing) { s.Stationarity = "none" },
		"averaging \"sideways\"": func(s *Smoothing) { s.Averaging = "sideways" },
		"give --disk DIR": func(s *Smoothing) {
			s.Features = &Features{Rows: 50, Cols: 1, Read: func(int, []float32) error { return nil }}
		},
	} {
		s := good
		change(&s)
		if _, err := s.Steps(context.Background(), Way{Width: 4}, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("steps: the error is %v, want %q in it", err, want)
		}
		if _, err := s.Smooth(context.Background(), Way{Width: 4}, make([]int32, 50), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("smooth: the error is %v, want %q in it", err, want)
		}
	}
	for _, steps := range [][]int32{nil, make([]int32, 49), slices.Repeat([]int32{-1}, 50), slices.Repeat([]int32{3}, 50)} {
		if _, err := good.Smooth(context.Background(), Way{Width: 4}, steps, nil, nil); err == nil || !strings.Contains(err.Error(), "numbers of steps") {
			t.Errorf("%d steps: the error is %v", len(steps), err)
		}
	}
	if _, err := good.Smooth(context.Background(), Way{Width: 4, Spill: true}, make([]int32, 50), nil, nil); err == nil || !strings.Contains(err.Error(), "give --disk DIR") {
		t.Errorf("on no disk: the error is %v", err)
	}
}

// However it ends early, nothing stays in memory or on the disk; openSpill looks there.
func TestAnUnfinishedSmoothingLeavesNothing(t *testing.T) {
	g := newGraph(t, randomGraph(3000, 40, true, 3), All)
	spill, a := openSpill(t), normalize(t, g, randomWalk)
	before := memory.ArenaBytes()
	for _, measure := range []Distance{DistanceFeatures, DistanceInfluence} {
		ctx, cancel := context.WithCancel(context.Background())
		s := &Smoothing{Graph: g, Adjacency: a, Epsilon: 1e-9, Kmax: 4, Distance: measure}
		s.Progress = func(done, total int) {
			if done >= 5 {
				cancel()
			}
		}
		if _, err := s.Steps(ctx, Way{Width: 16}, nil, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the error is %v", measure, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Smoothing{Graph: g, Adjacency: a, Epsilon: 1, Kmax: 4}
	s.Progress = func(done, total int) {
		if done == 5 {
			cancel()
		}
	}
	if _, err := s.Smooth(ctx, Way{Width: 16, Spill: true}, slices.Repeat([]int32{3}, 3000), nil, spill); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	s.Features = &Features{Rows: 3000, Cols: 4, Read: func(int, []float32) error { return errors.New("no such luck") }}
	for _, way := range []Way{{Width: 4}, {Width: 4, Spill: true}} {
		if _, err := s.Smooth(context.Background(), way, make([]int32, 3000), nil, spill); err == nil || !strings.Contains(err.Error(), "no such luck") {
			t.Errorf("the error is %v", err)
		}
	}
	if left := memory.ArenaBytes() - before; left != 0 {
		t.Errorf("%d bytes are left", left)
	}
}

// TestComponentsAreFoundOnce asks from several goroutines, of a graph and of a copy of it.
func TestComponentsAreFoundOnce(t *testing.T) {
	g := graphOf(t, 9, [2]int32{0, 3}, [2]int32{3, 5}, [2]int32{1, 2}, [2]int32{7, 8})
	copied := *g
	found := make([]*groups, 8)
	var wait sync.WaitGroup
	for i := range found {
		wait.Go(func() { found[i] = []*Graph{g, &copied}[i%2].componentGroups() })
	}
	wait.Wait()
	want, sizes := g.Components()
	for _, f := range found {
		if f != found[0] {
			t.Fatal("the components were found more than once")
		}
		for u, c := range f.of {
			if (c == alone) != (sizes[want[u]] == 1) {
				t.Fatalf("node %d in group %d, its component has %d nodes", u, c, sizes[want[u]])
			}
		}
	}
}
