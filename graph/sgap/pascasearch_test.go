package sgap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/search"
	"github.com/seraph-ml/seraph/run"
)

// searching are the options of a small search in a fresh run directory.
func searching(t *testing.T, data string, set ...string) run.Options {
	flags := map[string]string{"data": data, "evaluations": "16", "epochs": "2", "hidden": "8", "parallel": "3"}
	for _, s := range set {
		key, value, _ := strings.Cut(s, "=")
		flags[key] = value
	}
	return run.Options{Sources: run.Sources{Flags: flags}, Out: filepath.Join(t.TempDir(), "run")}
}

// searchOnce runs a search to its end, or its interruption, and returns its journal.
func searchOnce(s run.Searcher, o run.Options) (*run.Found, string, error) {
	job, err := run.New(s, o)
	if err != nil {
		return nil, "", err
	}
	defer job.Close()
	found, err := job.Search(context.Background())
	if err != nil {
		return nil, "", err
	}
	text, err := os.ReadFile(filepath.Join(o.Out, journalName))
	return found, string(text), err
}

func TestSearchDependsNeitherOnThreadsNorOnInterruptions(t *testing.T) {
	data := Blocks(t)
	strategies := []string{"bayes", "random", "nsga2"}
	if testing.Short() {
		strategies = strategies[:1]
	}
	for _, strategy := range strategies {
		set := []string{"strategy=" + strategy, "population=4", "seed=3", "seeds=2", "finalists=3"}
		found, want, err := searchOnce(PaScaSearch{}, searching(t, data, append(set, "threads=1")...))
		if err != nil {
			t.Fatal(err)
		}
		if n, finals := strings.Count(want, `"told"`), strings.Count(want, `"final"`); n != 16 || finals != 3 {
			t.Fatalf("%s: %d designs were tried, %d of them again", strategy, n, finals)
		}
		o := searching(t, data, append(set, "threads=4")...)
		stops := 0
		for o.Resume = true; ; stops++ {
			ended := interruptAfter(&o, 5*(stops+1), journalName, `"told"`, `"final"`)
			again, got, err := searchOnce(PaScaSearch{}, o)
			ended()
			if errors.Is(err, run.ErrInterrupted) {
				tear(t, o.Out, journalName)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, %d interruptions, four threads (+) and one (-):\n%s", strategy, stops, d)
			}
			if d := cmp.Diff(found.Findings, again.Findings); d != "" {
				t.Errorf("%s: what was found:\n%s", strategy, d)
			}
			break
		}
		if stops == 0 {
			t.Errorf("%s: not interrupted", strategy)
		}
		if err := run.Check(o.Out); err != nil {
			t.Error(err)
		}
	}
}

// interruptAfter interrupts a search once a file of its directory has n of some marks; the function it returns ends the watching.
func interruptAfter(o *run.Options, n int, name string, marks ...string) (end func()) {
	interrupt, stop, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	o.Interrupt = interrupt
	path := filepath.Join(o.Out, name)
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			text, _ := os.ReadFile(path)
			found := 0
			for _, mark := range marks {
				found += strings.Count(string(text), mark)
			}
			if found >= n {
				close(interrupt)
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
	}
}

// tear leaves half a line at the end of a file, as a crash may.
func tear(t *testing.T, dir, name string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.WriteString(f, `{"told":"k_pre=0,k_tr`); err != nil {
		t.Fatal(err)
	}
}

// TestFoundDesignsTrainToWhatTheSearchSaw runs the commands of a report.
func TestFoundDesignsTrainToWhatTheSearchSaw(t *testing.T) {
	o := searching(t, Blocks(t), "seeds=2", "finalists=2", "seed=5", "objectives=error,cost,memory", "lr=0.05")
	found, _, err := searchOnce(PaScaSearch{}, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Findings) < 2 {
		t.Fatalf("a front of %d designs", len(found.Findings))
	}
	for _, f := range found.Findings {
		words := strings.Fields(f.Command)
		if strings.Join(words[:3], " ") != "seraph train pasca" {
			t.Fatalf("command %s", f.Command)
		}
		flags := map[string]string{}
		for i := 3; i+1 < len(words); i += 2 {
			flags[strings.TrimPrefix(words[i], "--")] = words[i+1]
		}
		r, err := run.Train(t.Context(), Model{pascaPreset()}, run.Options{Sources: run.Sources{Flags: flags}, Out: filepath.Join(t.TempDir(), "run")})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"val_accuracy", "test_accuracy"} {
			if got, want := r.Metrics[name], f.Metrics[name]; math.Abs(got-want) > 1e-15 {
				t.Errorf("%s: %s %v, in the search %v", f.Command, name, got, want)
			}
		}
	}
}

// TestDesignsAreTheirSettings holds the designs of the space against what the model makes of the flags for them.
func TestDesignsAreTheirSettings(t *testing.T) {
	base := presetChoice(t, map[string]string{"hops": "0", "post-hops": "0"})
	draws, err := search.NewRandom(search.Problem{Space: search.PaSca(), Objectives: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		d, _ := draws.Ask()
		if diff := cmp.Diff(presetChoice(t, settingsOf(d)), designChoice(base, d), cmp.AllowUnexported(choice{})); diff != "" {
			t.Fatalf("%s: by flags (-) and in a search (+)\n%s", d, diff)
		}
	}
}

func presetChoice(t *testing.T, flags map[string]string) choice {
	t.Helper()
	all := map[string]string{"data": "none"}
	for key, text := range flags {
		all[key] = text
	}
	c, err := run.Resolve(Model{pascaPreset()}.Spec(), run.Sources{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	return pascaPreset().choice(c.Values, false)
}

// TestCostOfKnownDesigns counts multiply-adds by hand: 10 nodes, 3 features, 2 classes, 34 entries of Â, 12 of triangles.
func TestCostOfKnownDesigns(t *testing.T) {
	z := &costSize{10, 3, 2, map[graph.Norm]int64{graph.Symmetric: 34, {Triangles: true}: 12}}
	base := presetChoice(t, map[string]string{"hidden": "4", "hops": "0", "post-hops": "0"})
	for text, want := range map[string]struct{ cost, numbers float64 }{
		"k_pre=0,k_trans=1,k_post=0":                                          {10 * 3 * 2, 3*2 + 2 + 30},
		"k_pre=0,k_trans=3,k_post=0":                                          {10 * (12 + 16 + 8), 36 + 10 + 30},
		"k_pre=2,ga_pre=aug-na,ma=none,k_trans=1,k_post=0":                    {2*34*3 + 60, 8 + 30},
		"k_pre=2,ga_pre=ppr-0.1,ma=mean,k_trans=1,k_post=0":                   {2*44*3 + 3*30 + 60, 8 + 30},
		"k_pre=2,ga_pre=triangle-ia,ma=concatenate,k_trans=1,k_post=0":        {2*12*3 + 10*9*2, 18 + 2 + 90},
		"k_pre=1,ga_pre=aug-na,ma=adaptive,k_trans=1,k_post=0":                {34*3 + 2*2*30 + 60, 8 + 4 + 60},
		"k_pre=0,k_trans=1,k_post=3,ga_post=ppr-0.2":                          {60 + 3*44*2, 8 + 30 + 40},
		"k_pre=1,ga_pre=aug-na,ma=max,k_trans=1,k_post=1,ga_post=triangle-ia": {34*3 + 2*30 + 60 + 12*2, 8 + 30 + 40},
	} {
		d, err := search.PaSca().Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		c := designChoice(base, d)
		if got := z.cost(&c.design); got != want.cost {
			t.Errorf("%s: cost %g, by hand %g", text, got, want.cost)
		}
		if got := z.memory(&c.design); got != 4*want.numbers {
			t.Errorf("%s: memory %g, by hand %g", text, got, 4*want.numbers)
		}
	}
}

func TestSearchKeepsToItsBudget(t *testing.T) {
	data := Blocks(t)
	_, want, err := searchOnce(PaScaSearch{}, searching(t, data, "evaluations=4"))
	if err != nil {
		t.Fatal(err)
	}
	memory := "1MiB"
	for range 5 {
		o := searching(t, data, "evaluations=4", "memory="+memory)
		_, got, err := searchOnce(PaScaSearch{}, o)
		var small *plan.TooSmallError
		if errors.As(err, &small) {
			memory = fmt.Sprint(small.Smallest)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("a budget of %s gives\n%s\nenough memory\n%s", memory, got, want)
		}
		return
	}
	t.Errorf("%s are not enough either", memory)
}

func TestTimesAreAnObjective(t *testing.T) {
	found, _, err := searchOnce(PaScaSearch{}, searching(t, Blocks(t), "objectives=error,time,memory", "evaluations=6", "epochs=30", "lr=0.05", "hidden=32", "dropout=0.2", "input-dropout=0"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found.Findings {
		if !(f.Metrics["seconds"] > 0) {
			t.Errorf("%s: %v", f.Settings, f.Metrics)
		}
	}
	if v := found.Metrics["hypervolume"]; !(v > 0 && v < 1) {
		t.Errorf("hypervolume %v of a box", v)
	}
}

func TestJournalsThatMakeNoSenseAreRefused(t *testing.T) {
	o := searching(t, Blocks(t), "evaluations=3")
	if _, _, err := searchOnce(PaScaSearch{}, o); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(o.Out, "result.json")); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	for name, text := range map[string]string{
		"no JSON":        "{\n",
		"no design":      `{"asked":"k_pre=11"}` + "\n",
		"nothing":        "{}\n",
		"never asked":    `{"told":"k_pre=0,k_trans=1,k_post=0","val_accuracy":0.5}` + "\n",
		"asked twice":    strings.Repeat(`{"asked":"k_pre=0,k_trans=1,k_post=0"}`+"\n", 2),
		"asked and told": `{"asked":"k_pre=0,k_trans=1,k_post=0","told":"k_pre=0,k_trans=1,k_post=0"}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(o.Out, journalName), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		var corrupt *format.CorruptError
		if _, _, err := searchOnce(PaScaSearch{}, o); !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
