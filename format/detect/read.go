package detect

import (
	"fmt"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/format/table"
)

// Describe tells what path holds, for `seraph show`.
func Describe(path string) (format.Description, error) {
	k, err := Recognise(path)
	if err != nil {
		return format.Description{}, err
	}
	return k.describe(path)
}

// Check verifies all of what path holds, for `seraph check`.
func Check(path string) error {
	k, err := Recognise(path)
	if err != nil {
		return err
	}
	return k.check(path)
}

// RecogniseGraph is Recognise where a graph is wanted: a .csv file of two columns of ids is an edge list then.
func RecogniseGraph(path string) (Kind, error) {
	return recogniseAs(path, Graph, "planetoid prefix, npz, OGB folder, edge list, METIS, MatrixMarket or sgraph")
}

// RecogniseTable is Recognise where a table is wanted.
func RecogniseTable(path string) (Kind, error) { return recogniseAs(path, Table, "CSV or Parquet") }

func recogniseAs(path string, class Class, formats string) (Kind, error) {
	k, err := Recognise(path)
	if err != nil || k.Class == class {
		return k, err
	}
	if class == Graph && k.Class == Table && edgelist.Is(path) {
		return edgeList, nil
	}
	return Kind{}, format.CorruptAt(path, -1, "data", "a "+k.Title, fmt.Sprintf("a %s (%s)", class, formats))
}

// ReadGraph reads the graph at path, whatever its format.
func ReadGraph(path string, o Options) (*format.Graph, error) {
	k, err := RecogniseGraph(path)
	if err != nil {
		return nil, err
	}
	return k.graph(path, o)
}

// OpenTable opens the table at path, whatever its format.
func OpenTable(path string, o table.Options) (*table.File, error) {
	k, err := RecogniseTable(path)
	if err != nil {
		return nil, err
	}
	return k.table(path, o)
}

// ImportBytes bounds the memory that ReadGraph, or OpenTable and Read of the table, allocate in all, garbage included.
func ImportBytes(path string) (int64, error) {
	k, err := Recognise(path)
	if err != nil {
		return 0, err
	}
	if k.memory == nil {
		return 0, format.CorruptAt(path, -1, "data", "a "+k.Title, "a graph or a table")
	}
	return k.memory(path)
}
