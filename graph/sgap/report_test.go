package sgap_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/search"
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/run"
)

// page is a report as a reader sees it.
type page struct {
	text   string
	Charts []chart
}

// chart is what the script of the page draws.
type chart struct {
	XLabel string
	X      []float64
	Series []struct {
		Name string
		Y    []float64
	}
}

// readReport reads the report of a run.
func readReport(t *testing.T, dir string) (p page) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	data := regexp.MustCompile(`(?s)<script id="charts" type="application/json">(.*?)</script>`).FindSubmatch(text)
	if data == nil {
		t.Fatal("the report has no charts")
	}
	if err := json.Unmarshal(data[1], &p.Charts); err != nil {
		t.Fatal(err)
	}
	p.text = string(text)
	return p
}

var (
	tableRows  = regexp.MustCompile(`(?s)<tr>(.*?)</tr>`)
	tableCells = regexp.MustCompile(`(?s)<t[hd][^>]*>(.*?)</t[hd]>`)
)

// table is the one under a caption, in a section of the report, the head first.
func (p *page) table(t *testing.T, section, caption string) (rows [][]string) {
	t.Helper()
	_, rest, found := strings.Cut(p.text, "<h2>"+section+"</h2>")
	if found {
		rest, _, _ = strings.Cut(rest, "<h2>")
		_, rest, found = strings.Cut(rest, "<figcaption>"+html.EscapeString(caption))
	}
	if !found {
		t.Fatalf("the report has no %q under %q", caption, section)
	}
	rest, _, _ = strings.Cut(rest, "</table>")
	for _, row := range tableRows.FindAllStringSubmatch(rest, -1) {
		var cells []string
		for _, c := range tableCells.FindAllStringSubmatch(row[1], -1) {
			cells = append(cells, html.UnescapeString(c[1]))
		}
		rows = append(rows, cells)
	}
	return rows
}

// series is the one of that name among the charts.
func (p *page) series(t *testing.T, name string) (x, y []float64) {
	t.Helper()
	for _, c := range p.Charts {
		for _, s := range c.Series {
			if s.Name == name {
				return c.X, s.Y
			}
		}
	}
	t.Fatalf("the report draws no %s", name)
	return nil, nil
}

// degreeClass is 0, 1, 2–3, 4–7, … as reports have it.
func degreeClass(degree int) string {
	n := bits.Len(uint(degree))
	if n < 2 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d–%d", 1<<(n-1), 1<<n-1)
}

// TestReportShowsAccuracyClassesAndWeightsOfHops holds what a report shows against the metrics, the predictions and the graph.
func TestReportShowsAccuracyClassesAndWeightsOfHops(t *testing.T) {
	data, m := sgap.Blocks(t), sgap.ModelNamed(t, "gamlp-jk")
	o := options(t, data, "hops=3", "epochs=7", "hidden=8")
	trainWith(t, m, o)
	p := readReport(t, o.Out)

	text, err := os.ReadFile(filepath.Join(o.Out, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	x, y := p.series(t, "val accuracy")
	epoch := 0
	for line := range bytes.Lines(text) {
		var at struct {
			Step     float64
			Accuracy float64 `json:"val_accuracy"`
		}
		if err := json.Unmarshal(line, &at); err != nil {
			t.Fatal(err)
		}
		if epoch >= len(y) || x[epoch] != at.Step || math.Abs(y[epoch]-at.Accuracy) > 1e-6 {
			t.Fatalf("accuracy over epochs is drawn as %v, %v; epoch %v had %v", x, y, at.Step, at.Accuracy)
		}
		epoch++
	}
	if epoch != 7 || len(y) != 7 {
		t.Errorf("%d epochs, of which %d are drawn", epoch, len(y))
	}

	g := cleaned(t, data)
	counts := make([][]int, g.Classes)
	for c := range counts {
		counts[c] = make([]int, g.Classes)
	}
	rows := predictedRows(t, "gamlp-jk", m, o.Out, data)
	degrees := map[string]int{}
	for _, u := range g.Public.Test {
		counts[g.Labels[u]][slices.Index(rows[u], slices.Max(rows[u]))]++
		degrees[degreeClass(g.Degree(int(u)))]++
	}
	classes := [][]string{{"class", "nodes", "precision", "recall", "F1"}}
	confusion := [][]string{{""}}
	for c, row := range counts {
		all, predicted := 0, 0
		for k, n := range row {
			all += n
			predicted += counts[k][c]
		}
		f := func(part, whole int) string { return fmt.Sprintf("%.3f", float64(part)/float64(max(whole, 1))) }
		classes = append(classes, []string{fmt.Sprint(c), fmt.Sprint(all), f(row[c], predicted), f(row[c], all), f(2*row[c], predicted+all)})
		confusion[0] = append(confusion[0], fmt.Sprint(c))
		shares := []string{fmt.Sprint(c)}
		for _, n := range row {
			shares = append(shares, fmt.Sprintf("%.3g", float64(n)/float64(all)))
		}
		confusion = append(confusion, shares)
	}
	if d := cmp.Diff(classes, p.table(t, "Test results by class", "Per class, on the test nodes")); d != "" {
		t.Errorf("classes as predicted (-) and as reported (+):\n%s", d)
	}
	if d := cmp.Diff(confusion, p.table(t, "Test results by class", "Confusion")); d != "" {
		t.Errorf("confusion as predicted (-) and as reported (+):\n%s", d)
	}

	heat := p.table(t, "Weights of the hops", "Mean weight of each hop (columns), by degree of the node (rows)")
	attended := p.table(t, "Weights of the hops", "Attended hop Σ k·w_k")
	if len(heat) != len(attended) || len(heat) != len(degrees)+1 {
		t.Fatalf("%d and %d rows, the test nodes have %d classes of degree", len(heat), len(attended), len(degrees))
	}
	for i := 1; i < len(heat); i++ {
		sum, hop := 0.0, 0.0
		for k, text := range heat[i][1:] {
			sum += number(t, text)
			hop += float64(k) * number(t, text)
		}
		if len(heat[i]) != 5 || math.Abs(sum-1) > 2e-3 || math.Abs(hop-number(t, attended[i][2])) > 4e-3 {
			t.Errorf("degree %s: weights %v, attended hop %s", heat[i][0], heat[i][1:], attended[i][2])
		}
		if attended[i][0] != heat[i][0] || attended[i][1] != fmt.Sprint(degrees[heat[i][0]]) {
			t.Errorf("degree %s: %v, there are %d test nodes", heat[i][0], attended[i], degrees[heat[i][0]])
		}
	}
}

// cleaned is a graph as models see it.
func cleaned(t *testing.T, data string) *graph.Graph {
	t.Helper()
	raw, err := ogb.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.New(raw, graph.All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// TestReportShowsStepsByDegree holds the distribution of local smoothing iterations against the steps themselves.
func TestReportShowsStepsByDegree(t *testing.T) {
	data := sgap.Blocks(t)
	o := options(t, data, "epochs=2", "epsilon=0.05", "kmax=12", "scaling=l1")
	trainWith(t, sgap.ModelNamed(t, "ndls-f"), o)
	p := readReport(t, o.Out)

	g := cleaned(t, data)
	a, err := g.Normalize(graph.Norm{SelfLoops: true})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s := &graph.Smoothing{Graph: g, Adjacency: a, Scaling: graph.ScaleL1, Epsilon: 0.05, Kmax: 12}
	local, err := s.Steps(t.Context(), s.Ways()[0], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	nodes, steps := map[string]float64{}, map[string]float64{}
	atMost := make([]float64, slices.Max(local.K)+1)
	for u, k := range local.K {
		class := degreeClass(g.Degree(u))
		nodes[class]++
		steps[class] += float64(k)
		for j := int(k); j < len(atMost); j++ {
			atMost[j] += 1 / float64(g.Nodes)
		}
	}
	if len(nodes) < 4 || atMost[1] > 0.99 {
		t.Fatalf("nodes by degree %v, by steps %v: too few kinds for a test", nodes, atMost)
	}
	x, y := p.series(t, "nodes")
	if len(x) != len(atMost) {
		t.Fatalf("%d numbers of steps are drawn, expected %d", len(x), len(atMost))
	}
	for k, share := range atMost {
		if x[k] != float64(k) || math.Abs(y[k]-share) > 1e-6 {
			t.Errorf("%v of the nodes are drawn at %v steps, expected %v at %d", y[k], x[k], share, k)
		}
	}
	table := p.table(t, "Local smoothing iterations of features", "Steps by degree")
	for _, row := range table[1:] {
		if row[1] != fmt.Sprint(nodes[row[0]]) || math.Abs(number(t, row[2])-steps[row[0]]/nodes[row[0]]) > 5.1e-3 {
			t.Errorf("degree %s: %v, expected %v nodes of %.2f steps", row[0], row, nodes[row[0]], steps[row[0]]/nodes[row[0]])
		}
	}
	if len(table) != len(nodes)+1 {
		t.Errorf("%d classes of degree are shown, there are %d", len(table)-1, len(nodes))
	}
}

// TestReportShowsTheParetoFront holds the front against all designs that were tried, as the journal has them.
func TestReportShowsTheParetoFront(t *testing.T) {
	data := sgap.Blocks(t)
	o := run.Options{Out: filepath.Join(t.TempDir(), "run"), Sources: run.Sources{
		Flags: map[string]string{"data": data, "evaluations": "20", "epochs": "2", "hidden": "8", "seed": "3", "strategy": "random"},
	}}
	job, err := run.New(sgap.Searches()[0], o)
	if err != nil {
		t.Fatal(err)
	}
	found, err := job.Search(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	job.Close()
	p := readReport(t, o.Out)

	text, err := os.ReadFile(filepath.Join(o.Out, "trials.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var points [][]float64
	var designs []string
	for line := range bytes.Lines(text) {
		var trial struct {
			Told     string
			Accuracy *float64 `json:"val_accuracy"`
			Cost     float64
		}
		if err := json.Unmarshal(line, &trial); err != nil {
			t.Fatal(err)
		}
		if trial.Told != "" && trial.Accuracy != nil {
			points, designs = append(points, []float64{1 - *trial.Accuracy, trial.Cost}), append(designs, trial.Told)
		}
	}
	if len(designs) != 20 {
		t.Fatalf("%d of 20 designs in %s", len(designs), text)
	}
	var want []string
	for _, i := range search.Front(points) {
		want = append(want, fmt.Sprintf("%s %.4g %.4g", designs[i], points[i][0], points[i][1]))
	}
	var got []string
	for _, row := range p.table(t, "Pareto front", "Designs that no other design dominates")[1:] {
		got = append(got, strings.Join(row[:3], " "))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the front of the journal (-) and of the report (+):\n%s", d)
	}
	if x, _ := p.series(t, "designs"); len(x) != 20 {
		t.Errorf("%d of 20 designs are drawn", len(x))
	}
	_, volume := p.series(t, "hypervolume")
	if len(volume) != 20 || !slices.IsSorted(volume) || math.Abs(volume[19]-found.Metrics["hypervolume"]) > 1e-6 {
		t.Errorf("the hypervolume is drawn as %v, it is %v", volume, found.Metrics["hypervolume"])
	}
}
