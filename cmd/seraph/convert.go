package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/seraph-ml/seraph/format/convert"
	"github.com/seraph-ml/seraph/run"
)

var convertCommand = command{
	name: "convert", usage: "IN OUT [--to FORMAT]", help: "Write data in another format.",
	detail: "IN is recognised by what it is, the format of OUT by its extension, or by --to:\n\n" +
		"    graphs, of any format     ogb (a folder), edgelist (.edges, .edgelist, .txt), sgraph (.sgraph)\n" +
		"    tables: CSV, Parquet      csv, parquet\n" +
		"    npy, npz, safetensors     npy, npz, safetensors\n\n" +
		"What the other format has no place for is left out with a note. Nothing that exists is overwritten.",
	exits: []int{exitCorrupt}, flags: typeOf[convertVerb], verb: verbOf[convertVerb],
}

type convertVerb struct {
	outputFlags `embed:""`
	In          string `arg:"" name:"IN" help:"What to convert."`
	Out         string `arg:"" name:"OUT" help:"The file or folder to write."`
	To          string `placeholder:"FORMAT" help:"The format to write: ogb, edgelist, sgraph, csv, parquet, npy, npz, safetensors. Default: by the extension of OUT."`
	Weights     string `placeholder:"COLUMN" help:"Column of an edge list that holds weights. Default: weights are ignored."`
}

func (c *convertVerb) run(a *app) error {
	ctx, stop := interrupted()
	defer stop()
	if c.To != "" {
		if near, ok := run.Nearest(c.To, convert.Formats()); ok && near != c.To {
			return run.Usagef("--to %s: did you mean %s?", c.To, near)
		}
	}
	result, err := convert.Convert(ctx, c.In, c.Out, convert.Options{To: c.To, Weights: c.Weights})
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
