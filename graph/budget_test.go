package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"runtime/debug"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/shchur"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// report is what a job that ran in a process of its own came to.
type report struct {
	Way       Way
	Hash      string // of all hops
	Planned   int64
	Peak      int64
	PlanWrite int64
	Write     int64
	Smallest  int64 // with no other field set: the budget was too small
}

// jobEnv holds the budget of a job that this test binary is started for.
const jobEnv = "SERAPH_GRAPH_TEST_BUDGET"

// TestMain runs the job instead of the tests where it is asked to.
func TestMain(m *testing.M) {
	budget := os.Getenv(jobEnv)
	if budget == "" {
		os.Exit(m.Run())
	}
	r, err := signOnCoauthorCS(budget, os.Args[len(os.Args)-2], os.Args[len(os.Args)-1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

// signOnCoauthorCS propagates three hops of all features and reads every hop twice, in rows and in scattered rows, as
// training and prediction do.
func signOnCoauthorCS(size, data, dir string) (*report, error) {
	budget, err := memory.ParseSize(size)
	if err != nil {
		return nil, err
	}
	baseline, err := memory.Baseline()
	if err != nil {
		return nil, err
	}
	importing, err := shchur.ImportBytes(data)
	if err != nil {
		return nil, err
	}
	raw, err := shchur.Read(data)
	if err != nil {
		return nil, err
	}
	importing += BuildBytes(raw, Largest)
	g, err := New(raw, Largest)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	raw = nil
	debug.FreeOSMemory()
	a, err := g.Normalize(Symmetric)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	p := &Propagation{Graph: g, Adjacency: a, Scaling: ScaleL1, K: 3}
	const batch, trained = 128, 750
	batchItem := plan.Item{Name: "batch", Bytes: 4 * trained * int64(g.Features.Cols), Where: plan.Resident}
	kept := []plan.Item{{Name: "graph", Bytes: g.Bytes(), Where: plan.Resident}, {Name: "adjacency", Bytes: a.Bytes(), Where: plan.Resident}}
	way, job, err := p.Choose(budget, func(w Way) *plan.Job {
		first := plan.Stage{Name: "import", Items: []plan.Item{{Name: "archive and graph", Bytes: importing, Where: plan.Resident}}}
		s := p.Stage(w)
		s.Items = append(s.Items, kept...)
		read := plan.Stage{Name: "read", Items: append(append(p.Items(w), kept...), batchItem)}
		return &plan.Job{Baseline: baseline, Stages: []plan.Stage{first, s, read}}
	})
	if err != nil {
		if small, ok := err.(*plan.TooSmallError); ok {
			return &report{Smallest: small.Smallest}, nil
		}
		return nil, err
	}
	code, err := memory.CodeBytes()
	if err != nil {
		return nil, err
	}
	if _, err := memory.LimitGoHeap(budget, job.Peak()-baseline, code); err != nil {
		return nil, err
	}
	spill, err := memory.OpenSpill(memory.Disk{Dir: dir})
	if err != nil {
		return nil, err
	}
	defer spill.Close()
	pool := kernel.NewPool(2)
	defer pool.Close()
	h, err := p.Run(context.Background(), way, pool, spill)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	r := &report{Way: way, Planned: job.Peak(), PlanWrite: job.Stages[1].DiskWrite, Write: spill.Traffic().Written.Load()}
	if r.Hash, err = hashHops(h, batch, trained); err != nil {
		return nil, err
	}
	r.Peak, err = memory.PeakRSS()
	return r, err
}

func hashHops(h *Hops, batch, trained int) (string, error) {
	arena, err := memory.NewArena(4 * int64(trained) * int64(h.Cols))
	if err != nil {
		return "", err
	}
	defer arena.Close()
	rows := arena.Float32s(0, trained*h.Cols)
	raw := arena.Bytes(0, 4*trained*h.Cols)
	sum := sha256.New()
	ids := make([]int32, trained)
	for i := range ids {
		ids[i] = int32(i * 7919 % h.Rows)
	}
	for k := h.First; k <= h.K; k++ {
		if err := h.Gather(ids, k, rows); err != nil {
			return "", err
		}
		sum.Write(raw)
		for lo := 0; lo < h.Rows; lo += batch {
			hi := min(lo+batch, h.Rows)
			if err := h.ReadRows(lo, hi, k, rows); err != nil {
				return "", err
			}
			sum.Write(raw[:4*(hi-lo)*h.Cols])
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Three hops of Coauthor CS's 6,805 features take 1.5 GB. They fit in 300 MiB, code included, and have the same bits as in
// memory; where they do not fit, the smallest budget that is named does.
func TestWideHopsFitInASmallBudget(t *testing.T) {
	data := realdata.Path(t, "data/graph/coauthor-cs.zip")
	if testing.Short() {
		t.Skip("propagates gigabytes")
	}
	if _, err := memory.PeakRSS(); err != nil {
		t.Skip(err)
	}
	run := func(budget string) *report {
		t.Helper()
		cmd := exec.Command(os.Args[0], data, t.TempDir())
		cmd.Env = append(os.Environ(), jobEnv+"="+budget)
		var out, messages bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &messages
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v: %s", budget, err, messages.String())
		}
		r := &report{}
		if err := json.Unmarshal(out.Bytes(), r); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %+v", budget, *r)
		return r
	}
	want := run("4GiB")
	if want.Way.Spill {
		t.Errorf("4 GiB: the hops go to disk: %+v", want.Way)
	}
	refused := run("20MiB")
	if refused.Smallest == 0 {
		t.Fatal("20 MiB was not refused")
	}
	for _, budget := range []string{"300MiB", memory.FormatSize(refused.Smallest)} {
		got := run(budget)
		allowed, err := memory.ParseSize(budget)
		if err != nil {
			t.Fatal(err)
		}
		if got.Hash != want.Hash {
			t.Errorf("%s: other bits than in memory", budget)
		}
		if !got.Way.Spill || got.Planned > allowed || got.Peak > allowed {
			t.Errorf("%s: %+v", budget, got)
		}
		if got.Write != got.PlanWrite {
			t.Errorf("%s: wrote %d bytes, planned %d", budget, got.Write, got.PlanWrite)
		}
	}
}
