package ogb_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/format/ogb"
)

// A cycle of three nodes with two features each, written, and its features read two rows at a time.
func Example() {
	temp, err := os.MkdirTemp("", "ogb")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(temp)
	dir := filepath.Join(temp, "cycle")

	w, err := ogb.NewWriter(dir, 3)
	if err != nil {
		log.Fatal(err)
	}
	err = w.Edges(func(emit func(src, dst []int32) error) error {
		return emit([]int32{0, 1, 2}, []int32{1, 2, 0})
	})
	if err == nil {
		err = w.Features(2, func(emit func(block []float32) error) error {
			return emit([]float32{0, 0.5, 1, 1.5, 2, 2.5})
		})
	}
	if err == nil {
		err = w.Finish()
	}
	if err != nil {
		log.Fatal(err)
	}

	set, err := ogb.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Nodes, "nodes,", set.Edges, "edges,", set.Cols, "columns")
	features, err := set.Features()
	if err != nil {
		log.Fatal(err)
	}
	defer features.Close()
	block := make([]float32, 2*set.Cols)
	for {
		rows, err := features.Read(block)
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(block[:rows*set.Cols])
	}
	// Output:
	// 3 nodes, 3 edges, 2 columns
	// [0 0.5 1 1.5]
	// [2 2.5]
}
