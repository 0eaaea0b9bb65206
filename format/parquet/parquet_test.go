package parquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/table"
)

// golden are the files of golden.py that hold the rows of expected.json.
var golden = []string{"snappy", "gzip", "zstd", "plain", "plain2", "legacy", "pages", "delta"}

// values returns the values of a table by column: float64, string or nil, as JSON has them.
func values(t *table.Table) map[string][]any {
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
					for name, list := range values(block) {
						got[name] = append(got[name], list...)
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

func TestNumbersAreReadAsTextWhereAsked(t *testing.T) {
	f, err := Open("testdata/snappy.parquet", table.Options{Categories: []string{"int", "gaps", "double", "bool", "price", "half"}})
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	got := values(all)
	for name, want := range map[string][]any{
		"int":   {"-7", "-4", "-1", "2", "5", "8", "11", "14", "17", "20"},
		"gaps":  {"0", nil, "2", "3", nil, "5", "6", nil, "8", "9"},
		"bool":  {"true", "false", "false", "false", "true", "false", "false", "false", "true", "false"},
		"half":  {"0", "0.25", "0.5", "0.75", "1", "1.25", "1.5", "1.75", "2", "2.25"},
		"price": {"-3.003", "-2.002", "-1.001", "0", "1.001", "2.002", "3.003", "4.004", "5.005", "6.006"},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if c, _ := f.Column("double"); c.Missing != 1 || len(c.Values) != 9 {
		t.Errorf("double: %d missing, dictionary %q; NaN is missing", c.Missing, c.Values)
	}
	if c, _ := f.Column("bool"); cmp.Diff([]string{"true", "false"}, c.Values) != "" {
		t.Errorf("bool: dictionary %q", c.Values)
	}
}

func TestAnEmptyTable(t *testing.T) {
	f, err := Open("testdata/empty.parquet", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.Read()
	if err != nil || all.Rows != 0 || len(all.Columns) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := NewWriter(&bytes.Buffer{}).Close(); err == nil {
		t.Error("a file without columns was written")
	}
}

func TestDescribeReadsTheFooter(t *testing.T) {
	d, err := Describe("testdata/zstd.parquet")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, row := range d.Rows {
		types[row[0]] = row[1] + " " + row[2]
	}
	for name, want := range map[string]string{
		"int": "INT64 ZSTD", "uint32": "INT32 (unsigned), optional ZSTD", "text": "BYTE_ARRAY (text), optional ZSTD", "date": "INT32 (date), optional ZSTD",
		"time": "INT64 (timestamp in µs), optional ZSTD", "price": "FIXED_LEN_BYTE_ARRAY[6] (decimal, scale 3), optional ZSTD", "half": "FIXED_LEN_BYTE_ARRAY[2] (float16), optional ZSTD",
	} {
		if types[name] != want {
			t.Errorf("%s: %s, expected %s", name, types[name], want)
		}
	}
	if d.Title != "Parquet table of 10 rows and 14 columns" || d.Fields[0].Value != "4" {
		t.Errorf("%s, %v", d.Title, d.Fields)
	}
	if d, err = Describe("testdata/nested.parquet"); err != nil || len(d.Notes) != 3 {
		t.Errorf("nested: %v, %v", d.Notes, err)
	}
}

// written writes a table of n rows whose texts are all different, or two, and returns its path.
func written(t testing.TB, n int, different bool) string {
	t.Helper()
	block := &table.Table{Rows: n, Columns: []table.Column{table.NewColumn("int", table.Int, n), table.NewColumn("real", table.Float64, n), table.NewColumn("text", table.Text, n)}}
	texts := &block.Columns[2]
	texts.Values = []string{"red", "blue"}
	for i := range n {
		block.Columns[0].Ints[i] = int64(i * i)
		block.Columns[1].Float64s[i] = float64(i) / 3
		texts.Codes[i] = int32(i % 2)
		if different {
			texts.Values = append(texts.Values, fmt.Sprintf("text number %d", i))
			texts.Codes[i] = int32(i + 2)
		}
	}
	path := filepath.Join(t.TempDir(), "written.parquet")
	err := format.WriteFile(path, func(f io.Writer) error {
		w := NewWriter(f)
		if err := w.Write(block); err != nil {
			return err
		}
		return w.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImportBytesBoundsWhatReadAllocates(t *testing.T) {
	paths := []string{written(t, 200_000, false), written(t, 50_000, true)}
	for _, name := range append([]string{"empty"}, golden...) {
		paths = append(paths, filepath.Join("testdata", name+".parquet"))
	}
	for _, path := range paths {
		bound, err := ImportBytes(path, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f, err := Open(path, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		allocated := int64(after.TotalAlloc - before.TotalAlloc)
		t.Logf("%s: allocated %d of at most %d", filepath.Base(path), allocated, bound)
		if allocated > bound {
			t.Errorf("%s: allocated %d, bound %d", path, allocated, bound)
		}
	}
}

func BenchmarkReadNumbers(b *testing.B) {
	path := written(b, 1_000_000, false)
	b.SetBytes(16_000_000)
	for b.Loop() {
		f, err := Open(path, table.Options{Ignore: []string{"text"}})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Read(); err != nil {
			b.Fatal(err)
		}
	}
}
