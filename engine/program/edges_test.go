package program

import (
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// The edges of the test cases, with a loop at every node but the last, which has no edges at all:
//
//	0──1──2
//	 \ │  │
//	   3  4    5
const smallNodes, smallEntries = 6, 5 + 2*5

func smallEdges(p *Program) *Edges {
	return p.NewEdges("edges", tensor.Fixed(smallNodes), smallEntries)
}

// smallEdgeArrays are what is bound to their values, by name.
func smallEdgeArrays() map[string][]float64 {
	indptr := []int64{0, 3, 7, 10, 13, 15, 15}
	indices := []int32{0, 1, 3, 0, 1, 2, 3, 1, 2, 4, 0, 1, 3, 2, 4}
	mirror := make([]int32, len(indices))
	if !kernel.EdgeMirror(mirror, make([]int64, smallNodes), indptr, indices) {
		panic("the edges are not symmetric")
	}
	return map[string][]float64{"edges.indptr": whole(indptr), "edges.indices": whole(indices), "edges.mirror": whole(mirror)}
}

func whole[T int32 | int64](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func TestOperationsOnEdgesNameWrongSizes(t *testing.T) {
	for want, build := range map[string]func(p *Program, e *Edges){
		"float32 (heads, 15)": func(p *Program, e *Edges) { p.EdgeSoftmax(e, p.Parameter("x", nil, 2, 14)) },
		"for 6 nodes and 2 heads": func(p *Program, e *Edges) {
			p.EdgeAggregate(e, p.Parameter("w", nil, 2, 15), p.Parameter("x", nil, 6, 5))
		},
		"for 6 nodes and 1 heads":  func(p *Program, e *Edges) { p.EdgeScores(e, p.Parameter("l", nil, 5, 2), p.Parameter("r", nil, 5, 2)) },
		"at one end and f32[6, 3]": func(p *Program, e *Edges) { p.EdgeScores(e, p.Parameter("l", nil, 6, 2), p.Parameter("r", nil, 6, 3)) },
	} {
		p := New("wrong")
		build(p, smallEdges(p))
		if p.Err() == nil || !strings.Contains(p.Err().Error(), want) {
			t.Errorf("%v, expected %q", p.Err(), want)
		}
	}
}
