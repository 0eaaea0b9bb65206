package sgap

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// correctAndSmooth is what the predictions of the job become with nodes whose classes are known, which ascend: Q_K, to be closed.
func (s *spreader) correctAndSmooth(nodes, labels []int32) (q *graph.Hops, err error) {
	d := s.data
	arena, err := memory.NewArena(2*aligned(predictionBytes(d)) + memory.Align)
	if err != nil {
		return nil, fmt.Errorf("set predictions aside: %w", err)
	}
	defer func() { err = errors.Join(err, arena.Close()) }()
	n := d.Nodes * d.Classes
	z, y := arena.Float32s(0, n), arena.Float32s(aligned(predictionBytes(d)), n)
	if err := d.readGuesses(s.job.Path(s.job.String("predictions")), z); err != nil {
		return nil, err
	}
	features := graph.Features{Rows: d.Nodes, Cols: d.Classes, Dense: y}
	sigma := missed(y, z, nodes, labels, d.Classes)
	e, err := s.compute(s.spreading(features, s.job.Float("correct-alpha")))
	if err != nil {
		return nil, err
	}
	err = errors.Join(corrected(y, z, e, sigma), e.Close())
	if err != nil {
		return nil, err
	}
	for i, u := range nodes {
		row := y[int(u)*d.Classes:][:d.Classes]
		clear(row)
		row[labels[i]] = 1
	}
	return s.compute(s.spreading(features, s.job.Float("alpha")))
}

// missed makes E_0 in e, which is zero, and returns σ, the mean over the nodes of the sum of absolute errors.
func missed(e, z []float32, nodes, labels []int32, classes int) float64 {
	var sigma float64
	for i, u := range nodes {
		row := e[int(u)*classes:][:classes]
		for c := range row {
			row[c] = -z[int(u)*classes+c]
		}
		row[labels[i]]++
		sigma += size(row)
	}
	return sigma / float64(max(len(nodes), 1))
}

// size is the sum of absolute values.
func size(row []float32) (sum float64) {
	for _, x := range row {
		sum += math.Abs(float64(x))
	}
	return sum
}

// corrected makes Z_i + σ E_i/|E_i| of all nodes; where no error arrives, Z_i.
func corrected(g, z []float32, e *graph.Hops, sigma float64) error {
	rows := make([]float32, spreadBlock*e.Cols)
	for lo := 0; lo < e.Rows; lo += spreadBlock {
		hi := min(lo+spreadBlock, e.Rows)
		if err := e.ReadRows(lo, hi, e.K, rows[:(hi-lo)*e.Cols]); err != nil {
			return err
		}
		for u := lo; u < hi; u++ {
			row := rows[(u-lo)*e.Cols:][:e.Cols]
			scale := 0.0
			if norm := size(row); norm > 0 {
				scale = sigma / norm
			}
			for c, x := range row {
				g[u*e.Cols+c] = float32(float64(z[u*e.Cols+c]) + scale*float64(x))
			}
		}
	}
	return nil
}

// guessBlock is the rows of a table of predictions that are read together.
const guessBlock = 1 << 12

// guessBytes is what reading a table of predictions takes: places of the nodes by their ids, and a block of rows, parsed.
func guessBytes(d *dataset) int64 {
	return 17*int64(d.Nodes) + 64*guessBlock*int64(d.Classes+2) + 4<<20
}

// place is where a node stands.
type place struct {
	id   int64
	node int32
}

// readGuesses reads predictions of all nodes, (nodes, classes), from a table of ids and p_CLASS.
func (d *dataset) readGuesses(path string, z []float32) error {
	f, err := detect.OpenTable(path, table.Options{})
	if err != nil {
		return err
	}
	columns, err := d.guessColumns(f)
	if err != nil {
		return err
	}
	places, read := make([]place, d.Nodes), make([]bool, d.Nodes)
	for u := range places {
		places[u] = place{d.ID(u), int32(u)}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.id, b.id) })
	found, line := 0, 0
	for block, err := range f.Blocks(guessBlock) {
		if err != nil {
			return err
		}
		for i := range block.Rows {
			line++
			at, ok := slices.BinarySearchFunc(places, block.Columns[columns[0]].Ints[i], func(p place, id int64) int { return cmp.Compare(p.id, id) })
			if !ok {
				continue // of a node that is not kept
			}
			u := int(places[at].node)
			if read[u] {
				return run.Usagef("%s: row %d is a second one of node %d", path, line, places[at].id)
			}
			read[u] = true
			found++
			for c, k := range columns[1:] {
				p := number(&block.Columns[k], i)
				if !(p >= 0 && p <= 1) {
					return run.Usagef("%s: row %d: %s is %v, expected a probability", path, line, f.Columns[k].Name, p)
				}
				z[u*d.Classes+c] = float32(p)
			}
		}
	}
	if found < d.Nodes {
		return run.Usagef("%s has no row of node %d, nor of %d others", path, d.ID(slices.Index(read, false)), d.Nodes-found-1)
	}
	return nil
}

// guessColumns finds the columns of the ids and of each class.
func (d *dataset) guessColumns(f *table.File) ([]int, error) {
	names := []string{"id"}
	for c := range d.Classes {
		names = append(names, "p_"+d.className(c))
	}
	var at []int
	for i, name := range names {
		k := slices.IndexFunc(f.Columns, func(c table.Column) bool { return c.Name == name })
		switch {
		case k < 0:
			return nil, run.Usagef("%s has no column %s; predictions have id and p_CLASS for every class", f.Path, name)
		case f.Columns[k].Kind == table.Text || i == 0 && f.Columns[k].Kind != table.Int:
			return nil, run.Usagef("%s: column %s holds no numbers", f.Path, name)
		}
		at = append(at, k)
	}
	return at, nil
}

// number is value i of a column of numbers; NaN where it is missing.
func number(c *table.Column, i int) float64 {
	switch {
	case c.IsMissing(i):
		return math.NaN()
	case c.Kind == table.Int:
		return float64(c.Ints[i])
	case c.Kind == table.Float32:
		return float64(c.Float32s[i])
	}
	return c.Float64s[i]
}

// demoGuesses writes predictions of a graph in which the right class has the largest probability for six nodes of ten.
func demoGuesses(data, dir string, seed uint64) (string, error) {
	raw, err := detect.ReadGraph(data, detect.Options{})
	if err != nil {
		return "", err
	}
	d := &dataset{Graph: &graph.Graph{Nodes: raw.Nodes, Classes: raw.Classes}}
	r := rand.New(rand.NewPCG(seed, seed))
	logits := make([]float32, raw.Nodes*raw.Classes)
	for u, label := range raw.Labels {
		if label < 0 || r.Float64() > 0.6 {
			label = int32(r.IntN(raw.Classes))
		}
		logits[u*raw.Classes+int(label)] = 2
	}
	path := filepath.Join(dir, "predictions.csv")
	return path, format.WriteFile(path, func(w io.Writer) error {
		csv := table.NewCSVWriter(w)
		return errors.Join(csv.Write(d.predictions(0, logits)), csv.Close())
	})
}
