package sgap

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/internal/recorded"
)

const oracle = "../../bench/oracle/testdata/sgc/"

// TestTenStepsOfSGCAgreeWithPyTorch propagates and trains as bench/oracle/sgc_ten_steps.py does.
func TestTenStepsOfSGCAgreeWithPyTorch(t *testing.T) {
	text, err := os.ReadFile(oracle + "losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Hops     int       `json:"hops"`
		Losses   []float64 `json:"losses_float64"`
		Training struct {
			LR          float64 `json:"lr"`
			WeightDecay float64 `json:"weight_decay"`
		} `json:"training"`
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	data, init := recorded.Open(t, oracle+"data.safetensors"), recorded.Open(t, oracle+"init.safetensors")
	edges, labels, features := recorded.Values[int64](t, data, "edge_index"), recorded.Values[int64](t, data, "labels"), recorded.Values[float32](t, data, "features")
	m, n := len(edges)/2, len(labels)
	g := &format.Graph{Name: "oracle", Nodes: n, Features: format.Features{Cols: len(features) / n, Dense: features}}
	for i := range m {
		g.Src, g.Dst = append(g.Src, int32(edges[i])), append(g.Dst, int32(edges[m+i]))
	}
	for _, label := range labels {
		g.Labels = append(g.Labels, int32(label))
		g.Classes = max(g.Classes, int(label)+1)
	}
	clean, err := graph.New(g, graph.All)
	if err != nil {
		t.Fatal(err)
	}
	defer clean.Close()
	a, err := clean.Normalize(graph.Symmetric)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	p := &graph.Propagation{Graph: clean, Adjacency: a, Scaling: graph.ScaleNone, First: want.Hops, K: want.Hops}
	hops, err := p.Run(t.Context(), p.Ways()[0], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer hops.Close()
	for i, w := range recorded.Values[float64](t, data, "propagated") {
		if got := float64(hops.Matrix(want.Hops)[i]); math.Abs(got-w) > 1e-6 {
			t.Fatalf("propagated feature %d is %g, expected %g", i, got, w)
		}
	}

	d := Design{Norm: graph.Symmetric, Hops: want.Hops, Scaling: graph.ScaleNone, Messages: Last, Head: nn.MLP{Layers: 1}}
	var train []int32
	for _, id := range recorded.Values[int64](t, data, "train") {
		train = append(train, int32(id))
	}
	ps, err := d.Compile(Training{WeightDecay: want.Training.WeightDecay, Optimizer: "adam"},
		Sizes{Features: g.Features.Cols, Classes: g.Classes, Train: len(train), Eval: n, Threads: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := newTrainer(ps, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	copy(tr.session.Tensor("head.0.weight").Float32s(), recorded.Values[float32](t, init, "lin.weight"))
	copy(tr.session.Tensor("head.0.bias").Float32s(), recorded.Values[float32](t, init, "lin.bias"))
	rows := &Rows{Count: len(train), Hops: []HopRows{{Dense: make([]float32, len(train)*g.Features.Cols)}}}
	if err := hops.Gather(train, want.Hops, rows.Hops[0].Dense); err != nil {
		t.Fatal(err)
	}
	for _, u := range train {
		rows.Labels = append(rows.Labels, g.Labels[u])
	}
	used := 0.0
	for i, w := range want.Losses {
		got, err := tr.fit(rows, want.Training.LR)
		if err != nil {
			t.Fatal(err)
		}
		off := math.Abs(got-w) / w
		used = max(used, off)
		if !(off <= 1e-5) {
			t.Errorf("step %d: loss %.9g, PyTorch has %.9g", i+1, got, w)
		}
	}
	t.Logf("largest relative difference of a loss %.1e of 1e-5", used)
}
