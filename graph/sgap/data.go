package sgap

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
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
	arena  *memory.Arena // of splits that are not the graph's own
	rule   string        // how they were made

	columns *columns // of a table; nil for a graph

	whole   *graph.Graph        // with nodes of several kinds, of which Graph has those that are classified; else nil
	subsets []graph.RelationSet // of its relations

	learning *learning // the graph that training sees, where it is not all of it

	importBytes int64 // what reading took at most, beside the graph
	graphBytes  int64 // what the graph holds, splits included
}

// largestProbe is the most that reading may take where the budget is smaller: a job that is refused reads its input all
// the same, to name the budget that would do.
const largestProbe = 1 << 30

// load reads the input of a job: to train on, or where the model's config is given, to be applied; features says whether the
// model takes any.
func load(job *run.Job, model *config, features bool) (*dataset, error) {
	kind, err := detect.Recognise(job.Data)
	if err != nil {
		return nil, err
	}
	d := &dataset{}
	nodes, component := 0, graph.All
	stored, err := d.open(job, kind, model != nil)
	if err == nil && !stored {
		nodes, component, err = d.importGraph(job, kind, model)
	}
	if err != nil {
		return nil, err
	}
	if d.Labels == nil && model == nil {
		return nil, errors.Join(run.Usagef("%s (%s) has no labels to learn", job.Data, kind.Title), d.Close())
	}
	if d.columns != nil {
		job.Notef("%s: %s, %d rows, %d features, %d classes", job.Data, kind.Title, d.Nodes, d.Features.Cols, d.Classes)
	} else if d.whole != nil {
		d.noteKinds(job, kind.Title)
	} else {
		job.Notef("%s: %s, %d nodes, %d edges, %d features, %d classes", job.Data, kind.Title, d.Nodes, d.Edges(), d.Features.Cols, d.Classes)
	}
	if !stored && d.network().Nodes != nodes {
		job.Notef("%d of %d nodes are kept (component %s)", d.Nodes, nodes, component)
	}
	for _, note := range d.Notes {
		job.Notef("%s", note)
	}
	if d.columns == nil && d.whole == nil {
		d.noteGaps(job, model == nil)
	}
	switch {
	case features && d.Features.Cols == 0:
		err = run.Usagef("%s has no features", job.Data)
	case model == nil:
		err = d.split(job, kind)
	case features && model.Features != d.Features.Cols:
		err = run.Usagef("%s has %d features, the model was trained on %d", job.Data, d.Features.Cols, model.Features)
	default:
		d.Classes, d.ClassNames = model.Classes, model.ClassNames
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// importGraph reads the input into memory and cleans it. It returns the number of nodes that were read, and which are kept.
func (d *dataset) importGraph(job *run.Job, kind detect.Kind, model *config) (nodes int, component graph.Component, err error) {
	if d.importBytes, err = detect.ImportBytes(job.Data); err != nil {
		return 0, "", err
	}
	if d.importBytes > mostImport(job) {
		return 0, "", &plan.TooSmallError{Budget: job.Memory, Smallest: d.importBytes, Stage: stageImport}
	}
	raw, err := d.read(job, kind, model)
	if err != nil {
		return 0, "", err
	}
	if component = graph.Component(job.String("component")); component == "auto" {
		component = graph.DefaultComponent(raw.Format)
	}
	d.graphBytes = graph.BuildBytes(raw, component)
	nodes = raw.Nodes
	if raw.Kinds != nil && d.graphBytes > mostImport(job) {
		return 0, "", &plan.TooSmallError{Budget: job.Memory, Smallest: d.graphBytes, Stage: stageImport}
	}
	if d.Graph, err = graph.New(raw, component); err != nil {
		return 0, "", err
	}
	if d.Kinds != nil {
		if err := d.classify(job, model); err != nil {
			return 0, "", errors.Join(err, d.Close())
		}
	}
	raw = nil
	debug.FreeOSMemory() // what the reader left
	return nodes, component, nil
}

// mostImport is the most that reading may take.
func mostImport(job *run.Job) int64 { return max(job.Memory, largestProbe) }

// read reads the file as a graph; a table becomes one without edges.
func (d *dataset) read(job *run.Job, kind detect.Kind, model *config) (*format.Graph, error) {
	switch kind.Class {
	case detect.Graph:
		if model != nil && model.Columns != nil {
			return nil, run.Usagef("%s is a graph, the model was trained on a table", job.Data)
		}
		return d.readGraph(job, kind, model)
	case detect.Table:
		return d.readTable(job, model)
	}
	return nil, run.Usagef("%s is a %s; %s takes a graph or a table", job.Data, kind.Title, job.Config.Model)
}

// readTable reads a table by its own columns, or by those that the model was trained on.
func (d *dataset) readTable(job *run.Job, model *config) (*format.Graph, error) {
	target := job.String("target")
	categories := []string{target}
	switch {
	case model != nil && model.Columns == nil:
		return nil, run.Usagef("%s is a table, the model was trained on a graph", job.Data)
	case model != nil:
		d.columns = model.Columns
		categories = d.columns.texts()
	case target == "":
		return nil, run.Usagef("%s is a table: name the column of the class with --target", job.Data)
	}
	f, err := detect.OpenTable(job.Data, table.Options{Categories: categories})
	if err != nil {
		return nil, err
	}
	if d.columns == nil {
		if err := hasColumn(f, target); err != nil {
			return nil, err
		}
		if d.columns, err = newColumns(f, target); err != nil {
			return nil, run.Usagef("%w", err)
		}
	}
	if err := d.columns.fits(f.Rows, mostImport(job)); err != nil {
		return nil, fmt.Errorf("%s: %w", job.Data, err)
	}
	t, err := f.Read()
	if err != nil {
		return nil, err
	}
	samples, err := d.columns.Samples(t)
	if err != nil {
		return nil, run.Usagef("%s: %w", job.Data, err)
	}
	if model == nil {
		d.columns.measure(samples)
	} else {
		samples.Labels = nil // what the classes are does not matter
	}
	if samples.Unknown > 0 {
		job.Degraded(fmt.Sprintf("%d values in text columns of %s are none that the model was trained on; they count as missing", samples.Unknown, job.Data), "train on them")
	}
	g, bytes := d.columns.graph(f, samples)
	d.importBytes += bytes
	return g, g.Validate(job.Data)
}

// hasColumn says whether a table has a column, and if not, which may be meant.
func hasColumn(f *table.File, name string) error {
	if _, ok := f.Column(name); ok {
		return nil
	}
	var names []string
	for i := range f.Columns {
		names = append(names, f.Columns[i].Name)
	}
	hint := ""
	if near, ok := run.Nearest(name, names); ok {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return run.Usagef("%s has no column %q%s", f.Path, name, hint)
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
		return err
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
		return err
	}
	if rule.Kind != "public" {
		if err := d.keepSplits(); err != nil {
			return err
		}
	}
	s := d.splits[0]
	if len(s.Train) == 0 || len(s.Val) == 0 {
		return run.Usagef("split %s leaves %d nodes to train and %d to validate; both are needed", text, len(s.Train), len(s.Val))
	}
	job.Notef("split %s: %d nodes train, %d validate, %d test", d.rule, len(s.Train), len(s.Val), len(s.Test))
	d.noteUntaught(job)
	return nil
}

// mostNamed is how many classes a note lists by name.
const mostNamed = 5

// noteUntaught tells of classes that some split has no node to learn from: nodes of them validate and test all the same.
func (d *dataset) noteUntaught(job *run.Job) {
	without := make([]int, d.Classes) // splits
	for _, s := range d.splits {
		taught := make([]bool, d.Classes)
		for _, u := range s.Train {
			if c := d.Labels[u]; c >= 0 {
				taught[c] = true
			}
		}
		for c := range taught {
			if !taught[c] {
				without[c]++
			}
		}
	}
	var names []string
	for c, n := range without {
		if n > 0 {
			names = append(names, fmt.Sprintf("%s (in %d of %d splits)", d.className(c), n, len(d.splits)))
		}
	}
	if len(names) == 0 {
		return
	}
	more := ""
	if n := len(names) - mostNamed; n > 0 {
		names, more = names[:mostNamed], fmt.Sprintf(" and %d more", n)
	}
	job.Notef("no node trains of the classes %s%s: they cannot be learned there, and their nodes count as wrong", strings.Join(names, ", "), more)
}

// keepSplits moves the splits off the Go heap: together they may be many times as long as the graph has nodes.
func (d *dataset) keepSplits() error {
	lists := func(f func(list *[]int32)) {
		for i := range d.splits {
			s := &d.splits[i]
			for _, list := range []*[]int32{&s.Train, &s.Val, &s.Test} {
				f(list)
			}
		}
	}
	var size int64
	lists(func(list *[]int32) { size += 4 * int64(len(*list)) })
	var err error
	if d.arena, err = memory.NewArena(size); err != nil {
		return err
	}
	var at int64
	lists(func(list *[]int32) {
		kept := d.arena.Int32s(at, len(*list))
		copy(kept, *list)
		*list = kept
		at += 4 * int64(len(kept))
	})
	d.graphBytes += size
	return nil
}

// Close gives the memory back.
func (d *dataset) Close() error {
	err := d.Graph.Close()
	if d.whole != nil {
		err = errors.Join(err, d.whole.Close())
	}
	if d.arena != nil {
		err = errors.Join(err, d.arena.Close())
	}
	if d.learning != nil {
		err = errors.Join(err, d.learning.Close())
	}
	return err
}

// wanted returns the nodes of some splits that hops are needed for, those that train first; nil, for all, when that is most
// nodes or there are no splits.
func (d *dataset) wanted(splits []graph.Split, test bool) []int32 {
	lists := make([][]int32, 0, 3*len(splits))
	for i := range splits {
		if d.learning == nil { // else those that train have rows of their own
			lists = append(lists, splits[i].Train)
		}
	}
	for _, s := range splits {
		lists = append(lists, s.Val)
	}
	for i := range splits {
		if test {
			lists = append(lists, splits[i].Test)
		}
	}
	seen := make([]bool, d.Nodes)
	each := func(visit func(u int32)) {
		clear(seen)
		for _, ids := range lists {
			for _, u := range ids {
				if !seen[u] {
					seen[u] = true
					visit(u)
				}
			}
		}
	}
	count := 0 // first, so that no list of most nodes is made only to be dropped
	each(func(int32) { count++ })
	if count == 0 || 4*count > 3*d.Nodes {
		return nil
	}
	nodes := make([]int32, 0, count)
	each(func(u int32) { nodes = append(nodes, u) })
	return nodes
}

// nodesFor are the nodes that hops are needed for to train and test a design: all (nil) where messages pass, or predictions of
// all are propagated or learned from.
func (d *dataset) nodesFor(design *Design) []int32 {
	if design.passes() || design.Post.acts() || design.Labels.Kind == ReliableLabels {
		return nil
	}
	return d.wanted(d.splits, true)
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
