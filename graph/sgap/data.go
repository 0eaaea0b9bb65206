package sgap

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// dataset is the input of a job: a graph, and the split of every seed.
type dataset struct {
	*graph.Graph
	splits []graph.Split // of each trial; nil for prediction
	rule   string        // how they were made

	importBytes int64 // what reading took at most, beside the graph
	graphBytes  int64 // what the graph holds
}

// largestProbe is the most that reading may take where the budget is smaller: a job that is refused reads its input all
// the same, to name the budget that would do.
const largestProbe = 1 << 30

// load reads the input of a job.
func load(job *run.Job, splits bool) (*dataset, error) {
	kind, err := detect.Recognise(job.Data)
	if err != nil {
		return nil, err
	}
	d := &dataset{}
	if d.importBytes, err = detect.ImportBytes(job.Data); err != nil {
		return nil, err
	}
	if d.importBytes > max(job.Memory, largestProbe) {
		return nil, run.Usagef("reading %s takes up to %s; give --memory", job.Data, memory.FormatSize(d.importBytes))
	}
	raw, err := read(job, kind)
	if err != nil {
		return nil, err
	}
	if raw.Labels == nil && splits {
		return nil, run.Usagef("%s (%s) has no labels to learn", job.Data, kind.Title)
	}
	component := graph.Component(job.String("component"))
	if component == "auto" {
		component = graph.DefaultComponent(raw.Format)
	}
	d.graphBytes = graph.BuildBytes(raw, component)
	nodes := raw.Nodes
	if d.Graph, err = graph.New(raw, component); err != nil {
		return nil, err
	}
	raw = nil
	debug.FreeOSMemory() // what the reader left
	job.Notef("%s: %s, %d nodes, %d edges, %d features, %d classes", job.Data, kind.Title, d.Nodes, d.Edges(), d.Features.Cols, d.Classes)
	if d.Nodes != nodes {
		job.Notef("%d of %d nodes are kept (component %s)", d.Nodes, nodes, component)
	}
	for _, note := range d.Notes {
		job.Notef("%s", note)
	}
	if d.Features.Cols == 0 {
		return nil, errors.Join(run.Usagef("%s has no features", job.Data), d.Close())
	}
	if splits {
		err = d.split(job, kind)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// read reads the file as a graph; a table becomes one without edges.
func read(job *run.Job, kind detect.Kind) (*format.Graph, error) {
	switch kind.Class {
	case detect.Graph:
		return detect.ReadGraph(job.Data, detect.Options{Weights: job.String("weights")})
	case detect.Table:
		return readTable(job)
	}
	return nil, run.Usagef("%s is a %s; %s takes a graph or a table", job.Data, kind.Title, job.Config.Model)
}

// readTable makes features of the columns of a table but the target: numbers as they are, standardised to mean 0 and
// deviation 1, a missing one being the mean; every category of a text column as 0 or 1.
func readTable(job *run.Job) (*format.Graph, error) {
	target := job.String("target")
	if target == "" {
		return nil, run.Usagef("%s is a table: name the column of the class with --target", job.Data)
	}
	f, err := detect.OpenTable(job.Data, table.Options{Categories: []string{target}})
	if err != nil {
		return nil, err
	}
	t, err := f.Read()
	if err != nil {
		return nil, err
	}
	g, err := tableGraph(f, t, target)
	if err != nil {
		return nil, err
	}
	return g, g.Validate(job.Data)
}

// split draws the splits of all trials.
func (d *dataset) split(job *run.Job, kind detect.Kind) error {
	text := job.String("split")
	if text == "" {
		switch {
		case d.Public != nil:
			text = "public"
		case kind.Class == detect.Table:
			text = "ratio:60/20/20"
		default:
			text = "per-class:20/30"
		}
	}
	rule, err := graph.ParseSplit(text)
	if err != nil {
		return run.Usagef("%w", err)
	}
	if rule.Kind == "file" {
		rule.Path = job.Path(rule.Path)
	}
	seeds := make([]uint64, job.Seeds)
	for i := range seeds {
		seeds[i] = job.Seed + uint64(i)
	}
	d.rule = rule.String()
	if d.splits, err = rule.Draw(d.Graph, seeds); err != nil {
		var corrupt *format.CorruptError
		if errors.As(err, &corrupt) {
			return err
		}
		return run.Usagef("%w", err)
	}
	s := d.splits[0]
	if len(s.Train) == 0 || len(s.Val) == 0 {
		return run.Usagef("split %s leaves %d nodes to train and %d to validate; both are needed", text, len(s.Train), len(s.Val))
	}
	job.Notef("split %s: %d nodes train, %d validate, %d test", d.rule, len(s.Train), len(s.Val), len(s.Test))
	return nil
}

// wanted returns the nodes of some splits that hops are needed for, those that train first; nil when that is most nodes.
func (d *dataset) wanted(splits []graph.Split, test bool) []int32 {
	seen := make([]bool, d.Nodes)
	var nodes []int32
	take := func(ids []int32) {
		for _, u := range ids {
			if !seen[u] {
				seen[u] = true
				nodes = append(nodes, u)
			}
		}
	}
	for _, s := range splits {
		take(s.Train)
	}
	for _, s := range splits {
		take(s.Val)
	}
	if test {
		for _, s := range splits {
			take(s.Test)
		}
	}
	if 4*len(nodes) > 3*d.Nodes {
		return nil
	}
	return nodes
}

// labelsOf returns the labels of nodes.
func (d *dataset) labelsOf(nodes []int32) []int32 {
	labels := make([]int32, len(nodes))
	for i, u := range nodes {
		labels[i] = d.Labels[u]
	}
	return labels
}

// className is the name of a class, its number where it has none.
func (d *dataset) className(c int) string {
	if d.ClassNames != nil {
		return d.ClassNames[c]
	}
	return fmt.Sprint(c)
}

// tableGraph is a table as a graph without edges.
func tableGraph(f *table.File, t *table.Table, target string) (*format.Graph, error) {
	class, ok := t.Column(target)
	if !ok {
		var names []string
		for i := range t.Columns {
			names = append(names, t.Columns[i].Name)
		}
		hint := ""
		if near, ok := run.Nearest(target, names); ok {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		return nil, run.Usagef("%s has no column %q%s", f.Path, target, hint)
	}
	g := &format.Graph{Name: f.Name, Format: f.Format, Nodes: t.Rows, Classes: len(class.Values), ClassNames: class.Values, Notes: f.Notes}
	g.Labels = slices.Clone(class.Codes)
	var fields []func(row int, dst []float32)
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Name != target {
			width, fill := field(c, t.Rows)
			at := g.Features.Cols
			g.Features.Cols += width
			fields = append(fields, func(row int, dst []float32) { fill(row, dst[at:at+width]) })
		}
	}
	g.Features.Dense = make([]float32, t.Rows*g.Features.Cols)
	for row := range t.Rows {
		for _, fill := range fields {
			fill(row, g.Features.Dense[row*g.Features.Cols:(row+1)*g.Features.Cols])
		}
	}
	return g, nil
}
