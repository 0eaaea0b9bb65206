package gnn_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/gnn"
	"github.com/seraph-ml/seraph/internal/recorded"
)

const oracle = "../../bench/oracle/testdata/"

// oracleGraph is the graph that the recorded trainings ran on, and which of its labels are told: −1 elsewhere.
func oracleGraph(t *testing.T) (g *graph.Graph, told []int32) {
	t.Helper()
	data := recorded.Open(t, oracle+"sgc/data.safetensors")
	edges, labels, features := recorded.Values[int64](t, data, "edge_index"), recorded.Values[int64](t, data, "labels"), recorded.Values[float32](t, data, "features")
	m, n := len(edges)/2, len(labels)
	r := &format.Graph{Name: "oracle", Nodes: n, Features: format.Features{Cols: len(features) / n, Dense: features}}
	for i := range m {
		r.Src, r.Dst = append(r.Src, int32(edges[i])), append(r.Dst, int32(edges[m+i]))
	}
	for _, label := range labels {
		r.Labels, told = append(r.Labels, int32(label)), append(told, -1)
		r.Classes = max(r.Classes, int(label)+1)
	}
	for _, u := range recorded.Values[int64](t, data, "train") {
		told[u] = r.Labels[u]
	}
	g, err := graph.New(r, graph.All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g, told
}

// record is a training of losses.json.
type record struct {
	Losses   []float64 `json:"losses_float64"`
	Training struct {
		LR          float64 `json:"lr"`
		WeightDecay float64 `json:"weight_decay"`
		Hidden      int     `json:"hidden"`
		Heads       int     `json:"heads"`
		OutHeads    int     `json:"out_heads"`
	} `json:"training"`
}

// TestTenStepsAgreeWithPyG trains as bench/oracle/gnn_ten_steps.py does with PyTorch Geometric.
func TestTenStepsAgreeWithPyG(t *testing.T) {
	text, err := os.ReadFile(oracle + "gnn/losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ GCN, GAT record }
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for kind, r := range map[gnn.Kind]record{gnn.GCN: want.GCN, gnn.GAT: want.GAT} {
		s := r.Training
		n := gnn.Network{Kind: kind, Layers: 2, Hidden: s.Hidden, Heads: s.Heads, OutHeads: s.OutHeads}
		got := lossesOf(t, n, len(r.Losses), s.LR, s.WeightDecay)
		used := 0.0
		for i, w := range r.Losses {
			off := math.Abs(got[i]-w) / w
			used = max(used, off)
			if !(off <= 1e-5) {
				t.Errorf("%s, step %d: loss %.9g, PyTorch Geometric has %.9g", kind, i+1, got[i], w)
			}
		}
		t.Logf("%s: largest relative difference of a loss %.1e of 1e-5", kind, used)
	}
}

// lossesOf trains a network on the graph of the oracle from its recorded weights.
func lossesOf(t *testing.T, n gnn.Network, steps int, lr, weightDecay float64) (losses []float64) {
	t.Helper()
	g, told := oracleGraph(t)
	a, err := g.Normalize(graph.Symmetric)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	edges, err := gnn.NewEdges(a)
	if err != nil {
		t.Fatal(err)
	}
	defer edges.Close()

	p := program.New("oracle")
	nodes := tensor.Fixed(g.Nodes)
	adjacency := gnn.NewAdjacency(p, nodes, len(a.Indices))
	x := p.External("x", tensor.F32(nodes, tensor.Fixed(g.Features.Cols)))
	labels := p.External("labels", tensor.I32(nodes))
	loss, _ := p.CrossEntropy(n.Forward(p, adjacency, x, g.Classes, true), labels)
	p.Output(loss)
	rate := optim.Minimize(p, loss, optim.DefaultAdam, 0, n.Groups(p, weightDecay)...).LR
	c, err := program.Compile(p, program.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	session, err := program.Start(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	init := recorded.Open(t, oracle+"gnn/"+string(n.Kind)+".safetensors")
	for _, v := range p.Parameters() {
		copy(session.Tensor(v.Name).Float32s(), recorded.Values[float32](t, init, v.Name))
	}
	e := session.Execution(c)
	edges.Bind(e, adjacency)
	e.Tensor(x).Bind(g.Features.Dense)
	e.Tensor(labels).BindInt32(told)
	for step := range steps {
		session.Step = uint64(step + 1)
		e.Tensor(rate).Float32s()[0] = float32(lr)
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, float64(e.Tensor(loss).Float32s()[0]))
	}
	return losses
}
