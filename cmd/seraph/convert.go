package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/convert"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

var convertCommand = command{
	name: "convert", usage: "IN OUT [--to FORMAT]", help: "Write data in another format.",
	detail: "IN is recognised by what it is, the format of OUT by its extension, or by --to:\n\n" +
		"    graphs, of any format     ogb (a folder), edgelist (.edges, .edgelist, .txt), sgraph (.sgraph)\n" +
		"    tables: CSV, Parquet      csv, parquet\n" +
		"    npy, npz, safetensors     npy, npz, safetensors\n\n" +
		"What the other format has no place for is left out with a note. Nothing that exists is overwritten.\n\n" +
		"An edge list, or a folder in the OGB layout, that becomes an sgraph may be larger than memory: its edges are sorted within --memory, on disk where that is short, and" +
		" features pass through in blocks. Other graphs are read as a whole, and so is one whose weights are kept; tables pass through in blocks.\n\n" +
		"With --undirected the sgraph has each edge in both directions, once, and no self-loops, as models take any graph: training can then read it where it lies.",
	exits: []int{exitBudget, exitCorrupt}, flags: typeOf[convertVerb], verb: verbOf[convertVerb],
}

type convertVerb struct {
	outputFlags `embed:""`
	In          string `arg:"" name:"IN" help:"What to convert."`
	Out         string `arg:"" name:"OUT" help:"The file or folder to write."`
	To          string `placeholder:"FORMAT" help:"The format to write: ogb, edgelist, sgraph, csv, parquet, npy, npz, safetensors. Default: by the extension of OUT."`
	Weights     string `placeholder:"COLUMN" help:"Column of an edge list that holds weights. Default: weights are ignored."`
	Undirected  bool   `help:"With an sgraph: write each edge in both directions, once, and no self-loops."`
	Memory      string `placeholder:"SIZE" help:"The most memory that converting a graph may take. Default: 80 % of what is available."`
	Disk        string `placeholder:"DIR:SIZE" help:"Where edges that do not fit in memory may go. Default: beside the output."`
	Threads     int    `placeholder:"N" help:"Threads to compute with. Default: all processors."`
}

func (c *convertVerb) run(a *app) error {
	ctx, stop := interrupted()
	defer stop()
	if c.To != "" {
		if near, ok := run.Nearest(c.To, convert.Formats()); ok && near != c.To {
			return run.Usagef("--to %s: did you mean %s?", c.To, near)
		}
	}
	result, err := c.convert(ctx, a)
	var pair *convert.PairError
	switch {
	case errors.As(err, &pair), errors.Is(err, convert.ErrUnknown), errors.Is(err, fs.ErrExist):
		return run.Usagef("%w", err)
	case err != nil:
		return err
	}
	text := fmt.Sprintf("%s (%s) → %s (%s)", c.In, result.From, c.Out, result.To)
	for _, note := range result.Notes {
		text += "\nnote: " + note
	}
	return c.print(a, struct {
		Event string `json:"event"`
		In    string `json:"in"`
		Out   string `json:"out"`
		*convert.Result
	}{"convert", c.In, c.Out, result}, strings.TrimRight(text, "\n"))
}

// convert converts: graphs within the budget.
func (c *convertVerb) convert(ctx context.Context, a *app) (*convert.Result, error) {
	kind, to, err := convert.Plan(c.In, c.Out, c.To)
	if err == nil {
		err = checkOut(c.Out, nil)
	}
	switch {
	case err != nil:
		return nil, err
	case c.Undirected && (to != "sgraph" || c.Weights != ""):
		return nil, run.Usagef("--undirected is for an sgraph without weights")
	case to == "sgraph" && c.Weights == "":
		return c.sort(ctx, a, kind, to)
	case kind.Class == detect.Graph && c.Memory != "":
		if err := c.fits(); err != nil {
			return nil, err
		}
	}
	return convert.Convert(ctx, c.In, c.Out, convert.Options{To: c.To, Weights: c.Weights})
}

// sort writes a Seraph graph.
func (c *convertVerb) sort(ctx context.Context, a *app, kind detect.Kind, to string) (result *convert.Result, err error) {
	if c.Threads == 0 {
		c.Threads = memory.CPUs()
	}
	budget, baseline, err := sortingBudget(c.Memory)
	if err != nil {
		return nil, err
	}
	spill, err := sortingSpill(c.Disk, c.Out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, spill.Close()) }()
	g := &graph.Conversion{
		In: c.In, Out: c.Out, Undirected: c.Undirected, Budget: budget, Baseline: baseline, Spill: spill, Workers: c.Threads, Progress: c.progress(a),
	}
	if err := g.Run(ctx); err != nil {
		return nil, err
	}
	return &convert.Result{From: kind.Name, To: to, Notes: g.Notes}, nil
}

// fits refuses to read a graph into memory that is larger than the budget.
func (c *convertVerb) fits() error {
	budget, baseline, err := sortingBudget(c.Memory)
	if err != nil {
		return err
	}
	bytes, err := detect.ImportBytes(c.In)
	if err == nil && baseline+2*bytes > budget { // as it is read, and as it is written
		err = &plan.TooSmallError{Budget: budget, Smallest: baseline + 2*bytes, Stage: "read " + c.In}
	}
	return err
}
