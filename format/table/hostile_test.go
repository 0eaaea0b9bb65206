package table

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// packed compresses content.
func packed(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDamagedTextIsAnErrorOrAnotherTable(t *testing.T) {
	for _, name := range []string{"unix.csv", "semicolon.csv"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for n := range content { // text that is cut is text
			hostile.Judge(t, Check(write(t, name, string(content[:n]))), name)
		}
		hostile.BitFlips(t, name, content, Check)
	}
}

func TestDamagedGzipIsRefused(t *testing.T) {
	content := packed(t, []byte(strings.Repeat("a,b\n1,2\n", 100)))
	hostile.Truncations(t, "cut.csv.gz", content, Check)
	noticed, tried := hostile.BitFlips(t, "flip.csv.gz", content, Check)
	t.Logf("%d of %d bit flips noticed", noticed, tried)
	if noticed < tried/2 { // those in the header's time and system go unnoticed
		t.Errorf("%d of %d bit flips noticed", noticed, tried)
	}
}

func TestHostileTextIsRefused(t *testing.T) {
	hostile.MustRefuse(t, "open.csv", []byte("a,b\n\""+strings.Repeat("x", 1<<20)), Check)
	hostile.MustRefuse(t, "long.csv", []byte("a\n\""+strings.Repeat("\n", maxRecord+2)+"\"\n"), Check)
	hostile.MustRefuse(t, "zeros.csv", make([]byte, 1<<16), Check)
	hostile.MustRefuse(t, "fields.csv", []byte("a,b\n"+strings.Repeat(",", 1<<20)), Check)
	if testing.Short() {
		return
	}
	hostile.MustRefuse(t, "bomb.csv.gz", packed(t, bytes.Repeat([]byte(strings.Repeat("x", 1023)+"\n"), 480<<10)), Check)
}

func TestAFileThatChangesWhileItIsReadIsRefused(t *testing.T) {
	for name, later := range map[string]string{
		"another text":  "a,b\n1,x\n2,z\n",
		"no number":     "a,b\n1,x\ny,x\n",
		"fewer rows":    "a,b\n1,x\n",
		"more rows":     "a,b\n1,x\n2,x\n3,x\n",
		"other columns": "a,b,c\n1,x,2\n",
	} {
		path := write(t, "x.csv", "a,b\n1,x\n2,x\n")
		f, err := OpenCSV(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(later), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 2, 100} {
			var last error
			for _, err := range f.Blocks(n) {
				last = err
			}
			hostile.Judge(t, last, "x.csv")
			if last == nil {
				t.Errorf("%s: no error, %d rows at a time", name, n)
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, name := range []string{"rfc4180.csv", "unix.csv", "semicolon.csv", "tabs.tsv"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("a,b\n1,NA\n?,nan\n3,\n,2.5\nx\xff,1e999\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
		file, err := openCSV("x.csv", "x", open, Options{Categories: []string{"b"}})
		hostile.Judge(t, err, "x.csv")
		if err != nil {
			return
		}
		rows := 0
		for block, err := range file.Blocks(3) {
			if err != nil {
				t.Fatal(err) // the survey has read all of it
			}
			if err := block.Validate(); err != nil {
				t.Fatal(err)
			}
			rows += block.Rows
		}
		if rows != file.Rows {
			t.Fatalf("%d rows, the survey saw %d", rows, file.Rows)
		}
		if l, err := NewLayout(file, ""); err == nil {
			for block := range file.Blocks(100) {
				l.Samples(block)
			}
		}
	})
}
