package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph/kcore"
	"github.com/seraph-ml/seraph/run"
)

var kcoreCommand = command{
	name: "kcore", usage: "EDGES…", help: "Find the core number of every vertex of a graph.",
	detail: "EDGES are lists of edges, which are one graph together: text with two ids a line (- is standard input, .gz and .zst are compressed; blanks, tabs or a comma between them," +
		" lines that begin with # or % are comments, further columns are ignored), npy of shape (n, 2)," +
		" Parquet with ids in the first two columns, or nothing but ids, little endian (.u32, .u64). Or they are one graph of another format: METIS, MatrixMarket, sgraph, npz. The core number of a vertex is the largest k such that it lies in a subgraph where everybody has at least k neighbours.\n\n" +
		"Edges have no direction; self-loops and duplicates are dropped and counted, and a vertex seen only in a self-loop has core number 0. The vertices are those" +
		" that a header declares (METIS, MatrixMarket), 0 … N-1 with --vertices N, else the ids that occur.\n\n" +
		"A graph that is larger than --memory is divided by core number on --disk DIR:SIZE; what an interrupted job has left there --resume goes on with.\n\n" +
		"--out writes a line \"id<TAB>core\" a vertex, by ascending id (.tsv), a Parquet table, or npy: uint32 [n] where the vertices are declared, else rows (id, core). A file that is there is replaced.\n\n" +
		"Ids are whole numbers below 2^63 of any spread, or texts (--ids string; auto takes them for texts where neither of the first two lines of a list begins with two" +
		" whole numbers). Texts are as they stand, quotes included, in the order of their bytes; no line of them is a header.",
	exits: []int{exitBudget, exitCorrupt, exitInterrupted}, flags: typeOf[kcoreVerb], verb: verbOf[kcoreVerb],
}

type kcoreFlags struct {
	outputFlags `embed:""`
	Paths       []string     `arg:"" name:"EDGES" help:"The graph."`
	Memory      string       `placeholder:"SIZE" help:"The most memory that the job may hold. Default: 80 % of the available memory."`
	Threads     int          `placeholder:"N" help:"Threads to compute with. Default: all processors."`
	Vertices    int64        `placeholder:"N" help:"The vertices are 0 … N-1."`
	IDs         kcore.IDs    `name:"ids" enum:"auto,int,string" default:"auto" placeholder:"KIND" help:"What the ids in lists of edges are: whole numbers (int), any text between separators (string), or as the lists begin (auto). Default: auto."`
	Disk        string       `placeholder:"DIR:SIZE" help:"Where a graph that is larger than memory may lie, and how many bytes."`
	Ranks       int          `placeholder:"N" help:"Compute by that many ranks, in this process: --engine ranks, which has 2 otherwise."`
	Engine      kcore.Engine `enum:"auto,peel,parallel,ranks,divide,scan" default:"auto" placeholder:"ENGINE" help:"How to compute: auto; peel, parallel or ranks in memory; divide or scan on disk. All give the same. Default: auto."`

	stdin   io.Reader // of which IDs may have seen the beginning
	vectors int       // of 4 bytes a vertex that an order or a proof needs beside a graph on disk
	resumes bool      // what a job leaves on disk when it fails, another goes on with
	guessed bool      // that the ids are texts
}

type kcoreVerb struct {
	kcoreFlags `embed:""`
	Out        string `placeholder:"FILE" help:"Where the core numbers go: .tsv, .npy or .parquet. Default: a summary alone."`
	K          int32  `short:"k" placeholder:"K" help:"Write the vertices of the K-core instead, an id a line."`
	Edges      bool   `help:"With --k: write the edges among them."`
	Order      bool   `help:"Write the degeneracy order to FILE.order, an id a line."`
	Stats      bool   `help:"Print the sizes of all shells and the degrees in them; with --out, draw them in FILE.html."`
	Resume     bool   `help:"Go on with what an interrupted job on the same edges has left in --disk."`
	Check      bool   `help:"Prove the result right, from the graph and the degeneracy order alone."`
}

// kcoreResult is the result event.
type kcoreResult struct {
	Event string `json:"event"`
	kcore.Result
	Engine       kcore.Engine       `json:"engine"`
	Why          string             `json:"engine_why"`
	Out          string             `json:"out,omitempty"`
	K            int32              `json:"k,omitempty"` // of the core that was written
	CoreVertices *int               `json:"core_vertices,omitempty"`
	Report       string             `json:"report,omitempty"`
	Shells       []kcore.Shell      `json:"shells,omitempty"` // with --stats
	Checked      bool               `json:"checked"`
	Progress     *kcore.Progress    `json:"progress,omitempty"` // of an engine that divides
	Messages     int64              `json:"messages,omitempty"` // between ranks
	Seconds      map[string]float64 `json:"seconds"`
	BytesRead    int64              `json:"bytes_read"`
	Written      int64              `json:"bytes_written"`
	Divided      *divided           `json:"divided,omitempty"`
	PlannedPeak  int64              `json:"planned_peak_bytes"`
	Peak         int64              `json:"peak_bytes"`

	plan *plan.Job // the last one that was made
}

// planned is what a job will do.
type planned struct {
	*plan.Job
	engine kcore.Engine
	why    string
	disk   kcore.DiskPlan // for engines on disk
	heap   int64          // of the first stage, bytes that are on the Go heap
}

// plan chooses the engine: one in memory where the graph fits, else, given a disk, division.
func (f *kcoreFlags) plan(budget int64) (p planned, err error) {
	if f.Engine.OnDisk() && f.Disk == "" {
		return p, run.Usagef("--engine %s needs --disk DIR:SIZE", f.Engine)
	}
	size, err := kcore.Survey(f.Paths, f.options())
	if err != nil {
		return p, err
	}
	p.heap = size.Decoder
	if !f.Engine.OnDisk() {
		ranks := 0
		if f.Engine == kcore.Ranked {
			ranks = f.Ranks
		}
		inMemory, err := kcore.PlanMemory(size, f.Threads, ranks)
		if err != nil {
			return p, err
		}
		if inMemory.Budget = budget; inMemory.Peak() <= budget {
			p.Job = inMemory
			p.engine, p.why = kcore.Choose(f.Engine, f.Threads)
			return p, nil
		}
		if f.Engine != kcore.Auto || f.Disk == "" {
			return p, fmt.Errorf("%w; or --disk DIR:SIZE, and the default engine", &plan.TooSmallError{Budget: budget, Smallest: inMemory.Peak(), Stage: "a graph in memory"})
		}
		p.engine, p.why = kcore.Divided, fmt.Sprintf("in memory the graph would take %s", memory.FormatSize(inMemory.Peak()))
	} else {
		p.engine, p.why = f.Engine, "asked for"
	}
	p.disk, err = kcore.PlanDisk(size, nil, p.engine, f.Threads, f.vectors, budget)
	p.Job = p.disk.Job
	return p, err
}

// begin settles budget and plan of a job, and leaves the Go heap what the plan does not take.
func (f *kcoreFlags) begin() (budget int64, p planned, err error) {
	if budget, err = f.settle(); err != nil {
		return 0, p, err
	}
	if p, err = f.plan(budget); err != nil {
		return 0, p, err
	}
	return budget, p, p.limitGoHeap(budget)
}

func (f *kcoreFlags) options() kcore.Options {
	return kcore.Options{Vertices: f.Vertices, IDs: f.IDs, Stdin: f.stdin}
}

func (c *kcoreVerb) run(a *app) error {
	if err := c.checkFlags(); err != nil {
		return err
	}
	c.resumes = true
	budget, planned, err := c.begin()
	if err != nil {
		return err
	}
	if err := c.checkPlanned(planned.engine); err != nil {
		return err
	}
	c.note(a)
	if err := c.showPlan(a, planned.Job); err != nil {
		return err
	}
	before, _ := memory.IOCounters() // zero where it cannot be measured
	result := kcoreResult{Event: "result", Engine: planned.engine, Why: planned.why, Out: c.Out, Report: c.reportPath(), Seconds: map[string]float64{}, PlannedPeak: planned.Peak(), plan: planned.Job}
	decompose := c.decompose
	if planned.engine.OnDisk() {
		decompose = func(a *app, result *kcoreResult) error { return c.decomposeOnDisk(a, budget, planned, result) }
	}
	if err := decompose(a, &result); err != nil {
		return err
	}
	after, _ := memory.IOCounters()
	result.BytesRead, result.Written = after.Read-before.Read, after.Write-before.Write
	result.Peak, _ = memory.PeakRSS()
	if err := c.writeReport(a, &result); err != nil {
		return err
	}
	return c.print(a, result, result.text())
}

// limitGoHeap leaves the Go heap what the plan does not take.
func (p *planned) limitGoHeap(budget int64) error {
	code, err := memory.CodeBytes()
	if err != nil {
		return err
	}
	arenas := p.Stages[0].Peak() - p.heap
	for i := range p.Stages[1:] {
		arenas = max(arenas, p.Stages[1+i].Peak())
	}
	_, err = memory.LimitGoHeap(budget, arenas, code)
	return err
}

func (o outputFlags) showPlan(a *app, p *plan.Job) error {
	var text strings.Builder
	if err := p.WriteTable(&text); err != nil {
		return err
	}
	o.progress(a).Infof("%s", strings.TrimRight(text.String(), "\n"))
	return nil
}

// decompose reads, computes, checks and writes.
func (c *kcoreVerb) decompose(a *app, result *kcoreResult) (err error) {
	pool := kernel.NewPool(c.Threads)
	defer pool.Close()
	clock := stopwatch{result.Seconds, time.Now()}
	g, err := kcore.Read(c.Paths, c.options(), pool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	if g.Longer > 0 {
		c.progress(a).Infof("note: columns behind the ids are ignored, in %d lines", g.Longer)
	}
	clock.lap("read")
	vectors, err := kcore.NewVectors(g.Nodes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vectors.Close()) }()
	if err := c.compute(g, vectors.Core, result, pool); err != nil {
		return err
	}
	clock.lap("decompose")
	if c.Order || c.Check {
		if err := kcore.Order(g, vectors.Core, vectors.Order, vectors.Work); err != nil {
			return fmt.Errorf("the result is wrong, which is a bug in seraph: %w", err)
		}
		clock.lap("order")
	}
	if c.Check {
		if err := kcore.Verify(g, vectors.Core, vectors.Order, vectors.Work); err != nil {
			return fmt.Errorf("the result is wrong, which is a bug in seraph: %w", err)
		}
		result.Checked = true
		clock.lap("check")
	}
	if c.Stats {
		result.Shells = kcore.Shells(g, vectors.Core)
		clock.lap("stats")
	}
	c.summarise(result, &g.Names, g.Counts, vectors.Core)
	err = c.write(&g.Names, vectors.Core,
		func(w io.Writer) error { return kcore.WriteOrder(w, &g.Names, vectors.Order) },
		func(w io.Writer) error { return kcore.WriteCoreEdges(w, g, vectors.Core, c.K) })
	if err != nil {
		return err
	}
	clock.lap("write")
	return nil
}

// compute finds the core numbers with the engine of the result.
func (c *kcoreVerb) compute(g *kcore.Graph, core []int32, result *kcoreResult, pool *kernel.Pool) error {
	if result.Engine != kcore.Ranked {
		return kcore.Decompose(g, core, result.Engine, pool)
	}
	// Four parts, about, each in the memory of all ranks together.
	r := kcore.Ranks{Ranks: c.Ranks, At: kcore.Thresholds(g, int64(len(g.Indices))/4)}
	result.Progress = &kcore.Progress{Stages: r.Decompose(g, core), Done: true}
	result.Messages = r.Messages
	return nil
}

// stopwatch keeps what stages took.
type stopwatch struct {
	seconds map[string]float64
	last    time.Time
}

func (s *stopwatch) lap(stage string) {
	now := time.Now()
	s.seconds[stage] += now.Sub(s.last).Seconds()
	s.last = now
}

// summarise fills in what the core numbers are like.
func (c *kcoreVerb) summarise(result *kcoreResult, n *kcore.Names, counts kcore.Counts, core []int32) {
	result.Result = kcore.Summarise(n, counts, core)
	if c.K == 0 {
		return
	}
	vertices := 0
	for _, k := range core {
		if k >= c.K {
			vertices++
		}
	}
	result.K, result.CoreVertices = c.K, &vertices
}

// write writes what was asked for. The order, and the edges of a core, come from functions, as the graph is in memory or on disk.
func (c *kcoreVerb) write(n *kcore.Names, core []int32, order, edges func(w io.Writer) error) error {
	if c.Order {
		if err := format.WriteFile(c.Out+".order", order); err != nil {
			return err
		}
	}
	if c.Out == "" {
		return nil
	}
	return format.WriteFile(c.Out, func(w io.Writer) error {
		switch {
		case c.K > 0 && c.Edges:
			return edges(w)
		case c.K > 0:
			return kcore.WriteCore(w, n, core, c.K)
		}
		return kcore.WriteCores(w, c.Out, n, core)
	})
}

// text says the result to people.
func (r *kcoreResult) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d vertices, %d edges (%d self-loops and %d duplicates dropped)\n", r.Vertices, r.Edges, r.Loops, r.Duplicates)
	fmt.Fprintf(&b, "degeneracy %d, %d vertices in the innermost core\n", r.Degeneracy, r.Innermost)
	fmt.Fprintf(&b, "coreness sha256 %s\n", r.SHA256)
	if r.K > 0 {
		b.WriteString(r.coreText() + "\n")
	}
	if r.Checked {
		b.WriteString("checked against its certificate\n")
	}
	if r.Shells != nil {
		b.WriteString(shellText(r.Shells) + "\n")
	}
	fmt.Fprintf(&b, "engine %s (%s), %s, peak %s of %s planned", r.Engine, r.Why, plan.FormatSeconds(r.total()), memory.FormatSize(r.Peak), memory.FormatSize(r.PlannedPeak))
	if r.Out != "" {
		b.WriteString("\nwritten to " + r.Out)
	}
	if r.Report != "" {
		b.WriteString("\nreport " + r.Report)
	}
	return b.String()
}

// total is the seconds of all stages.
func (r *kcoreResult) total() (sum float64) {
	for _, s := range r.Seconds {
		sum += s
	}
	return sum
}

// planKCore is seraph plan kcore.
type planKCore struct {
	kcoreVerb `embed:""`
}

func (p *planKCore) run(a *app) error {
	if err := p.checkFlags(); err != nil {
		return err
	}
	budget, err := p.settle()
	if err != nil {
		return err
	}
	planned, err := p.plan(budget)
	if err != nil {
		return err
	}
	return p.printPlan(a, planned.Job, budget, nil)
}
