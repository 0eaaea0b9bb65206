package graph

import (
	"math"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// TestLimitIsWhatHopsTendTo squares Â in float64 until nothing moves, of a graph with several components, weights, and nodes that are
// alone.
func TestLimitIsWhatHopsTendTo(t *testing.T) {
	const nodes, cols, hops = 60, 9, 2
	raw := randomGraph(nodes, cols, false, 3)
	for i := range raw.Dst { // no edges between the even nodes and the odd ones
		raw.Dst[i] -= (raw.Dst[i] - raw.Src[i]) % 2
	}
	g := newGraph(t, raw, All)
	of, sizes := g.Components()
	if len(sizes) < 3 || slices.Min(sizes) > 1 {
		t.Fatalf("components of %v nodes, too few kinds for a test", sizes)
	}
	d := writeOut(g)
	for _, r := range []float64{0, 0.3, 0.5, 1} {
		power := make([][]float64, nodes) // Â = D̃^r (D̃^(−1) Ã) D̃^(−r)
		for i := range power {
			power[i] = make([]float64, nodes)
			for j, w := range d.operator[i] {
				power[i][j] = math.Pow(d.degree[i], r) * w * math.Pow(d.degree[j], -r)
			}
		}
		for range 16 {
			power = times(power, power)
		}
		want := times(power, d.x)
		p := &Propagation{Graph: g, Adjacency: normalize(t, g, Norm{R: r, SelfLoops: true}), K: hops, Limit: true}
		h := propagate(t, p, p.Ways()[0], nil, nil)
		got, worst := readHop(t, h, hops+1), 0.0
		for i := range nodes {
			for c, w := range want[i] {
				worst = max(worst, math.Abs(float64(got[i*cols+c])-w)/max(1, math.Abs(w)))
			}
		}
		if worst > 1e-7 { // rounded to float32 once
			t.Errorf("r = %v: differs by %.1e", r, worst)
		}
		first := map[int32]int{} // with r = 0 all nodes of a component have the same row, the mean by degree
		for i, c := range of {
			j, seen := first[c]
			if !seen {
				first[c] = i
			} else if same := slices.Equal(got[i*cols:(i+1)*cols], got[j*cols:(j+1)*cols]); r == 0 && !same {
				t.Fatalf("nodes %d and %d of a component differ for r = 0", i, j)
			}
		}
	}
}

// TestLimitIsTheSameInEveryWay: of features in every form, in memory and on disk, for all rows and some; and rms gives it a root
// mean square of 1 a row.
func TestLimitIsTheSameInEveryWay(t *testing.T) {
	const nodes, cols, hops = shardRows + 177, 37, 1
	spill, norm := openSpill(t), Norm{R: 0.3, SelfLoops: true}
	graphs := formsOfFeatures(t, nodes, cols)
	pool := kernel.NewPool(2)
	defer pool.Close()
	for _, scaling := range []Scaling{ScaleL1, ScaleRMS} {
		want := map[bool]*Hops{} // of the thin ones and the others
		for thin, form := range map[bool]string{false: "dense", true: "thin dense"} {
			p := &Propagation{Graph: graphs[form], Adjacency: normalize(t, graphs[form], norm), Scaling: scaling, K: hops, Limit: true}
			want[thin] = propagate(t, p, Way{Width: cols}, nil, nil)
			square := math.Pow(frobenius(readHop(t, want[thin], hops+1)), 2) / nodes
			if scaling == ScaleRMS && math.Abs(square-1) > 1e-6 {
				t.Errorf("%s: mean square %v of a row, expected 1", form, square)
			}
		}
		for _, form := range []string{"sparse", "read", "thin"} {
			a := normalize(t, graphs[form], norm)
			for i, kept := range choicesOfRows(nodes) {
				w := Way{Width: 16, Spill: i%2 == 0}
				p := &Propagation{Graph: graphs[form], Adjacency: a, Scaling: scaling, First: i % 2, K: hops, Rows: kept.ids, Limit: true}
				got, all := propagate(t, p, w, pool, spill), kept.ids
				for u := range int32(nodes) {
					if kept.ids == nil {
						all = append(all, u)
					}
				}
				expected := make([]float32, len(all)*cols)
				if err := want[form == "thin"].Gather(all, hops+1, expected); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(readHop(t, got, hops+1), expected) {
					t.Errorf("%s, %s features, %s rows, %+v: differs", scaling, form, kept.name, w)
				}
			}
		}
	}
}
