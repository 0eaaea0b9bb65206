package graph

import (
	"math"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/planetoid"
	"github.com/seraph-ml/seraph/format/shchur"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// realGraph reads one of the real data sets.
func realGraph(t testing.TB, name string, c Component) *Graph {
	t.Helper()
	var raw *format.Graph
	var err error
	switch name {
	case "cora", "citeseer":
		path := realdata.Path(t, "data/graph/planetoid/ind."+name+".graph")
		raw, err = planetoid.Read(path[:len(path)-len(".graph")])
	default:
		raw, err = shchur.Read(realdata.Path(t, "data/graph/"+name+".zip"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return newGraph(t, raw, c)
}

func newGraph(t testing.TB, raw *format.Graph, c Component) *Graph {
	t.Helper()
	g, err := New(raw, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// The published statistics of the real sets, and those that SciPy gives for what is published differently: papers count raw entries of
// Cora and Citeseer, duplicates included, and the largest component of Photo.
func TestRealGraphsHaveTheirKnownStatistics(t *testing.T) {
	for _, want := range []struct {
		name                                              string
		nodes, cols, classes, edges, components, isolated int
		largest, largestEdges, maxDegree, features        int
		homophily                                         float64
	}{
		{"cora", 2708, 1433, 7, 5278, 78, 0, 2485, 5069, 168, 49216, .80997},
		{"citeseer", 3327, 3703, 6, 4552, 438, 48, 2120, 0, 99, 105165, .73550},
		{"amazon-photo", 7650, 745, 8, 119081, 136, 115, 7487, 119043, 1434, 1979909, .8272},
		{"coauthor-cs", 18333, 6805, 15, 81894, 1, 0, 18333, 81894, 136, 1092079, .8081},
	} {
		t.Run(want.name, func(t *testing.T) {
			if testing.Short() && want.nodes > 5000 {
				t.Skip("reads a large file")
			}
			g := realGraph(t, want.name, All)
			_, sizes := g.Components()
			isolated, greatest := 0, 0
			for u := range g.Nodes {
				greatest = max(greatest, g.Degree(u))
				if g.Degree(u) == 0 {
					isolated++
				}
			}
			for _, c := range []struct {
				what      string
				got, want int
			}{
				{"nodes", g.Nodes, want.nodes}, {"feature columns", g.Features.Cols, want.cols}, {"classes", g.Classes, want.classes},
				{"edges", g.Edges(), want.edges}, {"components", len(sizes), want.components}, {"largest component", slices.Max(sizes), want.largest},
				{"isolated nodes", isolated, want.isolated}, {"greatest degree", greatest, want.maxDegree},
				{"feature entries", len(g.Features.Sparse.Values), want.features},
			} {
				if c.got != c.want {
					t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
				}
			}
			for i, label := range g.Labels {
				g.Labels[i] = max(label, 0) // the 15 nodes of Citeseer without a label count as class 0 there
			}
			if h := g.Homophily(); math.Abs(h-want.homophily) > 5e-5 {
				t.Errorf("homophily %.5f, want %.5f", h, want.homophily)
			}
			l := realGraph(t, want.name, Largest)
			if l.Nodes != want.largest || want.largestEdges > 0 && l.Edges() != want.largestEdges {
				t.Errorf("largest component: %d nodes and %d edges, want %d and %d", l.Nodes, l.Edges(), want.largest, want.largestEdges)
			}
			if !slices.IsSorted(l.IDs) {
				t.Error("ids of the largest component do not ascend")
			}
		})
	}
}
