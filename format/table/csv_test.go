package table

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// write writes a file and returns its path.
func write(t testing.TB, name string, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// text opens CSV text.
func text(t testing.TB, content string, o Options) *File {
	t.Helper()
	f, err := OpenCSV(write(t, "x.csv", content), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// read reads a whole table.
func read(t testing.TB, f *File) *Table {
	t.Helper()
	all, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Validate(); err != nil {
		t.Fatal(err)
	}
	return all
}

// kinds lists columns as "x:int y:text".
func kinds(columns []Column) string {
	var list []string
	for _, c := range columns {
		list = append(list, c.Name+":"+c.Kind.String())
	}
	return strings.Join(list, " ")
}

// cells returns the values of a column as text, what is missing as "-".
func cells(c *Column) string {
	var list []string
	for i := range c.Len() {
		if c.IsMissing(i) {
			list = append(list, "-")
		} else {
			list = append(list, string(c.AppendValue(nil, i)))
		}
	}
	return strings.Join(list, " ")
}

func TestReadsWhatPythonWrites(t *testing.T) {
	content, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		ID            []int64
		X             []*float64
		Y             []*int64
		Colour, Class []*string
	}
	if err := json.Unmarshal(content, &want); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rfc4180.csv", "unix.csv", "semicolon.csv", "tabs.tsv", "packed.csv.gz"} {
		path := filepath.Join("testdata", name)
		f, err := OpenCSV(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := kinds(f.Columns), "id:int x:float64 y:int colour:text class:text"; got != want {
			t.Fatalf("%s: columns %s, expected %s", name, got, want)
		}
		if want, _, _ := strings.Cut(name, "."); f.Name != want {
			t.Errorf("%s: named %q", name, f.Name)
		}
		all := read(t, f)
		got := want
		got.ID, got.X, got.Y = all.Columns[0].Ints, nil, nil
		for row := range all.Rows {
			got.X = append(got.X, value(&all.Columns[1], row, all.Columns[1].Float64s))
			got.Y = append(got.Y, value(&all.Columns[2], row, all.Columns[2].Ints))
		}
		got.Colour, got.Class = strs(&all.Columns[3]), strs(&all.Columns[4])
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if err := Check(path); err != nil {
			t.Error(err)
		}
	}
}

// value returns value i of a column, nil where it is missing.
func value[T any](c *Column, i int, values []T) *T {
	if c.IsMissing(i) {
		return nil
	}
	return &values[i]
}

func strs(c *Column) []*string {
	var list []*string
	for i, code := range c.Codes {
		if c.IsMissing(i) {
			list = append(list, nil)
		} else {
			list = append(list, &c.Values[code])
		}
	}
	return list
}

func TestColumnsAreInferredOverTheWholeFile(t *testing.T) {
	long := "n,late\n" + strings.Repeat("1,2\n", 100_000)
	for _, test := range []struct {
		name, content string
		options       Options
		columns       string
		cells         []string // of each column
	}{
		{"numbers", "a,b,c\n1,2.5,1e3\n-2,+3,.5\n", Options{}, "a:int b:float64 c:float64", []string{"1 -2", "2.5 3", "1000 0.5"}},
		{"missing numbers", "a,b\n1,NA\n?,nan\n3,\n,2.5\n", Options{}, "a:int b:float64", []string{"1 - 3 -", "- - - 2.5"}},
		{"marks are categories among text", "a\nNA\nx\nnone\n\"\"\n", Options{}, "a:text", []string{"NA x none -"}},
		{"infinite", "a\n1\n-inf\nInfinity\n", Options{}, "a:float64", []string{"1 -Inf +Inf"}},
		{"an identifier beyond int64", "a\n1\n9223372036854775808\n", Options{}, "a:text", []string{"1 9223372036854775808"}},
		{"the ends of int64", "a\n-9223372036854775808\n9223372036854775807\n", Options{}, "a:int", []string{"-9223372036854775808 9223372036854775807"}},
		{"no hexadecimal, no underscores", "a,b\n0x10,1_000\n", Options{}, "a:text b:text", []string{"0x10", "1_000"}},
		{"beyond float64", "a\n1e999\n", Options{}, "a:text", []string{"1e999"}},
		{"blanks around numbers", "a,b\n 1 , 2.5\n", Options{}, "a:int b:float64", []string{"1", "2.5"}},
		{"all missing", "a,b\n,1\n,2\n", Options{}, "a:int b:int", []string{"- -", "1 2"}},
		{"a text after numbers", long + "x,3\n", Options{}, "n:text late:int", nil},
		{"no header", "1,a\n2,b\n", Options{}, "column 1:int column 2:text", []string{"1 2", "a b"}},
		{"no header, by value", "red,x\nblue,y\nred,z\n", Options{}, "column 1:text column 2:text", []string{"red blue red", "x y z"}},
		{"a header over text", "colour,name\nred,x\nblue,y\n", Options{}, "colour:text name:text", []string{"red blue", "x y"}},
		{"a header with an empty name", ",x\n0,1\n1,2\n", Options{}, "column 1:int x:int", []string{"0 1", "1 2"}},
		{"a header that is told", "1,2\n3,4\n", Options{Header: "yes"}, "1:int 2:int", []string{"3", "4"}},
		{"no header, told", "x,y\n3,4\n", Options{Header: "no"}, "column 1:text column 2:text", []string{"x 3", "y 4"}},
		{"header alone", "a,b\n", Options{}, "a:int b:int", []string{"", ""}},
		{"asked for as category", "y,x\n1,2\nNA,3\n0,4\n1,5\n", Options{Categories: []string{"y", "absent"}}, "y:text x:int", []string{"1 - 0 1", "2 3 4 5"}},
		{"ignored", "a,b,c\n1,x,2\n3,y,4\n", Options{Ignore: []string{"b"}}, "a:int c:int", []string{"1 3", "2 4"}},
		{"semicolons and commas", "a;b\n1,5;x\n2,5;y\n", Options{}, "a:text b:text", []string{"1,5 2,5", "x y"}},
		{"a separator that is told", "a;b,c\n1;2,3\n", Options{Separator: ';'}, "a:int b,c:text", []string{"1", "2,3"}},
		{"blank lines", "\n\na,b\n\r\n1,2\n\n", Options{}, "a:int b:int", []string{"1", "2"}},
		{"a quote in the middle", "a,b\n5\" disk,1\n", Options{}, "a:text b:int", []string{"5\" disk", "1"}},
		{"one column", "a\n1\n2", Options{}, "a:int", []string{"1 2"}},
		{"Latin-1", "a\nZ\xfcrich\nZürich\n", Options{}, "a:text", []string{"Zürich Zürich"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := text(t, test.content, test.options)
			if got := kinds(f.Columns); got != test.columns {
				t.Fatalf("columns %s, expected %s", got, test.columns)
			}
			all := read(t, f)
			for i, want := range test.cells {
				c := &all.Columns[i]
				if got := cells(c); got != want {
					t.Errorf("column %s: %s, expected %s", c.Name, got, want)
				}
				if missing := strings.Count(" "+want+" ", " - "); f.Columns[i].Missing != c.Missing || f.Columns[i].Missing < int64(missing) {
					t.Errorf("column %s: %d missing by the survey, %d by the read, expected %d", c.Name, f.Columns[i].Missing, c.Missing, missing)
				}
				if diff := cmp.Diff(f.Columns[i].Values, c.Values); diff != "" {
					t.Errorf("column %s: dictionary %s", c.Name, diff)
				}
			}
		})
	}
}

func TestATextAfterNumbersKeepsAllValues(t *testing.T) {
	f := text(t, "a\n1\n2\n1\nx\n2\n", Options{})
	if diff := cmp.Diff([]string{"1", "2", "x"}, f.Columns[0].Values); diff != "" {
		t.Error(diff)
	}
	if got := cells(&read(t, f).Columns[0]); got != "1 2 1 x 2" {
		t.Errorf("values %s", got)
	}
}

func TestBlocksTogetherAreTheTable(t *testing.T) {
	content := "n,f,s\n" + strings.Repeat("1,0.5,a\n,NA,\n3,2.5,b\n", 7)
	f := text(t, content, Options{})
	want := read(t, f)
	for _, n := range []int{1, 2, 3, 20, 21, 22, 1000} {
		for range 2 { // as often as wanted
			var got [3]string
			rows := 0
			for block, err := range f.Blocks(n) {
				if err != nil {
					t.Fatal(err)
				}
				if err := block.Validate(); err != nil || block.Rows > n {
					t.Fatalf("a block of %d rows where %d were asked for: %v", block.Rows, n, err)
				}
				rows += block.Rows
				for i := range block.Columns {
					got[i] = strings.TrimPrefix(got[i]+" "+cells(&block.Columns[i]), " ")
				}
			}
			for i := range want.Columns {
				if got[i] != cells(&want.Columns[i]) {
					t.Errorf("%d rows at a time, column %d: %s", n, i, got[i])
				}
			}
			if rows != 21 {
				t.Errorf("%d rows at a time: %d rows", n, rows)
			}
		}
	}
	for range f.Blocks(1) {
		break // leaving early is no error
	}
}

func TestRealTables(t *testing.T) {
	f, err := OpenCSV(realdata.Path(t, "data/ranking/criteo_sample.csv"), Options{Categories: []string{"label"}})
	if err != nil {
		t.Fatal(err)
	}
	layout, err := NewLayout(f, "label")
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows != 200 || len(layout.Numeric) != 13 || len(layout.Categorical) != 26 || cmp.Diff([]string{"0", "1"}, layout.Classes) != "" {
		t.Errorf("criteo_sample: %d rows, %d numeric and %d categorical columns, classes %v", f.Rows, len(layout.Numeric), len(layout.Categorical), layout.Classes)
	}
	f, err = OpenCSV(realdata.Path(t, "data/federated/default_credit_hetero_guest.csv"), Options{Categories: []string{"y"}, Ignore: []string{"id"}})
	if err != nil {
		t.Fatal(err)
	}
	if layout, err = NewLayout(f, "y"); err != nil {
		t.Fatal(err)
	}
	samples, err := layout.Samples(read(t, f))
	if err != nil {
		t.Fatal(err)
	}
	ones := 0
	for _, class := range samples.Labels {
		ones += int(class)
	}
	if samples.Rows != 30_000 || ones != 6_636 || len(samples.Numeric) != 13*30_000 {
		t.Errorf("default_credit: %d rows, %d ones, %d numbers", samples.Rows, ones, len(samples.Numeric))
	}
}

func TestImportBytesBoundsWhatReadAllocates(t *testing.T) {
	var ids, pairs strings.Builder
	ids.WriteString("id,v\n")
	for i := range 20_000 {
		ids.WriteString("user" + strings.Repeat("x", i%5) + string(rune('a'+i%26)) + strings.Repeat("y", i/26%40) + ",1\n")
	}
	for i := range 20_000 { // numbers first, then text: another pass
		pairs.WriteString(strings.Repeat("1", 1+i%18) + "\n")
	}
	pairs.WriteString("x\n")
	paths := []string{
		"testdata/rfc4180.csv", "testdata/packed.csv.gz", write(t, "ids.csv", ids.String()), write(t, "pairs.csv", pairs.String()),
		write(t, "text.csv", strings.Repeat("a,b\n", 10)+"c,d\n"), write(t, "wide.csv", strings.Repeat(",", 50_000)+"\n"),
	}
	for _, name := range []string{"ranking/criteo_sample.csv", "federated/default_credit_hetero_guest.csv"} {
		paths = append(paths, realdata.Path(t, "data/"+name))
	}
	for _, path := range paths {
		bound, err := ImportBytes(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f, err := OpenCSV(path, Options{})
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

func BenchmarkReadCSV(b *testing.B) {
	var content strings.Builder
	content.WriteString("id,a,b,c,colour\n")
	for i := range 100_000 {
		fmt.Fprintf(&content, "%d,%.6f,%.3f,%d,%s\n", i, float64(i)/7, float64(i)/3, i%10, []string{"red", "green", "blue"}[i%3])
	}
	path := write(b, "x.csv", content.String())
	b.SetBytes(int64(content.Len()))
	for b.Loop() {
		f, err := OpenCSV(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Read(); err != nil {
			b.Fatal(err)
		}
	}
}
