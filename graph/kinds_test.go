package graph

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/run"
)

// library has papers 0 … 3 with two features, authors 4, 5 and 6, a venue 7, and a prize 8 that nobody has:
//
//	author 4 — papers 0, 1     paper 0 — 1 — 2 cite (1 and 2 each other)     paper 2 — venue 7     author 5 — author 6 know
//	author 5 — papers 2, 3     paper 3 cites itself
func library() *format.Graph {
	return &format.Graph{
		Name: "library", Nodes: 9, Classes: 2, Labels: []int32{0, 1, -1, 1}, Train: []int32{0}, Val: []int32{1}, Test: []int32{3},
		Kinds: []format.Kind{
			{Name: "paper", Nodes: 4, Features: format.Features{Cols: 2, Dense: []float32{1, 0, 0, 1, 4, -2, 8, 8}}}, {Name: "author", Nodes: 3}, {Name: "venue", Nodes: 1},
			{Name: "prize", Nodes: 1},
		},
		Relations: []format.Relation{{Name: "knows", From: 1, To: 1, Edges: 1}, {Name: "writes", From: 1, To: 0, Edges: 5}, {Name: "cites", From: 0, To: 0, Edges: 4}, {Name: "published_in", From: 0, To: 2, Edges: 1}},
		Src:       []int32{5, 4, 4, 5, 5, 4, 0, 1, 2, 3, 2}, Dst: []int32{6, 0, 1, 2, 3, 0, 1, 2, 1, 3, 7},
	}
}

func newLibrary(t *testing.T, raw *format.Graph) *Graph {
	t.Helper()
	if err := raw.Validate("library"); err != nil {
		t.Fatal(err)
	}
	g, err := New(raw, All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	if bytes := BuildBytes(raw, All); g.Bytes() > bytes {
		t.Errorf("the graph takes %d bytes, bound %d", g.Bytes(), bytes)
	}
	return g
}

func TestKindsWithoutFeaturesTakeThoseOfNeighbours(t *testing.T) {
	g := newLibrary(t, library())
	want := []float32{
		1, 0, 0, 1, 4, -2, 8, 8,
		0.5, 0.5, // author 4: papers 0 and 1
		6, 3, // author 5: papers 2 and 3
		0, 0, // author 6: knows author 5 alone, who has no features of its own
		4, -2, // the venue: paper 2
		0, 0,
	}
	if d := cmp.Diff(want, g.Features.Dense); d != "" {
		t.Error(d)
	}
	notes := strings.Join(g.Notes, "\n")
	for _, note := range []string{"features of author are means", "features of venue are means", "prize has no features, nor neighbours"} {
		if !strings.Contains(notes, note) {
			t.Errorf("no note that %s:\n%s", note, notes)
		}
	}
	if want := []int32{0, 1, -1, 1, -1, -1, -1, -1, -1}; !slices.Equal(g.Labels, want) {
		t.Errorf("labels %v, expected %v", g.Labels, want)
	}
	c := g.Classified()
	if c.Nodes != 4 || !slices.Equal(c.Labels, []int32{0, 1, -1, 1}) || len(c.Features.Dense) != 8 || c.Degree(2) != 3 || c.Close() != nil {
		t.Errorf("the nodes that are classified: %+v", c)
	}
}

// TestKindsOfOtherWidthsAreProjected has authors with features of their own, wider than papers': those of papers change, always in the same
// way, and linearly.
func TestKindsOfOtherWidthsAreProjected(t *testing.T) {
	raw := library()
	raw.Kinds[1].Features = format.Features{Cols: 3, Dense: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}}
	f := newLibrary(t, raw).Features
	if f.Cols != 3 || !slices.Equal(f.Dense[12:21], raw.Kinds[1].Features.Dense) {
		t.Errorf("features of authors changed: %v", f.Dense)
	}
	if d := cmp.Diff(f.Dense, newLibrary(t, raw).Features.Dense); d != "" {
		t.Errorf("another time it is another projection:\n%s", d)
	}
	matrix := [][]float32{f.Dense[0:3], f.Dense[3:6]} // of papers (1, 0) and (0, 1)
	for j := range 3 {
		if a := matrix[0][j]; !(a >= -0.5 && a < 0.5) || a == matrix[1][j] {
			t.Errorf("column %d of the projection: %v and %v", j, a, matrix[1][j])
		}
		if got, want := float64(f.Dense[6+j]), 4*float64(matrix[0][j])-2*float64(matrix[1][j]); math.Abs(got-want) > 1e-6 {
			t.Errorf("paper (4, −2) has %v in column %d, expected %v", got, j, want)
		}
	}
}

// TestAdjacencyOfRelations has rows of D̃⁻¹A of two subsets, and the edges that stand in both directions or twice, once.
func TestAdjacencyOfRelations(t *testing.T) {
	g := newLibrary(t, library())
	for _, c := range []struct {
		relations string
		selfLoops bool
		want      map[int]map[int32]float32 // rows that are not empty
	}{
		{"cites", false, map[int]map[int32]float32{0: {1: 1}, 1: {0: 0.5, 2: 0.5}, 2: {1: 1}}},
		{"writes+published_in", false, map[int]map[int32]float32{
			0: {4: 1}, 1: {4: 1}, 2: {5: 0.5, 7: 0.5}, 3: {5: 1}, 4: {0: 0.5, 1: 0.5}, 5: {2: 0.5, 3: 0.5}, 7: {2: 1},
		}},
		{"published_in", true, map[int]map[int32]float32{0: {0: 1}, 1: {1: 1}, 2: {2: 0.5, 7: 0.5}, 3: {3: 1}, 4: {4: 1}, 5: {5: 1}, 6: {6: 1}, 7: {2: 0.5, 7: 0.5}, 8: {8: 1}}},
	} {
		sets, err := g.ParseRelations(c.relations)
		if err != nil {
			t.Fatal(err)
		}
		a, err := g.Normalize(Norm{SelfLoops: c.selfLoops, Relations: sets[0]})
		if err != nil {
			t.Fatal(err)
		}
		got := map[int]map[int32]float32{}
		for u := range g.Nodes {
			for i := a.Indptr[u]; i < a.Indptr[u+1]; i++ {
				if got[u] == nil {
					got[u] = map[int32]float32{}
				}
				got[u][a.Indices[i]] = a.Values[i]
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.relations, d)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	all, err := g.Normalize(Norm{})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if n := all.Indptr[g.Nodes]; n != 2*int64(g.Edges()) || g.Edges() != 8 {
		t.Errorf("%d entries of all relations, %d edges", n, g.Edges())
	}
}

func TestHopsAlongRelationsByHand(t *testing.T) {
	g := newLibrary(t, library())
	sets, err := g.ParseRelations("writes")
	if err != nil {
		t.Fatal(err)
	}
	a, err := g.Normalize(Norm{Relations: sets[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	p := &Propagation{Graph: g, Adjacency: a, Scaling: ScaleNone, K: 2, Rows: []int32{0, 1, 2, 3}}
	h, err := p.Run(t.Context(), p.Ways()[0], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for k, want := range [][]float32{
		{1, 0, 0, 1, 4, -2, 8, 8},
		{0.5, 0.5, 0.5, 0.5, 6, 3, 6, 3},   // what their authors have
		{0.5, 0.5, 0.5, 0.5, 6, 3, 6, 3}} { // what their authors' papers have
		got := make([]float32, len(want))
		if err := h.Gather([]int32{0, 1, 2, 3}, k, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("hop %d is %v, expected %v", k, got, want)
		}
	}
}

func TestRelationsAreNamed(t *testing.T) {
	raw := library()
	raw.Relations[0].Name = "writes" // of authors, too
	g := newLibrary(t, raw)
	sets, err := g.ParseRelations("cites, published_in + author___writes___paper,author___writes___author+cites")
	if err != nil || !slices.Equal(sets, []RelationSet{4, 10, 5}) {
		t.Errorf("sets %v: %v", sets, err)
	}
	const names = "cites,author___writes___paper+published_in,author___writes___author+cites"
	if got := g.RelationNames(sets); got != names {
		t.Errorf("named %s", got)
	}
	if again, err := g.ParseRelations(names); err != nil || !slices.Equal(again, sets) {
		t.Errorf("sets %v of these names: %v", again, err)
	}
	for text, want := range map[string]string{
		"":                         `relation "": library has`,
		"writes":                   `relation "writes": library has author___writes___author, author___writes___paper, cites, published_in`,
		"cite":                     "did you mean cites?",
		"author___writes___author": "none of them has edges of paper, whose classes are to be learned",
		"cites,published_in,cites": "relations cites are given twice",
	} {
		_, err := g.ParseRelations(text)
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, expected %s", text, err, want)
		}
	}
}

// TestRelationsAreDrawn draws every set that has edges of papers, of which there are 2⁴ − 2 with one relation that has none.
func TestRelationsAreDrawn(t *testing.T) {
	g := newLibrary(t, library())
	all := g.DrawRelations(100, 3)
	if len(all) != 14 || slices.Contains(all, 1) || slices.Contains(all, 0) {
		t.Errorf("all sets: %v", all)
	}
	some := g.DrawRelations(5, 3)
	if !slices.Equal(some, all[:5]) {
		t.Errorf("%v of the same seed, then %v", some, all[:5])
	}
	if slices.Equal(some, g.DrawRelations(5, 4)) {
		t.Errorf("another seed gives %v too", some)
	}
}

func TestWhatKindsCannotHave(t *testing.T) {
	for want, change := range map[string]func(raw *format.Graph) Component{
		"of which all are kept": func(*format.Graph) Component { return Largest },
		"up to 31 are supported": func(raw *format.Graph) Component {
			raw.Relations = append(raw.Relations, slices.Repeat([]format.Relation{{Name: "none"}}, 28)...)
			return All
		},
	} {
		raw := library()
		_, err := New(raw, change(raw))
		var usage *run.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %s", err, want)
		}
	}
	g := newGraph(t, &format.Graph{Nodes: 2, Src: []int32{0}, Dst: []int32{1}}, All)
	if _, err := g.Normalize(Norm{Relations: 1}); err == nil {
		t.Error("relations of a graph that has none")
	}
}
