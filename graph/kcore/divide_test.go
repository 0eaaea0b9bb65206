package kcore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/internal/race"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// imported puts lists on disk.
func imported(t testing.TB, paths []string, o Options) *Store {
	t.Helper()
	dir := t.TempDir()
	spill, err := memory.OpenSpill(memory.Disk{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	m := Import{Options: o, Dir: dir, Spill: spill, Room: 1 << 40, Memory: 4 << 20, Workers: 2}
	if o.IDs == Texts {
		m.Memory += 16 << 20
	}
	if err := m.Run(context.Background(), paths); err != nil {
		t.Fatal(err)
	}
	return opened(t, dir)
}

func opened(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// importedPairs puts pairs on disk.
func importedPairs(t testing.TB, ids []int64, declared int64) *Store {
	t.Helper()
	var text strings.Builder
	for i := 0; i < len(ids); i += 2 {
		fmt.Fprintln(&text, ids[i], ids[i+1])
	}
	path := filepath.Join(t.TempDir(), "edges.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return imported(t, []string{path}, Options{Vertices: declared})
}

// decompose divides what is in a store, which begins anew, and returns the state it came to.
func (s *Store) decompose(t testing.TB, d Divide, workers int) Progress {
	t.Helper()
	pool := kernel.NewPool(workers)
	defer pool.Close()
	fresh := opened(t, s.dir)
	copy(s.Core, fresh.Core)
	d.Rows, d.Core = s.Rows, s.Core
	d.Save = func(Progress) error { return nil }
	p, err := d.Run(context.Background(), pool, Progress{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// diskEngines fails unless sweeps, and parts of any size, find the core numbers of those vertices that there are.
func diskEngines(t testing.TB, s *Store, g *Graph, want []int32, parts ...int64) {
	t.Helper()
	if s.Edges != g.Edges || s.Loops != g.Loops || s.Duplicates != g.Duplicates || s.Nodes != g.Nodes {
		t.Fatalf("on disk %+v of %d, in memory %+v of %d", s.Counts, s.Nodes, g.Counts, g.Nodes)
	}
	for i, part := range parts {
		p := s.decompose(t, Divide{Part: part, Sweeps: i % 3}, 1+i%3)
		if err := s.Name(); err != nil {
			t.Fatal(err)
		}
		for v, k := range s.Core {
			if k != want[v] || s.ID(v) != g.ID(v) || s.Present(v) != g.Present(v) {
				t.Fatalf("parts of %d bytes: vertex %d (%d) has %d, expected %d; present %v, expected %v; %+v", part, s.ID(v), g.ID(v), k, want[v], s.Present(v), g.Present(v), p)
			}
		}
	}
}

func TestDivideAgreesWithPeel(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 3))
	for range 12 {
		ids, declared := randomMultigraph(rng)
		if len(ids) == 0 {
			continue
		}
		if rng.IntN(2) == 0 {
			declared = 0
		}
		far := rng.IntN(3) == 0
		if far {
			declared = 0
			for i := range ids {
				ids[i] = ids[i]*1_000_003 + 1<<40
			}
		}
		g := pairGraph(t, ids, declared)
		diskEngines(t, importedPairs(t, ids, declared), g, peeled(t, g), 0, 1<<16, 1<<20)
	}
}

// pairsOf are the edges of a graph, and a self-loop of each vertex that has none.
func pairsOf(g *Graph) (ids []int64) {
	for v := range g.Nodes {
		if g.Degree(v) == 0 && g.Present(v) {
			ids = append(ids, g.ID(v), g.ID(v))
		}
		for _, u := range g.Neighbours(v) {
			if int(u) > v {
				ids = append(ids, g.ID(v), g.ID(int(u)))
			}
		}
	}
	return ids
}

// Small parts must rise above what they began with, and sweep where not even one level has room.
func TestPartsAreBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	var ids []int64
	const n = 20_000
	for range 15 * n {
		u := rng.Int64N(n)
		ids = append(ids, u, rng.Int64N(1+rng.Int64N(n)))
	}
	g := pairGraph(t, ids, n)
	want := peeled(t, g)
	s := importedPairs(t, ids, n)
	parts := []int64{LeastPart, 256 << 10, 400 << 10, 1 << 20, 4 << 20}
	if race.Enabled {
		parts = parts[2:4]
	}
	for _, part := range parts {
		p := s.decompose(t, Divide{Part: part, Sweeps: 1}, 2)
		if !slices.Equal(s.Core, want) {
			t.Fatalf("parts of %d: other core numbers", part)
		}
		above := int32(1 << 30)
		for _, stage := range p.Stages {
			if stage.Threshold >= above || int64(stage.Candidates)*partVertex > part || stage.Finished > stage.Candidates {
				t.Errorf("parts of %d: %+v below %d", part, stage, above)
			}
			above = stage.Threshold
		}
		t.Logf("parts of %s: %d sweeps, %d parts", memory.FormatSize(part), p.Sweeps, len(p.Stages))
	}
}

// Parts as the paper's method finds them, for rough division by degree: candidates, edges inside, pairs with finished neighbours, and
// those finished at each threshold.
func TestStagesAreThoseOfThePaper(t *testing.T) {
	for _, c := range []struct {
		file string
		at   []int32
		want []Stage
	}{
		{"astro-ph.graph", []int32{10, -1}, []Stage{
			{Threshold: 10, Candidates: 6308, Edges: 90036, Finished: 4979}, {Threshold: -1, Candidates: 11727, Edges: 21037, External: 19158, Finished: 11727}}},
		{"wiki-Vote.txt", []int32{20, -1}, []Stage{
			{Threshold: 20, Candidates: 2154, Edges: 81421, Finished: 2060}, {Threshold: -1, Candidates: 5055, Edges: 1213, External: 19847, Finished: 5055}}},
		{"MIT8.edgelist", []int32{40, -1}, []Stage{
			{Threshold: 40, Candidates: 3835, Edges: 214288, Finished: 3448}, {Threshold: -1, Candidates: 2992, Edges: 8911, External: 41873, Finished: 2992}}},
		{"MIT8.edgelist", []int32{60, 30, -1}, []Stage{
			{Threshold: 60, Candidates: 3064, Edges: 182566, Finished: 2024}, {Threshold: 30, Candidates: 2243, Edges: 32730, External: 65028, Finished: 2051},
			{Threshold: -1, Candidates: 2365, Edges: 3670, External: 25008, Finished: 2365}}},
	} {
		if race.Enabled && c.file == "MIT8.edgelist" {
			continue // many edges
		}
		pool := kernel.NewPool(2)
		defer pool.Close()
		g, err := Read([]string{realdata.Path(t, "data/graph/edges/"+c.file)}, Options{}, pool)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		p := importedPairs(t, pairsOf(g), 0).decompose(t, Divide{Part: 8 << 20, At: c.at}, 2)
		if !slices.Equal(p.Stages, c.want) {
			t.Errorf("%s at %v:\n%+v, expected\n%+v", c.file, c.at, p.Stages, c.want)
		}
	}
}

// A job that is stopped after any number of sweeps and parts goes on from what it has saved, and comes to the same.
func TestDivideGoesOn(t *testing.T) {
	ids := dense(3000, 20)
	want := peeled(t, pairGraph(t, ids, 3000))
	pool := kernel.NewPool(2)
	defer pool.Close()
	for _, d := range []Divide{{}, {Part: LeastPart, Sweeps: 2}} {
		s := importedPairs(t, ids, 3000)
		stops := 0
		for after := 1; !s.Progress.Done; after = 1 + after%3 {
			ctx, cancel := context.WithCancel(context.Background())
			saved := 0
			err := s.Decompose(ctx, d, pool, func(Progress) {
				if saved++; saved == after {
					cancel()
				}
			})
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if err != nil {
				stops++
				s = opened(t, s.dir) // as it is on disk
			}
		}
		if !slices.Equal(s.Core, want) || stops == 0 {
			t.Errorf("%+v, stopped %d times: core numbers %v, expected %v", d, stops, head(s.Core), head(want))
		}
	}
}

// dense draws pairs of n vertices, per of each.
func dense(n, per int) (ids []int64) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range n * per {
		ids = append(ids, rng.Int64N(int64(n)), rng.Int64N(1+rng.Int64N(int64(n))))
	}
	return ids
}

// A byte that is flipped anywhere in what a job leaves on disk is noticed, with the file and the place, or changes nothing: it is where nothing
// stands. The files stay as they are.
func TestDamageIsNoticed(t *testing.T) {
	ids := dense(500, 5)
	far := slices.Clone(ids)
	var names strings.Builder
	for i := range far {
		far[i] = far[i]*1_000_003 + 1<<40
	}
	for i := 0; i < len(ids); i += 2 {
		fmt.Fprintf(&names, "a%d a%d\n", ids[i], ids[i+1])
	}
	list := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(list, []byte(names.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(1)
	defer pool.Close()
	hash := func(dir string) (string, error) {
		s, err := OpenStore(dir)
		if err != nil {
			return "", err
		}
		defer s.Close()
		d := Divide{Rows: s.Rows, Core: s.Core, Part: 1 << 20, Save: func(Progress) error { return nil }}
		if _, err := d.Run(context.Background(), pool, s.Progress); err != nil {
			return "", err
		}
		if err := s.Name(); err != nil {
			return "", err
		}
		return Hash(&s.Names, s.Core), nil
	}
	for kind, s := range map[string]*Store{
		"numbers": importedPairs(t, ids, 500), "far numbers": importedPairs(t, far, 0), "texts": imported(t, []string{list}, Options{IDs: Texts}),
	} {
		want, err := hash(s.dir)
		if err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(s.dir)
		if err != nil || len(files) < 3 {
			t.Fatalf("%s: %d files, %v", kind, len(files), err)
		}
		for _, file := range files {
			path := filepath.Join(s.dir, file.Name())
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			noticed := 0
			for i := range 9 {
				damaged := bytes.Clone(whole)
				damaged[i*(len(whole)-1)/8] ^= 0x55
				if err := os.WriteFile(path, damaged, 0o666); err != nil {
					t.Fatal(err)
				}
				got, err := hash(s.dir)
				var corrupt *format.CorruptError
				switch {
				case errors.As(err, &corrupt) && corrupt.Path == path && corrupt.Offset >= 0:
					noticed++
				case err != nil || got != want:
					t.Errorf("%s, byte %d of %s: %v, hash %.8s, expected %.8s or an error with the place", kind, i*(len(whole)-1)/8, file.Name(), err, got, want)
				}
				if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, damaged) {
					t.Errorf("%s was written to: %v", file.Name(), err)
				}
			}
			if noticed == 0 {
				t.Errorf("%s: no damage of %s was noticed", kind, file.Name())
			}
			if err := os.WriteFile(path, whole, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestVerifyOnDiskNoticesWhatIsWrong(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	pool := kernel.NewPool(2)
	defer pool.Close()
	for range 6 {
		ids, declared := randomMultigraph(rng)
		if len(ids) == 0 {
			continue
		}
		g := pairGraph(t, ids, declared)
		right := peeled(t, g)
		s := importedPairs(t, ids, declared)
		if err := s.Verify(context.Background(), right, LeastPart, pool); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			wrong := slices.Clone(right)
			v := rng.IntN(g.Nodes)
			if wrong[v] += int32(1 - 2*rng.IntN(2)); wrong[v] < 0 || g.Degree(v) == 0 {
				continue
			}
			if err := s.Verify(context.Background(), wrong, LeastPart, pool); err == nil {
				t.Fatalf("pairs %v: %v are accepted, right are %v", ids, wrong, right)
			}
		}
	}
	// Many parts.
	r := graph.RMAT{Scale: 13, EdgeFactor: 16, Seed: 3}
	ids := make([]int64, 2*r.Samples())
	(&rmatPairs{r, ids}).Do(0, 0, int(r.Samples()))
	g := pairGraph(t, ids, 1<<13)
	right := peeled(t, g)
	s := importedPairs(t, ids, 1<<13)
	if err := s.Verify(context.Background(), right, 160<<10, pool); err != nil {
		t.Error(err)
	}
	right[rng.IntN(len(right))]++
	var wrong *WrongError
	if err := s.Verify(context.Background(), right, 160<<10, pool); !errors.As(err, &wrong) {
		t.Errorf("%v for a core number that is too large", err)
	}
}

func TestCoresComeBack(t *testing.T) {
	g := pairGraph(t, []int64{1 << 50, 5, 5, 7, 7, 1 << 50, 7, 9, 20, 20}, 0)
	want := peeled(t, g)
	order, back := make([]int32, g.Nodes), make([]int32, g.Nodes)
	if err := Order(g, want, order, make([]int32, g.Nodes)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, f func(w io.Writer) error) string {
		path := filepath.Join(dir, name)
		if err := format.WriteFile(path, f); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, path := range []string{
		write("cores.tsv", func(w io.Writer) error { return WriteTSV(w, &g.Names, want) }),
		write("cores.npy", func(w io.Writer) error { return WriteNPY(w, &g.Names, want) }),
		write("cores.parquet", func(w io.Writer) error { return WriteParquet(w, &g.Names, want) }),
	} {
		if err := ReadCores(path, &g.Names, nil, back); err != nil || !slices.Equal(back, want) {
			t.Errorf("%s: %v, %v, expected %v", path, err, back, want)
		}
	}
	path := write("order", func(w io.Writer) error { return WriteOrder(w, &g.Names, order) })
	if err := ReadOrder(path, &g.Names, back); err != nil || !slices.Equal(back, order) {
		t.Errorf("%v, %v, expected %v", err, back, order)
	}
	for name, text := range map[string]string{
		"twice": "5\t1\n5\t1\n", "few": "5\t1\n", "stranger": "6\t1\n", "negative": "5\t-1\n",
	} {
		path := write(name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		var corrupt *format.CorruptError
		if err := ReadCores(path, &g.Names, nil, back); !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
