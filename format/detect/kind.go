package detect

import (
	"fmt"
	"strconv"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/format/matrixmarket"
	"github.com/seraph-ml/seraph/format/metis"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/pickle"
	"github.com/seraph-ml/seraph/format/planetoid"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/format/sgraph"
	"github.com/seraph-ml/seraph/format/shchur"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/format/tfevents"
)

// Class is what a kind of file can be used as.
type Class string

// The classes.
const (
	Graph  Class = "graph"  // ReadGraph reads it
	Table  Class = "table"  // OpenTable opens it
	Arrays Class = "arrays" // named arrays or tensors
	Events Class = "events" // TensorBoard events
	Object Class = "object" // a Python pickle
	Text   Class = "text"   // plain text
)

// Kind is a format that Seraph reads.
type Kind struct {
	Name  string // of the format, as in Description.Format
	Title string // what a user calls it: "planetoid data set"
	Class Class

	describe func(path string) (format.Description, error)
	check    func(path string) error
	graph    func(path string, o Options) (*format.Graph, error)     // Class Graph
	table    func(path string, o table.Options) (*table.File, error) // Class Table
	memory   func(path string) (int64, error)                        // that graph, or table and Read, allocate; nil for neither
}

// Options is what the reader of a graph may be told.
type Options struct {
	// Weights is the column of an edge list, from 3 on, that holds the weights of the edges. METIS and MatrixMarket files and Seraph graphs have one
	// place for weights: anything but "" keeps them. "" ignores weights.
	Weights string

	// Kinds takes a graph of several kinds of nodes too; else it is an error.
	Kinds bool
}

var (
	planetoidSet = Kind{
		Name: "planetoid", Title: "planetoid data set", Class: Graph,
		describe: planetoid.Describe, check: planetoid.Check, graph: noOptions(planetoid.Read), memory: planetoid.ImportBytes,
	}
	shchurSet = Kind{
		Name: "shchur", Title: "graph in an npz archive", Class: Graph,
		describe: shchur.Describe, check: shchur.Check, graph: noOptions(shchur.Read), memory: shchur.ImportBytes,
	}
	ogbSet = Kind{
		Name: "ogb", Title: "folder in the OGB layout", Class: Graph,
		describe: ogb.Describe, check: ogb.Check, graph: noOptions(ogb.Read), memory: ogb.ImportBytes,
	}
	ogbHetero = Kind{
		Name: "ogb-hetero", Title: "folder in the OGB layout of several kinds of nodes", Class: Graph,
		describe: ogb.DescribeHetero, check: ogb.CheckHetero, memory: ogb.HeteroImportBytes,
		graph: func(path string, o Options) (*format.Graph, error) {
			if !o.Kinds {
				return nil, format.CorruptAt(path, -1, "graph", "several kinds of nodes", "nodes of one kind").WithHint("models that weigh the hops, gamlp-r among them, take it")
			}
			return ogb.ReadHetero(path)
		},
	}
	edgeList = Kind{
		Name: "edgelist", Title: "edge list", Class: Graph,
		describe: edgelist.Describe, check: edgelist.Check, memory: edgelist.ImportBytes,
		graph: func(path string, o Options) (*format.Graph, error) {
			column, err := o.weightColumn()
			if err != nil {
				return nil, err
			}
			return edgelist.Read(path, edgelist.Options{Weights: column})
		},
	}
	metisGraph = Kind{
		Name: "metis", Title: "METIS graph", Class: Graph,
		describe: metis.Describe, check: metis.Check, memory: metis.ImportBytes,
		graph: func(path string, o Options) (*format.Graph, error) {
			return metis.Read(path, metis.Options{Weights: o.Weights != ""})
		},
	}
	matrixMarket = Kind{
		Name: "matrixmarket", Title: "MatrixMarket matrix", Class: Graph,
		describe: matrixmarket.Describe, check: matrixmarket.Check, memory: matrixmarket.ImportBytes,
		graph: func(path string, o Options) (*format.Graph, error) {
			return matrixmarket.Read(path, matrixmarket.Options{Weights: o.Weights != ""})
		},
	}
	seraphGraph = Kind{
		Name: "sgraph", Title: "Seraph graph", Class: Graph,
		describe: sgraph.Describe, check: sgraph.Check, memory: sgraph.ImportBytes,
		graph: func(path string, o Options) (*format.Graph, error) {
			return sgraph.Read(path, sgraph.Options{Weights: o.Weights != ""})
		},
	}
	csvTable = Kind{
		Name: "csv", Title: "table of separated values", Class: Table,
		describe: table.Describe, check: table.Check, table: table.OpenCSV,
		memory: func(path string) (int64, error) { return table.ImportBytes(path, table.Options{}) },
	}
	parquetTable = Kind{
		Name: "parquet", Title: "Parquet table", Class: Table,
		describe: parquet.Describe, check: parquet.Check, table: parquet.Open,
		memory: func(path string) (int64, error) { return parquet.ImportBytes(path, table.Options{}) },
	}
	npyArray     = Kind{Name: "npy", Title: "NumPy array", Class: Arrays, describe: npy.Describe, check: npy.Check}
	npzArchive   = Kind{Name: "npz", Title: "NumPy archive", Class: Arrays, describe: npy.Describe, check: npy.Check}
	checkpoint   = Kind{Name: "safetensors", Title: "safetensors checkpoint", Class: Arrays, describe: safetensors.Describe, check: safetensors.Check}
	events       = Kind{Name: "tfevents", Title: "file of TensorBoard events", Class: Events, describe: tfevents.Describe, check: tfevents.Check}
	pickleObject = Kind{Name: "pickle", Title: "Python pickle", Class: Object, describe: pickle.Describe, check: pickle.Check}
	plainText    = Kind{Name: "text", Title: "plain text", Class: Text, describe: describeText, check: checkText}
)

// noOptions adapts a reader that takes none.
func noOptions(read func(path string) (*format.Graph, error)) func(string, Options) (*format.Graph, error) {
	return func(path string, _ Options) (*format.Graph, error) { return read(path) }
}

// weightColumn returns the number of the column, 0 for none.
func (o Options) weightColumn() (int, error) {
	if o.Weights == "" {
		return 0, nil
	}
	column, err := strconv.Atoi(o.Weights)
	if err != nil || column < 3 {
		return 0, fmt.Errorf("weights in column %q: expected the number of a column, 3 or more: columns 1 and 2 hold the node ids", o.Weights)
	}
	return column, nil
}
