package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/sgraph"
)

// converted is the file that a conversion writes.
func converted(ctx context.Context, t *testing.T, c Conversion) ([]byte, *Conversion, error) {
	t.Helper()
	dir := t.TempDir()
	c.Out = filepath.Join(dir, "g.sgraph")
	var err error
	if c.Spill, err = memory.OpenSpill(memory.Disk{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer c.Spill.Close()
	if err := c.Run(ctx); err != nil {
		if _, there := os.Stat(c.Out); !errors.Is(there, os.ErrNotExist) {
			t.Errorf("%v, and there is a file: %v", err, there)
		}
		return nil, &c, err
	}
	if err := detect.Check(c.Out); err != nil {
		t.Error(err)
	}
	file, err := os.ReadFile(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	return file, &c, nil
}

// smallest is the least budget that a conversion says would do.
func smallest(t *testing.T, c Conversion) int64 {
	t.Helper()
	c.Budget = 1 << 10
	_, _, err := converted(t.Context(), t, c)
	var small *plan.TooSmallError
	if !errors.As(err, &small) {
		t.Fatalf("%s in 1 KiB: %v", c.In, err)
	}
	return small.Smallest
}

// manyEdges writes a list with gaps between its ids, self-loops and duplicates, more than fit in the least memory.
func manyEdges(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("source target year\n# a comment\n")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60_000 {
		u, v := 7*r.IntN(3000), 7*r.IntN(3000)
		if i%100 == 0 {
			v = u
		}
		fmt.Fprintln(&b, u, v, 1999)
	}
	path := filepath.Join(t.TempDir(), "many.txt")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConversionHasTheBytesOfAGraphInMemory converts in plenty of memory and in the least.
func TestConversionHasTheBytesOfAGraphInMemory(t *testing.T) {
	for _, in := range []string{
		manyEdges(t), "../format/ogb/testdata/tiny", "../format/planetoid/testdata/ind.tiny", "../format/shchur/testdata/ppnp.npz",
		"../format/matrixmarket/testdata/general.mtx", "../format/sgraph/testdata/example.sgraph",
	} {
		g, err := detect.ReadGraph(in, detect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "want.sgraph")
		if err := sgraph.Write(path, g); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := Conversion{In: in, Workers: 2}
		for _, budget := range []int64{1 << 30, smallest(t, c)} {
			c.Budget = budget
			got, _, err := converted(t.Context(), t, c)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s in %d bytes: %v, the same bytes: %v", in, budget, err, bytes.Equal(got, want))
			}
		}
	}
}

// TestUndirectedConversionIsWhatModelsMakeOfAGraph holds the rows against those of New.
func TestUndirectedConversionIsWhatModelsMakeOfAGraph(t *testing.T) {
	for _, in := range []string{manyEdges(t), "../format/ogb/testdata/tiny", "../format/planetoid/testdata/ind.tiny"} {
		raw, err := detect.ReadGraph(in, detect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := New(raw, All)
		if err != nil {
			t.Fatal(err)
		}
		defer want.Close()
		c := Conversion{In: in, Workers: 1, Undirected: true}
		c.Budget = smallest(t, c)
		file, done, err := converted(t.Context(), t, c)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "g.sgraph")
		if err := os.WriteFile(path, file, 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := OpenStored(path, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if err := got.Load(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Indptr, want.Indptr) || !slices.Equal(got.Indices, want.Indices) || !slices.Equal(got.Labels, want.Labels) || got.ID(1) != want.ID(1) {
			t.Errorf("%s: other rows, labels or ids", in)
		}
		if strings.HasSuffix(in, ".txt") && !slices.ContainsFunc(done.Notes, func(s string) bool { return strings.Contains(s, " self-loops and ") }) {
			t.Errorf("notes %q", done.Notes)
		}
	}
}

// TestIDsFarApartNeedMemoryOrAreRefused has one id that a bit each is too much for.
func TestIDsFarApartNeedMemoryOrAreRefused(t *testing.T) {
	in := filepath.Join(t.TempDir(), "far.edges")
	if err := os.WriteFile(in, []byte("1 2\n2 900000000000000000\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c := Conversion{In: in, Workers: 1, Budget: 64 << 20}
	file, _, err := converted(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "g.sgraph")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	g, err := sgraph.Read(path, sgraph.Options{})
	if err != nil || !slices.Equal(g.IDs, []int64{1, 2, 900000000000000000}) {
		t.Errorf("ids %v, %v", g, err)
	}
}

func TestStoppedConversionLeavesNothing(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, in := range []string{manyEdges(t), "../format/ogb/testdata/tiny"} {
		if _, _, err := converted(ctx, t, Conversion{In: in, Workers: 1, Budget: 1 << 30}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", in, err)
		}
	}
}
