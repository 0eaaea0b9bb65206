package parquet_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/table"
)

func Example() {
	path := filepath.Join(os.TempDir(), "predictions.parquet")
	defer os.Remove(path)
	block := &table.Table{Rows: 3, Columns: []table.Column{
		{Name: "id", Kind: table.Int, Ints: []int64{17, 18, 19}},
		{Name: "class", Kind: table.Text, Values: []string{"Theory", "Rule_Learning"}, Codes: []int32{1, 0, -1}},
	}}
	err := format.WriteFile(path, func(f io.Writer) error {
		w := parquet.NewWriter(f)
		if err := w.Write(block); err != nil {
			return err
		}
		return w.Close()
	})
	if err != nil {
		log.Fatal(err)
	}
	f, err := parquet.Open(path, table.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range f.Columns {
		fmt.Println(c.Name, c.Kind, c.Missing, c.Values)
	}
	// Output:
	// id int 0 []
	// class text 1 [Rule_Learning Theory]
}
