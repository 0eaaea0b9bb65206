package table_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/format/table"
)

// A table becomes what a classifier takes: a matrix, codes of categories, and class ids.
func Example() {
	path := filepath.Join(os.TempDir(), "flowers.csv")
	defer os.Remove(path)
	content := "petal,colour,species\n1.5,white,setosa\n4.5,blue,virginica\nNA,white,setosa\n"
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		log.Fatal(err)
	}
	f, err := table.OpenCSV(path, table.Options{Categories: []string{"species"}})
	if err != nil {
		log.Fatal(err)
	}
	layout, err := table.NewLayout(f, "species")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("classes:", layout.Classes)
	for block, err := range f.Blocks(2) { // two rows at a time
		if err != nil {
			log.Fatal(err)
		}
		samples, err := layout.Samples(block)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(samples.Numeric, samples.Codes, samples.Labels)
	}
	// Output:
	// classes: [setosa virginica]
	// [1.5 4.5] [0 1] [0 1]
	// [NaN] [0] [0]
}

// Predictions are written as CSV, block by block.
func ExampleCSVWriter() {
	var out strings.Builder
	w := table.NewCSVWriter(&out)
	err := w.Write(&table.Table{Rows: 2, Columns: []table.Column{
		{Name: "id", Kind: table.Int, Ints: []int64{17, 18}},
		{Name: "class", Kind: table.Text, Values: []string{"Theory", "Rule, learning"}, Codes: []int32{1, 0}},
		{Name: "p", Kind: table.Float32, Float32s: []float32{0.75, 0.5}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Print(strings.ReplaceAll(out.String(), "\r\n", "\n"))
	// Output:
	// id,class,p
	// 17,"Rule, learning",0.75
	// 18,Theory,0.5
}
