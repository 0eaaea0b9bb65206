package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/npy"
)

// Options say what to make.
type Options struct {
	To      string // name of the format to write; "": by the extension of the output
	Weights string // see detect.Options: which weights of a graph to keep
}

// Result is what was made.
type Result struct {
	From  string   `json:"from"` // name of the format that was read
	To    string   `json:"to"`
	Notes []string `json:"notes,omitempty"` // what was read otherwise than one may think, and what was left out
}

// PairError says that one format cannot be written as the other.
type PairError struct {
	Path, Title string   // what was to be converted, and what it is
	To          string   // what it was to become
	Can         []string // what it can become; none where nothing is known
}

func (e *PairError) Error() string {
	can := "cannot be converted"
	if len(e.Can) > 0 {
		can = "can become " + strings.Join(e.Can, ", ")
	}
	return fmt.Sprintf("%s is a %s: it cannot become %s; it %s", e.Path, e.Title, e.To, can)
}

// target is a format that can be written.
type target struct {
	name       string
	class      detect.Class // of what it is made from
	extensions []string
	write      func(ctx context.Context, job *job) error
}

// targets are all of them. The first that has an extension is the one that the extension means.
func targets() []target {
	return []target{
		{"ogb", detect.Graph, []string{""}, writeOGB},
		{"edgelist", detect.Graph, []string{".edges", ".edgelist", ".txt"}, writeEdgeList},
		{"sgraph", detect.Graph, []string{".sgraph"}, writeSeraph},
		{"csv", detect.Table, []string{".csv"}, writeCSV},
		{"parquet", detect.Table, []string{".parquet"}, writeParquet},
		{"npy", detect.Arrays, []string{".npy"}, writeNPY},
		{"npz", detect.Arrays, []string{".npz"}, writeNPZ},
		{"safetensors", detect.Arrays, []string{".safetensors"}, writeSafetensors},
	}
}

// job is one conversion.
type job struct {
	in, out string
	kind    detect.Kind
	Options
	notes []string
}

func (j *job) note(message string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(message, args...))
}

// Convert reads in and writes out. Where out exists, the error is an fs.ErrExist; where the formats do not go together, a
// *PairError.
func Convert(ctx context.Context, in, out string, o Options) (*Result, error) {
	t, kind, err := plan(in, out, o.To)
	if err != nil {
		return nil, err
	}
	j := &job{in: in, out: out, kind: kind, Options: o}
	if err := t.write(ctx, j); err != nil {
		return nil, err
	}
	return &Result{From: kind.Name, To: t.name, Notes: j.notes}, nil
}

// Plan says what in is, and the name of the format that it would be converted to. Its errors are those of Convert.
func Plan(in, out, to string) (kind detect.Kind, target string, err error) {
	t, kind, err := plan(in, out, to)
	if err != nil {
		return kind, "", err
	}
	return kind, t.name, nil
}

func plan(in, out, to string) (*target, detect.Kind, error) {
	t, err := targetOf(out, to)
	if err != nil {
		return nil, detect.Kind{}, err
	}
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return nil, detect.Kind{}, fmt.Errorf("write %s: %w; remove it, or name another", out, fs.ErrExist)
	}
	kind, err := kindFor(in, t)
	return t, kind, err
}

// targetOf is the format of a name, or of the extension of a path.
func targetOf(out, name string) (*target, error) {
	var names []string
	ext := strings.ToLower(filepath.Ext(out))
	for _, t := range targets() {
		names = append(names, t.name)
		if t.name == name {
			return &t, nil
		}
		for _, e := range t.extensions {
			if name == "" && e == ext {
				return &t, nil
			}
		}
	}
	if name != "" {
		return nil, fmt.Errorf("%w: %q, expected one of %s", ErrUnknown, name, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("%w: %s has the extension %q; give --to, one of %s", ErrUnknown, out, ext, strings.Join(names, ", "))
}

// ErrUnknown says that a format to write is none that there is.
var ErrUnknown = errors.New("unknown format to convert to")

// Formats are the names of the formats that can be written.
func Formats() []string {
	var names []string
	for _, t := range targets() {
		names = append(names, t.name)
	}
	return names
}

// kindFor recognises the input as what the target is made from.
func kindFor(in string, t *target) (detect.Kind, error) {
	kind, err := detect.Recognise(in)
	if err != nil || kind.Class == t.class {
		return kind, err
	}
	if t.class == detect.Graph && kind.Class == detect.Table {
		if graph, err := detect.RecogniseGraph(in); err == nil { // a .csv of two columns of ids
			return graph, nil
		}
	}
	if t.class == detect.Arrays && isArchive(in) { // a graph in an npz archive is one of arrays, too
		return kind, nil
	}
	e := &PairError{Path: in, Title: kind.Title, To: t.name}
	for _, other := range targets() {
		if other.class == kind.Class {
			e.Can = append(e.Can, other.name)
		}
	}
	return kind, e
}

func isArchive(path string) bool {
	a, err := npy.OpenArchive(path)
	if err != nil {
		return false
	}
	defer a.Close()
	return strings.EqualFold(filepath.Ext(path), ".npz")
}
