package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph/kcore"
	"github.com/seraph-ml/seraph/run"
)

var kcoreUpdateCommand = command{
	name: "kcore-update", usage: "GRAPH LOG --cores FILE --out FILE", help: "Keep core numbers right while edges come and go.",
	detail: "GRAPH is what FILE has the core numbers of, as seraph kcore read it. LOG has a change a line, in order: \"+ u v\" is an edge that came, \"- u v\" one that" +
		" went; what is there already, or is not, is counted and passed over. Vertices may be new. The core numbers are proved before they are changed, and with" +
		" --check afterwards; GRAPH and LOG stay as they are. Ids are whole numbers.",
	exits: []int{exitBudget, exitCorrupt}, flags: typeOf[kcoreUpdate], verb: verbOf[kcoreUpdate],
}

type kcoreUpdate struct {
	outputFlags `embed:""`
	Graph       string `arg:"" help:"The graph before the changes."`
	Log         string `arg:"" help:"The changes."`
	Cores       string `placeholder:"FILE" help:"The core numbers before the changes."`
	Out         string `placeholder:"FILE" help:"Where the core numbers after them go: .tsv, .npy or .parquet."`
	Memory      string `placeholder:"SIZE" help:"The most memory that the job may hold. Default: 80 % of the available memory."`
	Threads     int    `placeholder:"N" help:"Threads to compute with. Default: all processors."`
	Vertices    int64  `placeholder:"N" help:"The vertices are 0 … N-1."`
	Check       bool   `help:"Prove the result right."`
}

// updateResult is the result event.
type updateResult struct {
	Event string `json:"event"`
	kcore.Result
	kcore.Update
	Checked bool               `json:"checked"`
	Out     string             `json:"out"`
	Seconds map[string]float64 `json:"seconds"`
}

func (c *kcoreUpdate) run(a *app) error {
	if c.Cores == "" || c.Out == "" {
		return run.Usagef("seraph kcore-update needs --cores FILE and --out FILE")
	}
	if !isCoresFile(c.Out) {
		return run.Usagef("--out %s: expected a name that ends in .tsv, .npy or .parquet", c.Out)
	}
	if err := checkOut(c.Out, []string{c.Graph, c.Log}); err != nil {
		return err
	}
	f := kcoreFlags{outputFlags: c.outputFlags, Paths: []string{c.Graph}, Memory: c.Memory, Threads: c.Threads, Vertices: c.Vertices, IDs: kcore.Numbers, Engine: kcore.Sequential}
	if _, _, err := f.begin(); err != nil {
		return err
	}
	result := updateResult{Event: "result", Out: c.Out, Checked: c.Check, Seconds: map[string]float64{}}
	if err := c.update(&f, &result); err != nil {
		return err
	}
	return c.print(a, result, fmt.Sprintf("%d edges came and %d went (%d were there already, %d were not there); %d vertices, %d edges, degeneracy %d\ncoreness sha256 %s\nwritten to %s",
		result.Inserted, result.Deleted, result.Known, result.Missing, result.Vertices, result.Edges, result.Degeneracy, result.SHA256, c.Out))
}

// named are the vertices that the log names.
func (c *kcoreUpdate) named() ([]int64, error) {
	seen := map[int64]bool{}
	var ids []int64
	err := kcore.ReadChanges(c.Log, func(change kcore.Change) error {
		for _, id := range []int64{change.U, change.V} {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}

func (c *kcoreUpdate) update(f *kcoreFlags, result *updateResult) (err error) {
	clock := stopwatch{result.Seconds, time.Now()}
	named, err := c.named()
	if err != nil {
		return err
	}
	pool := kernel.NewPool(f.Threads)
	defer pool.Close()
	o := f.options()
	if c.Vertices == 0 {
		o.Also = named
	}
	g, err := kcore.Read(f.Paths, o, pool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	v, err := kcore.NewVectors(g.Nodes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if err := kcore.ReadCores(c.Cores, &g.Names, named, v.Core); err != nil {
		return err
	}
	if err = kcore.Order(g, v.Core, v.Order, v.Work); err == nil {
		err = kcore.Verify(g, v.Core, v.Order, v.Work)
	}
	if err != nil {
		return format.CorruptAt(c.Cores, -1, "core numbers", "", "").WithCause(err)
	}
	clock.lap("read")
	m := kcore.Maintain(g, v.Core, v.Work)
	if result.Update, err = m.Apply(c.Log); err != nil {
		return err
	}
	clock.lap("update")
	if c.Check {
		if err := m.Verify(pool); err != nil {
			return fmt.Errorf("the result is wrong, which is a bug in seraph: %w", err)
		}
		clock.lap("check")
	}
	counts := g.Counts
	counts.Edges = m.Edges
	result.Result = kcore.Summarise(&g.Names, counts, v.Core)
	err = format.WriteFile(c.Out, func(w io.Writer) error { return kcore.WriteCores(w, c.Out, &g.Names, v.Core) })
	clock.lap("write")
	return err
}
