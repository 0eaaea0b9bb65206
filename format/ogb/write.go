package ogb

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/klauspost/compress/gzip"
	"github.com/seraph-ml/seraph/format"
)

// Writer writes a data set in blocks, each file atomically and with the same bytes every time. Call Edges, then what else
// the set has, and Finish last: it writes the counts, without which a folder is not taken for a data set.
type Writer struct {
	Dir   string
	Nodes int

	edges   int64
	written bool // the edges
}

// NewWriter makes the folders of a data set of that many nodes. It refuses a folder that holds a data set.
func NewWriter(dir string, nodes int) (*Writer, error) {
	if nodes < 1 || nodes > format.MaxNodes {
		return nil, fmt.Errorf("write %s: %d nodes, expected 1 … %d", dir, nodes, format.MaxNodes)
	}
	if Is(dir) {
		return nil, fmt.Errorf("write %s: it holds a data set already; name another folder or remove it", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, "raw"), 0o755); err != nil {
		return nil, err
	}
	return &Writer{Dir: dir, Nodes: nodes}, nil
}

// Edges writes the edges, each once: fill calls emit with block after block of sources and targets.
func (w *Writer) Edges(fill func(emit func(src, dst []int32) error) error) error {
	w.edges = 0
	err := w.write(edgeFile, func(out *rows) error {
		return fill(func(src, dst []int32) error {
			if len(src) != len(dst) {
				return fmt.Errorf("block of %d sources and %d targets", len(src), len(dst))
			}
			for i := range src {
				if err := w.node(src[i]); err != nil {
					return err
				}
				if err := w.node(dst[i]); err != nil {
					return err
				}
				out.line = strconv.AppendInt(out.line, int64(src[i]), 10)
				out.line = append(out.line, ',')
				out.line = strconv.AppendInt(out.line, int64(dst[i]), 10)
				if err := out.end(); err != nil {
					return err
				}
			}
			w.edges += int64(len(src))
			return nil
		})
	})
	w.written = err == nil
	return err
}

func (w *Writer) node(id int32) error {
	if id < 0 || int(id) >= w.Nodes {
		return fmt.Errorf("node %d, expected 0 … %d", id, w.Nodes-1)
	}
	return nil
}

// Features writes cols features a node: fill calls emit with block after block of whole rows. A value is written with as
// many digits as bring back its bits.
func (w *Writer) Features(cols int, fill func(emit func(block []float32) error) error) error {
	if cols < 1 {
		return fmt.Errorf("write %s: %d feature columns, expected at least one", w.Dir, cols)
	}
	count := 0
	return w.write(featureFile, func(out *rows) error {
		err := fill(func(block []float32) error {
			if len(block)%cols != 0 {
				return fmt.Errorf("block of %d values, expected rows of %d", len(block), cols)
			}
			for ; len(block) > 0; block = block[cols:] {
				for _, v := range block[:cols] {
					if v-v != 0 {
						return fmt.Errorf("feature %v of node %d, expected a finite number", v, count)
					}
					out.line = strconv.AppendFloat(out.line, float64(v), 'g', -1, 32)
					out.line = append(out.line, ',')
				}
				out.line = out.line[:len(out.line)-1]
				if err := out.end(); err != nil {
					return err
				}
				count++
			}
			return nil
		})
		if err == nil && count != w.Nodes {
			err = fmt.Errorf("features of %d nodes, expected %d", count, w.Nodes)
		}
		return err
	})
}

// Labels writes the class of each node, −1 for none.
func (w *Writer) Labels(labels []int32) error {
	if len(labels) != w.Nodes {
		return fmt.Errorf("write %s: %d labels, expected %d", w.Dir, len(labels), w.Nodes)
	}
	return w.write(labelFile, func(out *rows) error {
		for _, label := range labels {
			if label < 0 {
				out.line = append(out.line, "nan"...)
			} else {
				out.line = strconv.AppendInt(out.line, int64(label), 10)
			}
			if err := out.end(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Split writes a split under the name of its scheme.
func (w *Writer) Split(scheme string, train, val, test []int32) error {
	if scheme == "" || scheme != filepath.Base(scheme) || scheme[0] == '.' {
		return fmt.Errorf("write %s: split scheme %q, expected a plain name", w.Dir, scheme)
	}
	if err := os.MkdirAll(filepath.Join(w.Dir, "split", scheme), 0o755); err != nil {
		return err
	}
	for _, part := range []struct {
		file string
		ids  []int32
	}{{"train", train}, {"valid", val}, {"test", test}} {
		err := w.write("split/"+scheme+"/"+part.file, func(out *rows) error {
			for _, id := range part.ids {
				if err := w.node(id); err != nil {
					return err
				}
				out.line = strconv.AppendInt(out.line, int64(id), 10)
				if err := out.end(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Finish writes the counts: the data set is complete.
func (w *Writer) Finish() error {
	if !w.written {
		return fmt.Errorf("write %s: the edges were not written", w.Dir)
	}
	for _, count := range []struct {
		file string
		n    int64
	}{{edgeCount, w.edges}, {nodeCount, int64(w.Nodes)}} {
		err := w.write(count.file, func(out *rows) error {
			out.line = strconv.AppendInt(out.line, count.n, 10)
			return out.end()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rows collects lines of text and hands them on in large pieces.
type rows struct {
	line []byte // the line that is being written, behind those that wait
	w    io.Writer
}

// end ends a line.
func (r *rows) end() error {
	r.line = append(r.line, '\n')
	if len(r.line) < 1<<16 {
		return nil
	}
	return r.flush()
}

func (r *rows) flush() error {
	_, err := r.w.Write(r.line)
	r.line = r.line[:0]
	return err
}

// write writes one file, compressed at the fastest level: these files are large and read once.
func (w *Writer) write(file string, fill func(*rows) error) error {
	path := filepath.Join(w.Dir, filepath.FromSlash(file)+".csv.gz")
	return format.WriteFile(path, func(f io.Writer) error {
		z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
		if err != nil {
			return err
		}
		out := &rows{w: z}
		if err := fill(out); err != nil {
			return err
		}
		if err := out.flush(); err != nil {
			return err
		}
		return z.Close()
	})
}
