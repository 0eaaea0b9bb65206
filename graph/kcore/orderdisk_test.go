package kcore

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/internal/realdata"
)

// placesAreThose fails unless a store, whose estimates become these core numbers, has the order that is made in memory, in so many
// bytes for parts, and the same edges in its cores.
func placesAreThose(t testing.TB, s *Store, g *Graph, core []int32, workers int, parts ...int64) {
	t.Helper()
	pool := kernel.NewPool(workers)
	defer pool.Close()
	if err := s.claim(core); err != nil {
		t.Fatal(err)
	}
	if err := s.Name(); err != nil {
		t.Fatal(err)
	}
	order, work, place := make([]int32, g.Nodes), make([]int32, g.Nodes), make([]int32, g.Nodes)
	if err := Order(g, core, order, work); err != nil {
		t.Fatal(err)
	}
	for _, bytes := range parts {
		if err := s.Place(context.Background(), place, bytes, pool); err != nil {
			t.Fatal(err)
		}
		for v, at := range place {
			if order[at] != int32(v) {
				t.Fatalf("parts of %d bytes: place %d is that of vertex %d, expected %d", bytes, at, v, order[at])
			}
		}
	}
	if err := s.VerifyOrder(context.Background(), core, place, pool); err != nil {
		t.Error(err)
	}
	var got, want bytes.Buffer
	if err := WritePlaces(&got, &s.Names, place, make([]int32, 1+g.Nodes/3)); err != nil {
		t.Fatal(err)
	}
	WriteOrder(&want, &g.Names, order)
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("the order is written as %.200q, expected %.200q", got.Bytes(), want.Bytes())
	}
	if shells, err := s.Shells(context.Background(), pool); err != nil || !slices.Equal(shells, Shells(g, core)) {
		t.Errorf("%v, shells %v, expected %v", err, shells, Shells(g, core))
	}
	for _, k := range []int32{1, 2, slices.Max(core)} {
		got.Reset()
		want.Reset()
		if err := s.WriteCoreEdges(context.Background(), &got, k, pool); err != nil {
			t.Fatal(err)
		}
		WriteCoreEdges(&want, g, core, k)
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("edges of the %d-core: %d bytes, expected %d", k, got.Len(), want.Len())
		}
	}
}

func TestOrderOnDiskIsThatInMemory(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 3))
	for i := range 12 {
		ids, _ := randomMultigraph(rng)
		if len(ids) == 0 {
			continue
		}
		if i%3 == 0 {
			for i := range ids {
				ids[i] = ids[i]*1_000_003 + 1<<40
			}
		}
		g := pairGraph(t, ids, 0)
		placesAreThose(t, importedPairs(t, ids, 0), g, peeled(t, g), 1+i%3, LeastPart)
	}
	for _, want := range oracles[:3] {
		pool := kernel.NewPool(2)
		defer pool.Close()
		g, err := Read([]string{realdata.Path(t, "data/graph/edges/"+want.file)}, Options{}, pool)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		again := pairGraph(t, pairsOf(g), 0) // numbered as on disk
		placesAreThose(t, importedPairs(t, pairsOf(g), 0), again, peeled(t, again), 2, LeastPart, 1<<20)
	}
}

// Shells that have no room in a part: a grid, whose numbers lie about at random, and a path beside it.
func TestOrderOfLargeShells(t *testing.T) {
	const side, long = 60, 9000
	number := rand.New(rand.NewPCG(6, 1)).Perm(side*side + long)
	var ids []int64
	edge := func(u, v int) { ids = append(ids, int64(number[u]), int64(number[v])) }
	for i := range side * side {
		if i%side > 0 {
			edge(i, i-1)
		}
		if i >= side {
			edge(i, i-side)
		}
	}
	for i := side*side + 1; i < side*side+300; i++ {
		edge(i, i-1)
	}
	for i := side*side + 300; i < side*side+long; i++ {
		edge(i, side*side+i%300)
	}
	g := pairGraph(t, ids, side*side+long)
	core := peeled(t, g)
	s := importedPairs(t, ids, side*side+long)
	placesAreThose(t, s, g, core, 2, LeastPart, 1<<20)
	pool := kernel.NewPool(2)
	defer pool.Close()
	if err := s.Verify(context.Background(), slices.Clone(core), LeastPart, pool); err != nil {
		t.Error(err)
	}

	// Wrong core numbers have no order, or a claim that their order does not bear out.
	place := make([]int32, g.Nodes)
	for _, wrong := range []int32{-1, 1} {
		v := number[side*side/2]
		core[v] += wrong
		s := opened(t, s.dir)
		copy(s.Core, core)
		err := s.Place(context.Background(), place, LeastPart, pool)
		if err == nil {
			s := opened(t, s.dir)
			var wrong *WrongError
			if err = s.VerifyOrder(context.Background(), core, place, pool); err != nil && !errors.As(err, &wrong) {
				t.Errorf("%v does not say which core number is wrong", err)
			}
		}
		if err == nil {
			t.Errorf("a core number that is %+d is accepted", wrong)
		}
		var found *WrongError
		if err := s.Verify(context.Background(), slices.Clone(core), LeastPart, pool); !errors.As(err, &found) {
			t.Errorf("of a core number that is %+d: %v", wrong, err)
		}
		core[v] -= wrong
	}
}

// A shell that is long and has no room is refused with the room that will do, in which it is then put into order.
func TestOrderOfALongPath(t *testing.T) {
	const n = 8000
	var ids []int64
	for v := int64(1); v < n; v++ {
		ids = append(ids, v-1, v)
	}
	s := importedPairs(t, ids, n)
	for v := range s.Core {
		s.Core[v] = 1
	}
	pool := kernel.NewPool(2)
	defer pool.Close()
	place := make([]int32, n)
	var room *RoomError
	if err := s.Place(context.Background(), place, LeastPart, pool); !errors.As(err, &room) || room.Short <= 0 {
		t.Fatalf("%v, in %d bytes", err, LeastPart)
	}
	if err := s.Verify(context.Background(), slices.Repeat([]int32{1}, n), LeastPart, pool); !errors.As(err, &room) {
		t.Errorf("%v, in %d bytes", err, LeastPart)
	}
	if err := s.Place(context.Background(), place, LeastPart+room.Short, pool); err != nil || place[0] != 0 || place[n-1] != 1 || place[1] != 2 || place[n/2] != n-1 {
		t.Errorf("%v, places %v", err, head(place))
	}
	if testing.Short() {
		return
	}
	if err := s.Place(context.Background(), place, LeastPart+room.Short-memory.BlockSize, pool); !errors.As(err, &room) || room.Short != memory.BlockSize {
		t.Errorf("%v, in a block less than was asked for", err)
	}
}

func TestPlacesComeBack(t *testing.T) {
	g := pairGraph(t, []int64{3, 5, 5, 7, 7, 3, 7, 9, 20, 20}, 0)
	core := peeled(t, g)
	order, place := make([]int32, g.Nodes), make([]int32, g.Nodes)
	if err := Order(g, core, order, place); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	read := func(text string) error {
		path := filepath.Join(dir, "order")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadPlaces(path, &g.Names, core, place)
	}
	if err := read("20\n9\n3\n5\n7\n"); err != nil || place[20] != 0 || place[7] != 4 || place[4] != -1 {
		t.Errorf("%v, %v", err, place)
	}
	for _, wrong := range []string{"20\n9\n3\n5\n", "20\n9\n3\n5\n5\n", "20\n9\n3\n5\n7\n7\n", "9\n20\n3\n5\n7\n", "20\n9\n3\n5\n8\n"} {
		if read(wrong) == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

// A vertex without neighbours is in no part, and has core number 0 all the same.
func TestClaimOfAnIsolatedVertexIsLookedAt(t *testing.T) {
	ids := []int64{0, 1, 1, 2, 2, 0, 4, 4}
	pool := kernel.NewPool(1)
	defer pool.Close()
	for _, declared := range []int64{0, 6} {
		g := pairGraph(t, ids, declared)
		core := peeled(t, g)
		for v := range core {
			if g.Present(v) {
				core[v]++
				if err := importedPairs(t, ids, declared).Verify(context.Background(), core, LeastPart, pool); err == nil {
					t.Errorf("core number %d of vertex %d is accepted", core[v], v)
				}
				core[v]--
			}
		}
	}
}
