package table

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// split reads all records of a text; small reads a byte at a time.
func split(content string, separator byte, small bool) ([][]string, error) {
	var r io.Reader = strings.NewReader(content)
	if small {
		r = iotest.OneByteReader(r)
	}
	s := newRecords("x.csv", r, separator)
	var all [][]string
	for {
		err := s.next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		var record []string
		for _, field := range s.fields {
			record = append(record, string(field))
		}
		all = append(all, record)
	}
}

func TestRecordsAreThoseOfTheStandardLibrary(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "\"", "\"\"", ",", "\n", "\r\n", ",\"", "\",", "\"\n", "é", " ", "\n\""})
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		content := strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "text"), "")
		r := csv.NewReader(strings.NewReader(content))
		r.FieldsPerRecord = -1
		want, err := r.ReadAll()
		if err != nil {
			return // the standard library refuses quotes inside fields, which are accepted here
		}
		accepted++
		for _, small := range []bool{false, true} {
			got, err := split(content, ',', small)
			if err != nil {
				t.Fatalf("%q: %v", content, err)
			}
			// The standard library makes LF of CRLF inside quotes.
			for _, record := range got {
				for i := range record {
					record[i] = strings.ReplaceAll(record[i], "\r\n", "\n")
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%q: %s", content, diff)
			}
		}
	})
	if accepted == 0 {
		t.Error("nothing was compared")
	}
}

func TestRecordsLongerThanTheBuffer(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	quoted := strings.Repeat("a\n\"\"", 50_000)
	got, err := split(long+","+long+"\n1,\""+quoted+"\"\n2,3", ',', false)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{long, long}, {"1", strings.ReplaceAll(quoted, "\"\"", "\"")}, {"2", "3"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("records differ")
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for content, where := range map[string]string{
		"a,b\n1,2\n3\n":                      "x.csv:3:",
		"a,b\n\"1\n\n\",2\n3\n":              "x.csv:5:", // a field of three lines, then a short record
		"a,b\n1,\"2\n3,4\n":                  "x.csv:2:", // a quote that is never closed
		"a,b\n1,\"2\"x\n":                    "x.csv:2:",
		"a,b\n1,2\n3,\x00\n":                 "x.csv:3:",
		"a,a\n1,2\n":                         "x.csv:1:",
		"":                                   "x.csv:1:",
		"\n\n":                               "x.csv:1:",
		"a\rb\rc\r":                          "x.csv@0:",
		"\xff\xfea\x00,\x00b\x00\n\x00":      "x.csv@0:",
		"a,b\n" + strings.Repeat(",", 1<<18): "x.csv:2:",
	} {
		_, err := OpenCSV(write(t, "x.csv", content), Options{})
		if err == nil || !strings.Contains(err.Error(), where) {
			t.Errorf("%.40q: error %v, expected one at %s", content, err, where)
		}
	}
}

func TestWritesRFC4180(t *testing.T) {
	block := &Table{Rows: 4, Columns: []Column{
		{Name: "id", Kind: Int, Ints: []int64{1, -2, 0, 4}, Null: []bool{false, false, true, false}},
		{Name: "a, \"b\"", Kind: Text, Values: []string{"plain", "x,y", "say \"so\"", "two\nlines"}, Codes: []int32{0, 1, 2, 3}},
		{Name: "p", Kind: Float32, Float32s: []float32{0.1, 1e-20, 3, 16777216}},
	}}
	var out bytes.Buffer
	w := NewCSVWriter(&out)
	if err := w.Write(block); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := "id,\"a, \"\"b\"\"\",p\r\n1,plain,0.1\r\n-2,\"x,y\",1e-20\r\n,\"say \"\"so\"\"\",3\r\n4,\"two\nlines\",1.6777216e+07\r\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if err := w.Write(&Table{Rows: 1, Columns: block.Columns[:1]}); err == nil {
		t.Error("a block of other columns was written")
	}
}

// tables draws tables whose values a CSV file can hold: no empty text, and no text that is a number.
func tables() *rapid.Generator[*Table] {
	word := rapid.StringMatching(`[a-z ",;\n\t'é]{1,6}!`)
	return rapid.Custom(func(t *rapid.T) *Table {
		n := rapid.IntRange(1, 8).Draw(t, "rows")
		table := &Table{Rows: n, Columns: []Column{NewColumn("int", Int, n), NewColumn("real", Float64, n), NewColumn("text", Text, n)}}
		ints, reals, texts := &table.Columns[0], &table.Columns[1], &table.Columns[2]
		var dictionary Dictionary
		for i := range n {
			ints.Ints[i] = rapid.Int64().Draw(t, "int")
			reals.Float64s[i] = rapid.Float64().Draw(t, "real") + 0.5
			texts.Codes[i] = dictionary.Add([]byte(word.Draw(t, "text")))
			if rapid.IntRange(0, 4).Draw(t, "gap") == 0 && i > 0 {
				texts.Codes[i] = -1
				texts.Missing++
			}
		}
		texts.Values = dictionary.Values
		return table
	})
}

func TestWhatIsWrittenReadsBackTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := tables().Draw(rt, "table")
		var out bytes.Buffer
		w := NewCSVWriter(&out)
		if err := w.Write(want); err != nil {
			rt.Fatal(err)
		}
		if err := w.Close(); err != nil {
			rt.Fatal(err)
		}
		got := read(t, text(t, out.String(), Options{Header: "yes", Separator: ','}))
		for i := range want.Columns {
			if a, b := cells(&want.Columns[i]), cells(&got.Columns[i]); a != b {
				rt.Fatalf("column %s: wrote %q, read %q", want.Columns[i].Name, a, b)
			}
		}
		if !slices.Equal(want.Columns[0].Ints, got.Columns[0].Ints) {
			rt.Fatal("integers differ")
		}
	})
}

func TestALoneMissingTextIsNoBlankLine(t *testing.T) {
	var out bytes.Buffer
	w := NewCSVWriter(&out)
	column := Column{Name: "a", Kind: Text, Values: []string{"x"}, Codes: []int32{0, -1, 0}}
	if err := w.Write(&Table{Rows: 3, Columns: []Column{column}}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got := cells(&read(t, text(t, out.String(), Options{})).Columns[0]); got != "x - x" {
		t.Errorf("read back %q", got)
	}
}
