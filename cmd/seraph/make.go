package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

var makeCommand = command{
	name: "make", usage: "graph --out PATH", help: "Generate data of any size, from a seed.",
	detail: "The same settings and seed give the same bytes on every machine.",
	below: []command{{
		name: "graph", usage: "--out PATH | --rmat SCALE --out FILE", help: "A degree-corrected block model with features, in the OGB layout or as a Seraph graph, or the edges of an R-MAT graph.",
		detail: "Karrer and Newman, Stochastic blockmodels and community structure in networks, Physical Review E 2011.\n\n" +
			"Nodes fall into classes of equal size and have degrees of a power law; an edge stays within its class with the probability --homophily;" +
			" features are noise around a direction of the class. It is written block by block: memory is a few bytes a node, and what --memory" +
			" gives to sort the edges of a Seraph graph (.sgraph), which holds each edge once in either direction.\n\n" +
			"With --rmat SCALE it is an R-MAT graph (Chakrabarti, Zhan and Faloutsos, SDM 2004) of 2^SCALE vertices and --edge-factor times as many" +
			" directed samples with the quadrants of Graph500, written as a list of edges \"u v\"; self-loops and duplicates stay. Of the settings it takes --seed.",
		flags: func() reflect.Type {
			return flagsOf[makeFlags](settingGroup{"Settings of the graph:", blockModelSettings()})
		},
		verb: func(filled reflect.Value) verb {
			return &makeGraph{filled.FieldByName("Common").Interface().(makeFlags), given(blockModelSettings(), filled)}
		},
	}},
}

type makeFlags struct {
	outputFlags `embed:""`
	Out         string `required:"" placeholder:"PATH" help:"The folder to make in the OGB layout, or the Seraph graph, whose name ends in .sgraph; with --rmat the file."`
	Memory      string `placeholder:"SIZE" help:"The most memory that sorting edges may take. Default: 80 % of what is available."`
	Disk        string `placeholder:"DIR:SIZE" help:"Where edges that do not fit in memory may go. Default: beside the output."`
	Threads     int    `placeholder:"N" help:"Threads to compute with. Default: all processors."`
	RMAT        int    `name:"rmat" placeholder:"SCALE" help:"Make an R-MAT graph of 2^SCALE vertices instead."`
	EdgeFactor  int    `default:"16" placeholder:"N" help:"With --rmat: samples a vertex. Default: 16."`
}

type makeGraph struct {
	makeFlags
	settings map[string]string
}

// blockModelSettings are the fields of graph.BlockModel.
func blockModelSettings() []run.Setting {
	d := graph.DefaultBlockModel
	whole := func(key string, value int, least string, doc string) run.Setting {
		return run.Setting{Key: key, Type: run.Int, Default: fmt.Sprint(value), Min: least, Doc: doc}
	}
	number := func(key string, value float64, doc string) run.Setting {
		return run.Setting{Key: key, Type: run.Float, Default: fmt.Sprint(value), Min: "0", Doc: doc}
	}
	return []run.Setting{
		whole("nodes", d.Nodes, "2", "nodes"),
		whole("classes", d.Classes, "1", "classes of equal size"),
		number("degree", d.Degree, "mean degree"),
		number("homophily", d.Homophily, "share of edges within a class, 0 … 1"),
		number("exponent", d.Exponent, "γ > 2 of the degree distribution P(k) ∝ k^−γ; 0: all nodes have the same expected degree"),
		number("sparse-share", d.SparseShare, "share of each class that lies in a sparse region; 0: none"),
		number("sparse-degree", d.SparseDegree, "mean degree in that region"),
		number("sparse-homophily", d.SparseHomophily, "share within a class of the edges that begin in that region; 0: as everywhere"),
		whole("features", d.Features, "0", "columns of features; 0: none"),
		number("signal", d.Signal, "length of the mean of a class's features, beside noise of 1 in every column"),
		number("label-noise", d.LabelNoise, "share of nodes with the label of another class"),
		number("train", d.Train, "share of nodes that train"),
		number("val", d.Val, "share of nodes that validate; the others test"),
		whole("seed", int(d.Seed), "0", "the seed of all that is random"),
	}
}

func (m *makeGraph) run(a *app) error {
	request, err := run.NewRequest(run.Spec{Name: "graph", Sampling: blockModelSettings()}, run.Sources{Flags: m.settings, Environ: os.LookupEnv}, nil)
	if err != nil {
		return err
	}
	v := request.Values
	if m.Threads == 0 {
		m.Threads = memory.CPUs()
	}
	if m.RMAT != 0 {
		return m.rmat(a, graph.RMAT{Scale: m.RMAT, EdgeFactor: m.EdgeFactor, Seed: uint64(v.Int("seed"))})
	}
	b := graph.BlockModel{
		Nodes: v.Int("nodes"), Classes: v.Int("classes"), Degree: v.Float("degree"), Homophily: v.Float("homophily"), Exponent: v.Float("exponent"),
		SparseShare: v.Float("sparse-share"), SparseDegree: v.Float("sparse-degree"), SparseHomophily: v.Float("sparse-homophily"), Features: v.Int("features"), Signal: v.Float("signal"),
		LabelNoise: v.Float("label-noise"), Train: v.Float("train"), Val: v.Float("val"), Seed: uint64(v.Int("seed")),
	}
	if err := b.Check(); err != nil {
		return err
	}
	if err := vacant(m.Out); err != nil {
		return err
	}
	ctx, stop := interrupted()
	defer stop()
	if filepath.Ext(m.Out) == ".sgraph" {
		err = m.store(ctx, &b)
	} else if err = writeGraph(ctx, m.Out, &b, m.Threads); err != nil {
		err = errors.Join(err, os.RemoveAll(m.Out))
	}
	if err != nil {
		return err
	}
	m.progress(a).Infof("seraph show %s looks into it, seraph train sgc --data %s trains on it", m.Out, m.Out)
	return m.print(a, struct {
		Event string `json:"event"`
		Out   string `json:"out"`
		Nodes int    `json:"nodes"`
		Edges int    `json:"edges"`
	}{"graph", m.Out, b.Nodes, b.Edges()}, fmt.Sprintf("%s: a graph of %d nodes and %d edges in %d classes", m.Out, b.Nodes, b.Edges(), b.Classes))
}

// store writes the graph as a Seraph graph.
func (m *makeGraph) store(ctx context.Context, b *graph.BlockModel) (err error) {
	o, err := sortingOptions(m.Memory, m.Disk, m.Out, m.Threads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Spill.Close()) }()
	o.Memory -= 16 * int64(b.Nodes) // labels and split
	sink, err := graph.NewStoreSink(ctx, m.Out, b.Nodes, b.Features, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.Close()) }()
	pool := kernel.NewPool(m.Threads)
	defer pool.Close()
	return b.Write(sink, pool)
}

// vacant makes sure that nothing would be overwritten: there is nothing at the path, or an empty folder.
func vacant(path string) error {
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return run.Usagef("--out: %w", err)
	case len(entries) > 0:
		return run.Usagef("%s is not empty; give another --out", path)
	}
	return nil
}

// writeGraph writes the graph in the OGB layout.
func writeGraph(ctx context.Context, dir string, b *graph.BlockModel, threads int) error {
	w, err := ogb.NewWriter(dir, b.Nodes)
	if err != nil {
		return err
	}
	pool := kernel.NewPool(threads)
	defer pool.Close()
	return b.Write(stoppable{w, ctx}, pool)
}

// stoppable is a sink that fails once its context is done.
type stoppable struct {
	*ogb.Writer
	ctx context.Context
}

func (s stoppable) Edges(fill func(emit func(src, dst []int32) error) error) error {
	return s.Writer.Edges(func(emit func(src, dst []int32) error) error {
		return fill(func(src, dst []int32) error { return errors.Join(s.ctx.Err(), emit(src, dst)) })
	})
}

func (s stoppable) Features(cols int, fill func(emit func(block []float32) error) error) error {
	return s.Writer.Features(cols, func(emit func(block []float32) error) error {
		return fill(func(block []float32) error { return errors.Join(s.ctx.Err(), emit(block)) })
	})
}
