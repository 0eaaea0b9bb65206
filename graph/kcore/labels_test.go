package kcore

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

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph/edges"
)

// Ids that are texts: the core numbers, and the order, are those of the graph whose numbers are the ranks of the texts.
func TestTextsAreNumberedByRank(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 6))
	const n = 40_000 // more than a dictionary has room for at first
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%x-vertex-%d", rng.Uint32(), i)
	}
	sorted := slices.Sorted(slices.Values(texts))
	var list strings.Builder
	var ids []int64
	for range 2 * n {
		u, v := rng.IntN(n), rng.IntN(1+rng.IntN(n))
		fmt.Fprintln(&list, texts[u], texts[v])
		for _, text := range []string{texts[u], texts[v]} {
			rank, _ := slices.BinarySearch(sorted, text)
			ids = append(ids, int64(rank))
		}
	}
	numbered := pairGraph(t, ids, 0)
	core := peeled(t, numbered)
	var want bytes.Buffer
	for v, k := range core {
		if numbered.Present(v) {
			fmt.Fprintf(&want, "%s\t%d\n", sorted[v], k)
		}
	}
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte(list.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(3)
	defer pool.Close()
	ids2, _, err := KindOfIDs([]string{path}, AutoIDs, nil)
	if err != nil || ids2 != Texts {
		t.Fatalf("ids are %s, %v", ids2, err)
	}
	g, err := Read([]string{path}, Options{IDs: Texts}, pool)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	s := imported(t, []string{path}, Options{IDs: Texts})
	s.decompose(t, Divide{Part: 1 << 20, Sweeps: 1}, 2)
	if err := s.Name(); err != nil {
		t.Fatal(err)
	}
	for where, of := range map[string]struct {
		names *Names
		core  []int32
	}{"memory": {&g.Names, peeled(t, g)}, "disk": {&s.Names, s.Core}} {
		var got bytes.Buffer
		if err := WriteTSV(&got, of.names, of.core); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("in %s: %v, other core numbers", where, err)
		}
	}
	back := make([]int32, g.Nodes)
	cores := filepath.Join(t.TempDir(), "cores.tsv")
	if err := os.WriteFile(cores, want.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := ReadCores(cores, &g.Names, nil, back); err != nil || !slices.Equal(back, s.Core) {
		t.Errorf("%v: other core numbers come back", err)
	}

	// What the beginning of the list lets expect is enough.
	size, err := Survey([]string{path}, Options{IDs: Texts})
	if err != nil {
		t.Fatal(err)
	}
	if bytes := int64(len(strings.Join(sorted, ""))); size.Nodes < int64(g.Nodes) || size.Labels < bytes*int64(g.Nodes)/n {
		t.Errorf("%+v, of %d ids", size, g.Nodes)
	}
}

// A dictionary that has no room is refused with the memory that would do.
func TestDictionaryIsBounded(t *testing.T) {
	var list strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&list, "a%d b%d\n", i, i)
	}
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte(list.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, more := range []int64{1 << 20, 4 << 20} {
		spill, err := memory.OpenSpill(memory.Disk{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		m := Import{Options: Options{IDs: Texts}, Dir: dir, Spill: spill, Room: 1 << 40, Memory: edges.Least + more, Budget: 100 << 20, Workers: 1}
		var small *plan.TooSmallError
		if err := m.Run(context.Background(), []string{path}); !errors.As(err, &small) || small.Smallest <= small.Budget {
			t.Errorf("with %s: %v", memory.FormatSize(more), err)
		}
		spill.Close()
	}
}
