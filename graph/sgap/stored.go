package sgap

import (
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/sgraph"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// storedBytes is what opening a Seraph graph for a job takes, where it can be used where it lies; else why it cannot.
// applied says that the job applies a model.
func storedBytes(job *run.Job, applied bool) (bytes int64, why string, err error) {
	f, err := sgraph.Open(job.Data)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	why = graph.Storable(&f.Counts)
	switch component, messages := job.String("component"), job.Lookup("messages"); {
	case messages != nil && messages.Text == string(Smoothing):
		why = "what hops tend to depends on its connected components"
	case !applied && inductive(job):
		why = "--inductive is given"
	case ranks(job) > 1:
		why = "--ranks is given"
	case job.String("weights") != "":
		why = "--weights is given"
	case component != "auto" && component != string(graph.All):
		why = fmt.Sprintf("--component %s is given", component)
	}
	for _, s := range [][2]string{{"stationarity", string(graph.StationaryComponent)}, {"distance", string(graph.DistanceInfluence)}} {
		if job.Lookup(s[0]) != nil && job.String(s[0]) == s[1] {
			why = fmt.Sprintf("--%s %s is given", s[0], s[1])
		}
	}
	return graph.StoredBytes(f, job.Threads), why, nil
}

// open opens a Seraph graph whose edges and features may stay on disk, and says whether the input is one.
func (d *dataset) open(job *run.Job, kind detect.Kind, applied bool) (bool, error) {
	if kind.Name != sgraphName {
		return false, nil
	}
	bytes, why, err := storedBytes(job, applied)
	switch {
	case err != nil:
		return false, err
	case why != "":
		job.Notef("%s is read into memory: %s", job.Data, why)
		return false, nil
	case bytes > mostImport(job):
		return false, &plan.TooSmallError{Budget: job.Memory, Smallest: bytes, Stage: stageImport}
	}
	d.graphBytes = bytes
	d.Graph, err = graph.OpenStored(job.Data, job.Threads)
	return true, err
}

// sgraphName is the name of the format of graphs that need not be read into memory.
const sgraphName = "sgraph"

// importBound is the most that reading the input of a job takes, from its size alone.
func importBound(job *run.Job, applied bool) (int64, error) {
	kind, err := detect.Recognise(job.Data)
	if err != nil {
		return 0, err
	}
	if kind.Name == sgraphName {
		if bytes, why, err := storedBytes(job, applied); err != nil || why == "" {
			return bytes, err
		}
	}
	return detect.ImportBytes(job.Data)
}

// settle reads a graph on disk into memory where the whole job fits the budget so, or where the design has no other way. try
// makes a plan.
func (pl *planner) settle(design *Design, try func() (*plan.Job, error)) (*plan.Job, error) {
	d := pl.data
	if !d.OnDisk() {
		return try()
	}
	var small *plan.TooSmallError
	_, err := pl.pretend(try)
	switch {
	case err == nil:
		if err := errors.Join(pl.forget(), d.load()); err != nil {
			return nil, err
		}
		job, err := try()
		if !errors.As(err, &small) || design.inMemory() {
			return job, err
		}
		if err := errors.Join(pl.forget(), d.unload()); err != nil {
			return nil, err
		}
	case !errors.As(err, &small) || design.inMemory():
		return nil, err
	}
	return try()
}

// inMemory says whether the design needs the edges of a graph in memory.
func (d *Design) inMemory() bool {
	return d.passes() || d.Norm.Triangles || d.Post.Hops > 0 && d.Post.Norm.Triangles
}

// pretend makes the plan as it would be with the graph in memory.
func (pl *planner) pretend(try func() (*plan.Job, error)) (*plan.Job, error) {
	if err := pl.forget(); err != nil {
		return nil, err
	}
	d := *pl.data
	defer func(real *dataset) { pl.data, pl.adjacency, pl.pretending = real, nil, false }(pl.data)
	d.Graph, d.graphBytes = d.Loaded(), d.graphBytes+d.LoadBytes()
	pl.data, pl.pretending = &d, true
	return try()
}

// load reads edges and features into memory.
func (d *dataset) load() error {
	d.graphBytes += d.LoadBytes()
	return d.Load()
}

// unload leaves them on disk again.
func (d *dataset) unload() error {
	d.graphBytes -= d.LoadBytes()
	return d.Unload()
}
