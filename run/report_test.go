package run

import (
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with testdata/name.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s is not as it was; if that is meant, go test ./run -update\n%s", name, diff)
	}
}

// described is a model that has nothing but a spec.
type described struct{ Model }

func (described) Spec() Spec {
	return Spec{
		Name: "sgc", Title: "Simplifying graph convolutional networks", Paper: "Wu et al., ICML 2019", Data: "a graph", Task: "graph-ml",
		Settings: []Setting{
			{Key: "hops", Type: Int, Default: "2", Doc: "K", Source: "Wu et al. 2019, section 5"},
			{Key: "weight-decay", Type: Float, Default: "5e-6", Doc: "L2 penalty"},
			{Key: "split", Type: String, Default: "public", Scope: OfData, Doc: "which nodes train"},
		},
		Presets: []Preset{{Name: "small", Doc: "for tests", Values: map[string]string{"hops": "1"}}},
		Use:     "Classifying the nodes of a graph.", Limits: "Nodes that the training did not see.",
	}
}

// reported is a finished job on no machine in particular.
func reported(t *testing.T, seeds int) *Job {
	t.Helper()
	dir := t.TempDir()
	config, err := Resolve(described{}.Spec(), Sources{
		Flags: map[string]string{"data": "graphs/<cora>", "memory": "300MiB", "threads": "2", "seed": "7", "seeds": fmt.Sprint(seeds), "preset": "small"},
		Set:   []string{"split=file:my splits.npz"},
	})
	if err != nil {
		t.Fatal(err)
	}
	j := &Job{
		Config: config, Memory: 300 << 20, Seed: 7, Seeds: seeds, Dir: &Dir{Path: dir}, task: described{},
		environment: Environment{Processor: "Abacus 9", Level: "avx2", Cores: 2, Memory: 8 << 30, Cgroup: 4 << 30, System: "linux/amd64", Go: "go1.26", Seraph: "0.1.0"},
		plan: &plan.Job{Version: 1, Budget: 300 << 20, Baseline: 40 << 20, ActualPeak: 190 << 20, Actual: 3.5, Stages: []plan.Stage{
			{Name: "propagate", Seconds: 1, Actual: 1.5, ActualPeak: 190 << 20, DiskRead: 1 << 30, Items: []plan.Item{
				{Name: "features", Bytes: 100 << 20, Where: plan.Streamed, Note: "blocks of 512 columns"}, {Name: "graph", Bytes: 60 << 20, Where: plan.Resident}}},
			{Name: "train", Seconds: 2, Actual: 1.9, ActualPeak: 120 << 20, Items: []plan.Item{{Name: "weights", Bytes: 80 << 20, Where: plan.Resident}}},
		}},
	}
	if err := j.Tune(map[string]string{"weight-decay": "1e-5"}); err != nil {
		t.Fatal(err)
	}
	j.Notef("read as planetoid")
	j.Degraded("2 nodes without a class were left out", "--set split=all")
	for i := range seeds {
		trial := &Trial{Seed: 7 + uint64(i), Dir: filepath.Join(dir, fmt.Sprint(i)), job: j}
		if err := os.Mkdir(trial.Dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for step := 1; step <= 3; step++ {
			if err := trial.Log(step, Metric{"loss", 2 / float64(step+i)}, Metric{"val_loss", 3 / float64(step)}, Metric{"val_accuracy", 0.5 + 0.1*float64(step)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := trial.close(); err != nil {
			t.Fatal(err)
		}
		trial.done = &trialRecord{Seed: trial.Seed, Score: float64(i % 2), Files: []fileSeal{{SHA256: fmt.Sprintf("%064d", i)}},
			Metrics: []Metric{{"test_accuracy", 0.8 + 0.01*float64(i)}, {"val_loss", 1.25}}}
		j.trials = append(j.trials, trial)
	}
	j.AddSection(Section{Title: "Search on validation", Text: "Two settings were tried.\n\nThe second is used.", Figures: []Figure{
		Table{Caption: "tried", Head: []string{"weight decay", "scale"}, Rows: [][]string{{"1e-6", "rows"}, {"1e-5", "none"}}},
		Histogram{Caption: "Degrees", XLabel: "degree", Edges: []float64{0, 1, 10}, Counts: []int{4, 2}},
		HeatMap{Caption: "Confusion", Rows: []string{"a", "b"}, Columns: []string{"a", "b"}, Values: [][]float64{{9, 1}, {2, math.NaN()}}},
		Lines{Caption: "Gain", XLabel: "hops", YLabel: "accuracy", X: []float64{1, 2}, Series: []Series{{Name: "Photo", Y: []float64{0.5, math.NaN()}}}},
	}})
	return j
}

var (
	unseen = regexp.MustCompile(`(?s)<(style|script)\b.*?</(style|script)>`)
	tags   = regexp.MustCompile(`<[^>]*>`)
	blank  = regexp.MustCompile(`\s*\n\s*`)
)

// visible is the text of a page, a line for each element.
func visible(page string) string {
	text := tags.ReplaceAllString(unseen.ReplaceAllString(page, ""), "\n")
	return strings.TrimSpace(blank.ReplaceAllString(html.UnescapeString(text), "\n")) + "\n"
}

func TestReportAndCard(t *testing.T) {
	finished := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, seeds := range []int{1, 3} {
		j := reported(t, seeds)
		r := j.result()
		page, err := j.report(r, finished)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("report-%d.txt", seeds), visible(string(page)))
		golden(t, fmt.Sprintf("card-%d.md", seeds), j.card(r, finished))
	}
}

func TestReportStandsAlone(t *testing.T) {
	j := reported(t, 1)
	page, err := j.report(j.result(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	outside := regexp.MustCompile(`(?i)<link|\bsrc\s*=|@import|\burl\(|<iframe|\bfetch\(|XMLHttpRequest`)
	if found := outside.Find(page); found != nil {
		t.Errorf("the report asks for something outside of itself: %s", found)
	}
	if strings.Contains(string(page), "<cora>") {
		t.Error("a name from outside stands in the page as markup")
	}
	data := regexp.MustCompile(`(?s)<script id="charts" type="application/json">(.*?)</script>`).FindSubmatch(page)
	var charts []struct {
		X      []float64
		Series []struct {
			Name string
			Y    []*float64
		}
	}
	if data == nil || json.Unmarshal(data[1], &charts) != nil {
		t.Fatalf("the charts are no JSON: %s", data)
	}
	// loss and val_loss in one, accuracy, and the model's own, whose NaN is a gap.
	if len(charts) != 3 || len(charts[0].Series) != 2 || len(charts[0].X) != 3 || charts[2].Series[0].Y[1] != nil {
		t.Errorf("charts %s", data[1])
	}
}

func TestLongCurvesAreDrawnAsMeans(t *testing.T) {
	c := &curve{every: 1}
	for i := 1; i <= 2501; i++ {
		c.add(float64(i), float64(i))
	}
	x, y := c.steps, c.values()
	if c.every != 4 || len(x) != 626 || x[0] != 4 || y[0] != 2.5 || x[624] != 2500 || y[624] != 2498.5 || x[625] != 2501 || y[625] != 2501 {
		t.Errorf("every %d, %d points, first %v %v, last %v %v", c.every, len(x), x[0], y[0], x[len(x)-1], y[len(y)-1])
	}
}

func TestLinesAtOtherStepsShareAChart(t *testing.T) {
	c := &chart{X: []float64{1, 2, 3}}
	c.merge(chartLine{Name: "loss", Y: []float64{3, 2, 1}}, []float64{1, 2, 3})
	c.merge(chartLine{Name: "val loss", Y: []float64{5, 4}}, []float64{2, 4})
	got, err := json.Marshal(c)
	if want := `{"xlabel":"","x":[1,2,3,4],"log":false,"series":[{"name":"loss","faint":false,"y":[3,2,1,null]},{"name":"val loss","faint":false,"y":[null,5,null,4]}]}`; err != nil || string(got) != want {
		t.Errorf("%s\nexpected %s", got, want)
	}
}

func TestCommandIsWhatAShellReads(t *testing.T) {
	for word, want := range map[string]string{"a-b/c.d": "a-b/c.d", "my file": "'my file'", "": "''", "it's": `'it'\''s'`, "$x;": "'$x;'", "lr=1e-3": "lr=1e-3"} {
		if got := quote(word); got != want {
			t.Errorf("%q: %s, expected %s", word, got, want)
		}
	}
}
