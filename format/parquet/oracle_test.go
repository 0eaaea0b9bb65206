package parquet

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	oracle "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	oracleencoding "github.com/parquet-go/parquet-go/encoding"
	"pgregory.net/rapid"

	"github.com/seraph-ml/seraph/format/table"
)

// The oracle of this file is parquet-go, which is not part of Seraph: see the package's comment for why.

// drawnColumn is a column in a drawn way of storing it, with the value of each row, nil for null.
type drawnColumn struct {
	name   string
	node   oracle.Node
	values []any // int64, float64, string or nil, as in rows
	stored []oracle.Value
}

// storages are the types and encodings that both sides know.
var storages = []struct {
	name      string
	node      oracle.Node
	encodings []oracleencoding.Encoding
	draw      func(t *rapid.T) (stored oracle.Value, value any)
}{
	// In RLE the oracle writes eight ones for a run of one bit, which is not the format; pyarrow's file covers it.
	{"bool", oracle.Leaf(oracle.BooleanType), []oracleencoding.Encoding{&oracle.Plain}, func(t *rapid.T) (oracle.Value, any) {
		v := rapid.Bool().Draw(t, "bool")
		return oracle.BooleanValue(v), map[bool]float64{true: 1}[v]
	}},
	{"int32", oracle.Leaf(oracle.Int32Type), []oracleencoding.Encoding{&oracle.Plain, &oracle.RLEDictionary, &oracle.DeltaBinaryPacked}, func(t *rapid.T) (oracle.Value, any) {
		v := int32(skewed(t))
		return oracle.Int32Value(v), float64(v)
	}},
	{"int64", oracle.Leaf(oracle.Int64Type), []oracleencoding.Encoding{&oracle.Plain, &oracle.RLEDictionary, &oracle.DeltaBinaryPacked}, func(t *rapid.T) (oracle.Value, any) {
		v := skewed(t)
		return oracle.Int64Value(v), float64(v)
	}},
	{"uint32", oracle.Uint(32), []oracleencoding.Encoding{&oracle.Plain, &oracle.RLEDictionary, &oracle.DeltaBinaryPacked}, func(t *rapid.T) (oracle.Value, any) {
		v := uint32(skewed(t))
		return oracle.Int32Value(int32(v)), float64(v)
	}},
	{"float", oracle.Leaf(oracle.FloatType), []oracleencoding.Encoding{&oracle.Plain, &oracle.RLEDictionary, &oracle.ByteStreamSplit}, func(t *rapid.T) (oracle.Value, any) {
		v := rapid.Float32().Draw(t, "float")
		return oracle.FloatValue(v), float64(v)
	}},
	{"double", oracle.Leaf(oracle.DoubleType), []oracleencoding.Encoding{&oracle.Plain, &oracle.RLEDictionary, &oracle.ByteStreamSplit}, func(t *rapid.T) (oracle.Value, any) {
		v := rapid.Float64().Draw(t, "double")
		return oracle.DoubleValue(v), v
	}},
	{"text", oracle.String(), []oracleencoding.Encoding{&oracle.Plain, &oracle.RLEDictionary, &oracle.DeltaLengthByteArray, &oracle.DeltaByteArray}, func(t *rapid.T) (oracle.Value, any) {
		v := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "ab", "abc"}), rapid.String()).Draw(t, "text")
		return oracle.ByteArrayValue([]byte(v)), v
	}},
}

// skewed draws numbers that are small and repeat as often as they are anything.
func skewed(t *rapid.T) int64 {
	return rapid.OneOf(rapid.Int64Range(-2, 3), rapid.Int64(), rapid.Just(int64(7))).Draw(t, "int")
}

// drawColumn draws how a column is stored, and its values.
func drawColumn(t *rapid.T, name string, rows int) drawnColumn {
	s := rapid.SampledFrom(storages).Draw(t, "storage")
	c := drawnColumn{name: name + "_" + s.name}
	c.node = oracle.Encoded(s.node, rapid.SampledFrom(s.encodings).Draw(t, "encoding"))
	c.node = oracle.Compressed(c.node, rapid.SampledFrom([]compress.Codec{&oracle.Uncompressed, &oracle.Snappy, &oracle.Gzip, &oracle.Zstd}).Draw(t, "codec"))
	optional := rapid.Bool().Draw(t, "optional")
	if optional {
		c.node = oracle.Optional(c.node)
	}
	stride := rapid.IntRange(1, 9).Draw(t, "stride") // of values that are the same
	for row := range rows {
		stored, value := s.draw(t)
		if row%stride > 0 {
			stored, value = c.stored[row-1], c.values[row-1]
		} else if optional && rapid.Bool().Draw(t, "null") {
			stored, value = oracle.NullValue(), nil
		}
		c.stored, c.values = append(c.stored, stored), append(c.values, value)
	}
	return c
}

func TestReadsWhatTheOracleWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(100, 300)).Draw(t, "rows")
		var columns []drawnColumn
		group := oracle.Group{}
		want := map[string][]any{}
		for i := range rapid.IntRange(1, 4).Draw(t, "columns") {
			c := drawColumn(t, string(rune('a'+i)), rows) // in the order of names, as the oracle sorts them
			columns, group[c.name] = append(columns, c), c.node
			if rows > 0 {
				want[c.name] = c.values
			}
		}
		var out bytes.Buffer
		w := oracle.NewWriter(&out, oracle.NewSchema("drawn", group),
			oracle.DataPageVersion(rapid.IntRange(1, 2).Draw(t, "version")),
			oracle.PageBufferSize(rapid.SampledFrom([]int{16, 256, 1 << 20}).Draw(t, "page")),
			oracle.MaxRowsPerRowGroup(int64(rapid.SampledFrom([]int{7, 64, 1 << 20}).Draw(t, "group"))))
		for row := range rows {
			var r oracle.Row
			for i, c := range columns {
				level := 0
				if c.node.Optional() && c.values[row] != nil {
					level = 1
				}
				r = append(r, c.stored[row].Level(0, level, i))
			}
			if _, err := w.WriteRows([]oracle.Row{r}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]any{}
		for block, err := range f.Blocks(rapid.IntRange(1, 400).Draw(t, "block")) {
			if err != nil {
				t.Fatal(err)
			}
			for name, list := range values(block) {
				got[name] = append(got[name], list...)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// drawTable draws a table as a program would write it.
func drawTable(t *rapid.T, n int) *table.Table {
	block := &table.Table{Rows: n, Columns: []table.Column{
		table.NewColumn("int", table.Int, n), table.NewColumn("f32", table.Float32, n), table.NewColumn("f64", table.Float64, n), table.NewColumn("text", table.Text, n),
	}}
	block.Columns[0].Null = make([]bool, n)
	block.Columns[3].Values = []string{"", "red", "Zürich/日本"}
	gap := rapid.SampledFrom([]int{0, 3, 5}).Draw(t, "gap")
	for i := range n {
		block.Columns[0].Ints[i] = skewed(t)
		block.Columns[1].Float32s[i] = rapid.Float32().Draw(t, "f32")
		block.Columns[2].Float64s[i] = rapid.Float64().Draw(t, "f64")
		block.Columns[3].Codes[i] = int32(rapid.IntRange(0, 2).Draw(t, "text"))
		if gap > 0 && i%gap == 0 {
			block.Columns[0].Null[i], block.Columns[0].Ints[i] = true, 0
			block.Columns[1].Float32s[i] = float32(math.NaN())
			block.Columns[2].Float64s[i] = math.NaN()
			block.Columns[3].Codes[i] = -1
		}
	}
	return block
}

func TestTheOracleReadsWhatIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		w := NewWriter(&out)
		want := map[string][]any{}
		for range rapid.IntRange(1, 4).Draw(t, "blocks") {
			block := drawTable(t, rapid.IntRange(0, 12).Draw(t, "rows"))
			if err := w.Write(block); err != nil {
				t.Fatal(err)
			}
			for name, list := range values(block) {
				want[name] = append(want[name], list...)
			}
			if rapid.Bool().Draw(t, "close") && w.open.rows > 0 {
				if err := w.closeGroup(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, oracleRows(t, out.Bytes()), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the oracle reads: %s", diff)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		all, err := f.Read()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, values(all), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("Seraph reads: %s", diff)
		}
	})
}

// oracleRows returns the values of a file by column.
func oracleRows(t *rapid.T, content []byte) map[string][]any {
	f, err := oracle.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]any{}
	r := oracle.NewReader(f)
	for buffer := make([]oracle.Row, 10); ; {
		n, err := r.ReadRows(buffer)
		for _, row := range buffer[:n] {
			for i, v := range row {
				name := f.Schema().Fields()[i].Name()
				all[name] = append(all[name], plainOf(v))
			}
		}
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func plainOf(v oracle.Value) any {
	switch {
	case v.IsNull():
		return nil
	case v.Kind() == oracle.Int64:
		return float64(v.Int64())
	case v.Kind() == oracle.Float:
		return float64(v.Float())
	case v.Kind() == oracle.Double:
		return v.Double()
	case v.Kind() == oracle.ByteArray:
		return string(v.ByteArray())
	}
	panic(fmt.Sprint(v.Kind()))
}
