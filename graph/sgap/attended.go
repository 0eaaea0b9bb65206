package sgap

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/seraph-ml/seraph/run"
)

// attended collects the weights that nodes give to hops, by degree (the heat map of the GAMLP paper).
type attended struct {
	Hops int           `json:"hops"`
	Bins []attendedBin `json:"bins"` // nodes of degree 0, 1, 2–3, 4–7, …
	All  moments       `json:"all"`  // of the attended hop Σ_k k·w_k, over all nodes
}

// attendedBin is nodes of about the same degree.
type attendedBin struct {
	Nodes   int       `json:"nodes"`
	Weights []float64 `json:"weights"` // of each hop, summed
	Hop     moments   `json:"hop"`
}

// moments are sums that give a mean and a standard deviation.
type moments struct {
	N       float64 `json:"n"`
	Sum     float64 `json:"sum"`
	Squares float64 `json:"squares"`
}

func (m *moments) add(x float64) {
	m.N++
	m.Sum += x
	m.Squares += x * x
}

func (m *moments) mean() float64 { return m.Sum / max(m.N, 1) }

func (m *moments) deviation() float64 {
	return math.Sqrt(max(m.Squares/max(m.N, 1)-m.mean()*m.mean(), 0))
}

// add counts a node of some degree with its weights.
func (a *attended) add(degree int, weights []float32) {
	a.Hops = len(weights)
	at := bits.Len(uint(degree))
	for len(a.Bins) <= at {
		a.Bins = append(a.Bins, attendedBin{Weights: make([]float64, a.Hops)})
	}
	bin := &a.Bins[at]
	bin.Nodes++
	hop, sum := 0.0, 0.0
	for k, w := range weights {
		bin.Weights[k] += float64(w)
		hop += float64(k) * float64(w)
		sum += float64(w)
	}
	hop /= sum
	bin.Hop.add(hop)
	a.All.add(hop)
}

// valid says whether every bin has a weight for every hop.
func (a *attended) valid() bool {
	for i := range a.Bins {
		if len(a.Bins[i].Weights) != a.Hops {
			return false
		}
	}
	return true
}

// degrees names the nodes of a bin: "4–7".
func degrees(bin int) string {
	if bin < 2 {
		return fmt.Sprint(bin)
	}
	return fmt.Sprintf("%d–%d", 1<<(bin-1), 1<<bin-1)
}

// summary says in a line how much the weights differ from node to node.
func (a *attended) summary() string {
	text := fmt.Sprintf("attended hop Σ k·w_k over the test nodes: mean %.3f, standard deviation %.3f; by degree", a.All.mean(), a.All.deviation())
	for i := range a.Bins {
		if b := &a.Bins[i]; b.Nodes > 0 {
			text += fmt.Sprintf(" %s: %.3f", degrees(i), b.Hop.mean())
		}
	}
	return text
}

// section is the weights as a section of the report.
func (a *attended) section() run.Section {
	heat := run.HeatMap{Caption: "Mean weight of each hop (columns), by degree of the node (rows)"}
	table := run.Table{Caption: "Attended hop Σ k·w_k", Head: []string{"degree", "nodes", "mean", "standard deviation"}}
	for k := range a.Hops {
		heat.Columns = append(heat.Columns, fmt.Sprint(k))
	}
	for i := range a.Bins {
		b := &a.Bins[i]
		if b.Nodes == 0 {
			continue
		}
		means := make([]float64, a.Hops)
		for k, w := range b.Weights {
			means[k] = w / float64(b.Nodes)
		}
		heat.Rows, heat.Values = append(heat.Rows, degrees(i)), append(heat.Values, means)
		table.Rows = append(table.Rows, []string{
			degrees(i), fmt.Sprint(b.Nodes), fmt.Sprintf("%.3f", b.Hop.mean()), fmt.Sprintf("%.3f", b.Hop.deviation()),
		})
	}
	return run.Section{
		Title:   "Weights of the hops",
		Text:    "How far each node looks, of the test nodes and the seed with the best validation accuracy. Equal weights everywhere would make the model a mean of hops.",
		Figures: []run.Figure{heat, table},
	}
}
