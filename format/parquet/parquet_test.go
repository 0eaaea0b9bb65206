package parquet

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format/table"
)

// golden are the files of golden.py that hold the rows of expected.json.
var golden = []string{"snappy", "gzip", "zstd", "plain", "plain2", "legacy", "pages", "delta"}

// rows returns the values of a table by column: float64, string or nil, as JSON has them.
func rows(t *table.Table) map[string][]any {
	all := map[string][]any{}
	for i := range t.Columns {
		c := &t.Columns[i]
		for row := range t.Rows {
			var v any
			switch {
			case c.IsMissing(row):
			case c.Kind == table.Int:
				v = float64(c.Ints[row])
			case c.Kind == table.Float32:
				v = float64(c.Float32s[row])
			case c.Kind == table.Float64:
				v = c.Float64s[row]
			default:
				v = c.Values[c.Codes[row]]
			}
			all[c.Name] = append(all[c.Name], v)
		}
	}
	return all
}

func expected(t *testing.T) map[string][]any {
	t.Helper()
	content, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]any
	if err := json.Unmarshal(content, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

func TestReadsWhatArrowWrites(t *testing.T) {
	for _, name := range golden {
		t.Run(name, func(t *testing.T) {
			want := expected(t)
			if name == "legacy" { // INT96 is always in nanoseconds
				for i, v := range want["time"] {
					want["time"][i] = v.(float64) * 1000
				}
			}
			f, err := Open(filepath.Join("testdata", name+".parquet"), table.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, blockRows := range []int{1, 3, 10, 100} {
				got := map[string][]any{}
				for block, err := range f.Blocks(blockRows) {
					if err != nil {
						t.Fatal(err)
					}
					if err := block.Validate(); err != nil {
						t.Fatal(err)
					}
					for name, values := range rows(block) {
						got[name] = append(got[name], values...)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%d rows at a time: %s", blockRows, diff)
				}
			}
			for _, c := range f.Columns {
				missing := 0
				for _, v := range want[c.Name] {
					if v == nil {
						missing++
					}
				}
				if int(c.Missing) != missing {
					t.Errorf("column %s: %d missing values, expected %d", c.Name, c.Missing, missing)
				}
			}
			if c, _ := f.Column("text"); cmp.Diff([]string{"red", "green", "blue", "Zürich/日本", ""}, c.Values) != "" {
				t.Errorf("dictionary of text: %q", c.Values)
			}
		})
	}
}
