package detect

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/pickle"
	"github.com/seraph-ml/seraph/format/planetoid"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/format/shchur"
	"github.com/seraph-ml/seraph/format/table"
)

// Class is what a kind of file can be used as.
type Class uint8

// The classes.
const (
	Graph  Class = iota // a graph: ReadGraph reads it
	Table               // a table: OpenTable opens it
	Arrays              // named arrays or tensors
	Events              // TensorBoard events
	Pickle              // a Python pickle
)

// Kind is a format that Seraph reads.
type Kind struct {
	Name  string // the format's package, for example "planetoid"
	Title string // what a user calls it
	Class Class

	describe func(path string) (format.Description, error)
	check    func(path string) error
	graph    func(path string, o Options) (*format.Graph, error) // Class Graph
	table    func(path string, o table.Options) (*table.File, error)
	bytes    func(path string) (int64, error) // memory that graph or table allocates, nil where unknown
}

// Options is what the reader of a graph may be told.
type Options struct {
	Weights string // column of an edge list that holds the weights; "" ignores weights
}

var (
	planetoidSet = Kind{Name: "planetoid", Title: "planetoid data set", Class: Graph, describe: planetoid.Describe, check: planetoid.Check, graph: plain(planetoid.Read), bytes: planetoid.ImportBytes}
	shchurSet    = Kind{Name: "shchur", Title: "graph in an npz archive", Class: Graph, describe: shchur.Describe, check: shchur.Check, graph: plain(shchur.Read), bytes: shchur.ImportBytes}
	csvTable     = Kind{Name: "csv", Title: "table of separated values", Class: Table, describe: table.Describe, check: table.Check, table: table.OpenCSV}
	npyArray     = Kind{Name: "npy", Title: "NumPy array", Class: Arrays, describe: npy.Describe, check: npy.Check}
	npzArchive   = Kind{Name: "npz", Title: "NumPy archive", Class: Arrays, describe: npy.Describe, check: npy.Check}
	checkpoint   = Kind{Name: "safetensors", Title: "safetensors checkpoint", Class: Arrays, describe: safetensors.Describe, check: safetensors.Check}
	pickled      = Kind{Name: "pickle", Title: "Python pickle", Class: Pickle, describe: pickle.Describe, check: pickle.Check}
)

// plain adapts a reader that takes no options.
func plain(read func(string) (*format.Graph, error)) func(string, Options) (*format.Graph, error) {
	return func(path string, _ Options) (*format.Graph, error) { return read(path) }
}

// Recognise says what path is. A path that exists and is nothing Seraph knows is a *format.CorruptError; one that does not
// exist is an error that fs.ErrNotExist matches.
func Recognise(path string) (Kind, error) {
	if planetoid.Is(path) {
		return planetoidSet, nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Kind{}, fmt.Errorf("%w%s", err, nearby(path))
	}
	if err != nil {
		return Kind{}, err
	}
	if info.IsDir() {
		return folder(path)
	}
	return file(path)
}

// folder recognises a folder.
func folder(path string) (Kind, error) {
	if index := filepath.Join(path, "model.safetensors.index.json"); exists(index) {
		return Kind{}, unknown(path, "a folder with a checkpoint", "a file").WithHint("name " + index)
	}
	return Kind{}, unknown(path, "a folder", "a data set that Seraph knows")
}

// file recognises a regular file: by its first bytes where these say it, by its name otherwise.
func file(path string) (Kind, error) {
	s, err := format.Open(path)
	if err != nil {
		return Kind{}, err
	}
	defer s.Close()
	head, err := s.Bytes(0, min(s.Size, 16), "first bytes")
	if err != nil {
		return Kind{}, err
	}
	ext := strings.ToLower(filepath.Ext(path))
	switch {
	case bytes.HasPrefix(head, []byte("\x93NUMPY")) || ext == ".npy":
		return npyArray, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || ext == ".npz":
		if shchur.Is(path) {
			return shchurSet, nil
		}
		if ext == ".npz" {
			return npzArchive, nil
		}
		return Kind{}, unknown(path, "a zip archive", "an npz archive, or a zip with one in it")
	case ext == ".safetensors" || strings.HasSuffix(path, ".safetensors.index.json"):
		return checkpoint, nil
	case len(head) > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5, ext == ".pkl", ext == ".pickle":
		return pickled, nil
	case table.IsCSV(path):
		return csvTable, nil
	}
	return Kind{}, unknown(path, fmt.Sprintf("a file that begins with %q", head), "a format that Seraph knows")
}

func unknown(path, found, expected string) *format.CorruptError {
	return format.CorruptAt(path, -1, "data", found, expected)
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// nearby hints at a planetoid set whose prefix is nearly path.
func nearby(path string) string { return "" }

// Describe tells what path holds, for `seraph show`.
func Describe(path string) (format.Description, error) {
	k, err := Recognise(path)
	if err != nil {
		return format.Description{}, err
	}
	return k.describe(path)
}

// Check verifies what path holds, for `seraph check`.
func Check(path string) error {
	k, err := Recognise(path)
	if err != nil {
		return err
	}
	return k.check(path)
}

// ReadGraph reads the graph at path, whatever its format.
func ReadGraph(path string, o Options) (*format.Graph, error) {
	k, err := Recognise(path)
	if err != nil {
		return nil, err
	}
	if k.graph == nil {
		return nil, unknown(path, "a "+k.Title, "a graph")
	}
	return k.graph(path, o)
}

// OpenTable opens the table at path, whatever its format.
func OpenTable(path string, o table.Options) (*table.File, error) {
	k, err := Recognise(path)
	if err != nil {
		return nil, err
	}
	if k.table == nil {
		return nil, unknown(path, "a "+k.Title, "a table")
	}
	return k.table(path, o)
}

// ImportBytes returns a bound on the memory that ReadGraph, or OpenTable and Read, allocate for path.
func ImportBytes(path string) (int64, error) {
	k, err := Recognise(path)
	if err != nil {
		return 0, err
	}
	if k.bytes == nil {
		return 0, unknown(path, "a "+k.Title, "a graph or a table")
	}
	return k.bytes(path)
}
