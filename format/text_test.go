package format_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// text opens content as a text file of that name.
func text(t testing.TB, name string, content []byte) *format.Text {
	t.Helper()
	f, err := format.NewText(format.NewSource(name, bytes.NewReader(content), int64(len(content))))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// lines reads all fields of all lines.
func lines(t testing.TB, f *format.Text) [][]string {
	t.Helper()
	var all [][]string
	for f.Next() {
		line := []string{}
		for field, ok := f.Field(); ok; field, ok = f.Field() {
			line = append(line, string(field))
		}
		all = append(all, line)
	}
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFieldsOfALine(t *testing.T) {
	for _, c := range []struct {
		content string
		want    [][]string
	}{
		{"", nil},
		{"\n", [][]string{{}}},
		{"1 2", [][]string{{"1", "2"}}},
		{"1 2\n", [][]string{{"1", "2"}}},
		{"1\t 2 \r\n\r\n3\r\n", [][]string{{"1", "2"}, {}, {"3"}}},
		{" 1,2 ,\t3\n", [][]string{{"1", "2", "3"}}},
		{"1,,2\n", [][]string{{"1", "", "2"}}},
		{"1,\n2\n", [][]string{{"1", ""}, {"2"}}},
		{"1,", [][]string{{"1", ""}}},
		{",1\n", [][]string{{"", "1"}}},
		{"\ufeff1 2\n", [][]string{{"1", "2"}}},
		{"# 1 2\n%3\n4 # 5\n #6", [][]string{{"4", "#", "5"}}},
	} {
		f := text(t, "x", []byte(c.content))
		f.Skip = "#%"
		if diff := cmp.Diff(c.want, lines(t, f)); diff != "" {
			t.Errorf("%q: %s", c.content, diff)
		}
	}
}

// A text longer than the buffer, cut at every place by it, against strings.Fields.
func TestFieldsAcrossTheBuffer(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var content bytes.Buffer
	for content.Len() < 400_000 {
		switch rng.IntN(20) {
		case 0:
			content.WriteByte('\n')
		case 1:
			fmt.Fprintf(&content, "%*s", rng.IntN(100), "")
		case 2:
			content.WriteString("\n# " + strings.Repeat("comment ", rng.IntN(20_000)) + "\n")
		default:
			fmt.Fprintf(&content, "%d ", rng.Uint64()>>rng.IntN(64))
		}
	}
	var want [][]string
	numbers := []int{}
	for i, line := range strings.Split(content.String(), "\n") {
		if !strings.HasPrefix(strings.TrimLeft(line, " "), "#") {
			want = append(want, append([]string{}, strings.Fields(line)...))
			numbers = append(numbers, i+1)
		}
	}
	if len(want[len(want)-1]) == 0 && strings.HasSuffix(content.String(), "\n") {
		want = want[:len(want)-1] // no line behind the last line end
	}
	for _, name := range []string{"x.txt", "x.txt.gz"} {
		data := content.Bytes()
		if strings.HasSuffix(name, ".gz") {
			data = hostile.Gzip(t, data)
		}
		f := text(t, name, data)
		f.Skip = "#"
		for i, line := range want {
			if !f.Next() || f.Line != numbers[i] {
				t.Fatalf("%s: line %d, expected %d (%v)", name, f.Line, numbers[i], f.Err())
			}
			for _, field := range line {
				if got, ok := f.Field(); !ok || string(got) != field {
					t.Fatalf("%s:%d: found %q, expected %q", name, f.Line, got, field)
				}
			}
			if f.More() {
				t.Fatalf("%s:%d: more than %d fields", name, f.Line, len(line))
			}
		}
		if f.Next() || f.Err() != nil {
			t.Errorf("%s: no end (%v)", name, f.Err())
		}
	}
}

func TestLinesMayBeLeftHalfRead(t *testing.T) {
	f := text(t, "x", []byte("1 2 3\n"+strings.Repeat("4 ", 1<<17)+"\n5 6"))
	var first []string
	for f.Next() {
		field, _ := f.Field()
		first = append(first, string(field))
	}
	if diff := cmp.Diff([]string{"1", "4", "5"}, first); diff != "" || f.Line != 3 {
		t.Errorf("line %d, %s", f.Line, diff)
	}
}

// readText opens the file and reads all of it.
func readText(path string) error {
	f, err := format.OpenText(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for f.Next() {
		for f.More() {
			f.Field()
		}
	}
	return f.Err()
}

func TestDamagedGzipIsRefused(t *testing.T) {
	content := hostile.Gzip(t, []byte("1 2\n3 4\n"))
	hostile.Truncations(t, "x.gz", content, readText)
	noticed, tried := hostile.BitFlips(t, "x.gz", content, readText)
	if noticed < tried/2 { // of the header only a few bits matter
		t.Errorf("%d of %d bit flips noticed", noticed, tried)
	}
	hostile.MustRefuse(t, "x.gz", append(content, "1 2\n"...), readText)
	hostile.MustRefuse(t, "x.gz", []byte("1 2\n3 4\n"), readText)
	if err := readText(hostile.Write(t, "two.gz", append(content, content...))); err != nil {
		t.Errorf("two members: %v", err)
	}
}

func TestFieldWithoutEndIsRefused(t *testing.T) {
	hostile.MustRefuse(t, "x.txt", bytes.Repeat([]byte{'1'}, 1<<20), readText)
	hostile.MustRefuse(t, "x.gz", hostile.Gzip(t, make([]byte, 1<<20)), readText)
	if err := readText(hostile.Write(t, "x.txt", bytes.Repeat([]byte{'1'}, 1<<16-1))); err != nil {
		t.Errorf("a field of the buffer's size: %v", err)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		field string
		want  int64 // -1: no number
	}{
		{"0", 0}, {"007", 7}, {"9223372036854775807", math.MaxInt64}, {"9223372036854775808", -1}, {"99999999999999999999", -1},
		{"", -1}, {"-1", -1}, {"+1", -1}, {"1.0", -1}, {"1e3", -1}, {"0x1", -1}, {"1_0", -1}, {"١", -1},
	} {
		v, ok := format.ParseNatural([]byte(c.field))
		if ok != (c.want >= 0) || ok && v != c.want {
			t.Errorf("ParseNatural(%q) = %d, %v", c.field, v, ok)
		}
	}
	for field, want := range map[string]float32{
		"0": 0, "-1.5": -1.5, "1e-3": 0.001, "3.4028235e38": math.MaxFloat32, "1e-46": 0, "16777217": 16777216,
		"nan": -1, "inf": -1, "1e39": -1, "": -1, "1,5": -1, "x": -1, "0x1p2": -1, "1_0": -1,
	} {
		v, ok := format.ParseFloat32([]byte(field))
		if ok != (want != -1) || ok && v != want {
			t.Errorf("ParseFloat32(%q) = %g, %v", field, v, ok)
		}
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	f := text(t, "x.txt", []byte("1 2\n\n3 four\n"))
	f.Next()
	f.Next()
	f.Next()
	_, err1 := f.Natural("node", 0, 2)
	_, err2 := f.Natural("node", 0, math.MaxInt64)
	_, err3 := f.Float32("weight")
	for i, c := range []struct {
		err  error
		want string
	}{
		{err1, `x.txt:3: node: found "3", expected a whole number from 0 to 2`},
		{err2, `x.txt:3: node: found "four", expected a whole number from 0 on, below 2^63`},
		{err3, `x.txt:3: weight: found the end of the line, expected a finite number`},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("error %d: %v, expected %s", i, c.err, c.want)
		}
	}
}

func TestAReadErrorIsNotAShortLine(t *testing.T) {
	content := hostile.Gzip(t, []byte(strings.Repeat("1 2\n", 1000)))
	f := text(t, "x.gz", content[:len(content)-4])
	var err error
	for f.Next() && err == nil {
		_, err = f.Natural("node", 0, 9)
	}
	if err == nil {
		err = f.Corrupt("edges", "1000", "2000", "")
	}
	if err == nil || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("error %v does not say that reading failed", err)
	}
}

func TestReserveTakesLittleForALie(t *testing.T) {
	if got := cap(format.Reserve[int32](100, 1000)); got != 100 {
		t.Errorf("room for %d, expected the 100 that are claimed", got)
	}
	if got := cap(format.Reserve[int32](1<<40, 1000)); got != 4000 {
		t.Errorf("room for %d, expected 4000: 16 bytes a byte", got)
	}
	for _, claimed := range []int64{100, 4000, 5000, 100_000} {
		allocated := int64(hostile.Allocated(func() {
			s := format.Reserve[int32](claimed, 1000)
			for range claimed {
				s = append(s, 1)
			}
		}))
		if bound := format.ReserveBytes(claimed, 4, 1000); allocated > bound+4096 { // and what size classes round up
			t.Errorf("%d elements took %d bytes, expected at most %d", claimed, allocated, bound)
		}
	}
	if format.ReserveBytes(math.MaxInt64, 4, 1) != math.MaxInt64 {
		t.Error("the bound overflows")
	}
}

func FuzzText(f *testing.F) {
	f.Add("x.txt", []byte("# c\n1 2,3\r\n,\n 4,,5,\n"))
	f.Add("x.gz", hostile.Gzip(f, []byte("1 2\n3 4\n")))
	f.Add("x.txt", []byte("\xef\xbb\xbf1\n"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		name = "x" + name
		file, err := format.NewText(format.NewSource(name, bytes.NewReader(content), int64(len(content))))
		hostile.Judge(t, err, "x")
		if err != nil {
			return
		}
		file.Skip = "#%"
		for file.Next() {
			for more := file.More(); more; more = file.More() {
				field, ok := file.Field()
				if !ok && file.Err() == nil {
					t.Fatalf("line %d: More, but no field", file.Line)
				}
				if v, ok := format.ParseNatural(field); ok {
					if want, err := strconv.ParseInt(string(field), 10, 64); err != nil || v != want {
						t.Fatalf("ParseNatural(%q) = %d, expected %d", field, v, want)
					}
				}
			}
		}
		hostile.Judge(t, file.Err(), "x")
	})
}
