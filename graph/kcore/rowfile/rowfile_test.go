package rowfile

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// draw makes rows: short and long ones, some empty, vertices beside each other and far apart.
func draw(rng *rand.Rand) map[int32][]uint64 {
	rows := map[int32][]uint64{}
	v := int32(0)
	for range 1 + rng.IntN(3000) {
		v += 1 + int32(rng.IntN(3))
		if rng.IntN(200) == 0 {
			v += int32(rng.IntN(200_000))
		}
		n := rng.IntN(20)
		if rng.IntN(300) == 0 {
			n = rng.IntN(20_000)
		}
		row := make([]uint64, n)
		u := uint64(rng.IntN(1 << uint(rng.IntN(25))))
		for i := range row {
			row[i] = u
			u += 1 + uint64(rng.IntN(1<<uint(rng.IntN(12))))
		}
		rows[v] = row
	}
	return rows
}

func write(t testing.TB, path string, rows map[int32][]uint64) *Index {
	t.Helper()
	f, err := memory.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const longest = 128 << 10
	arena, err := memory.NewArena(WriterBytes(longest))
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	w, err := NewWriter(f, arena.Bytes(0, int(WriterBytes(longest))), longest, func(int64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range slices.Sorted(maps.Keys(rows)) {
		row := rows[v]
		if err := w.Begin(v); err != nil {
			t.Fatal(err)
		}
		for len(row) > 0 { // in pieces
			n := min(len(row), 1000)
			if err := w.Append(row[:n], 0); err != nil {
				t.Fatal(err)
			}
			row = row[n:]
		}
	}
	x, err := w.End()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// What is written is read, in order, by any number of workers, and of blocks that are not wanted nothing.
func TestRowsComeBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for i := range 8 {
		want := draw(rng)
		path := filepath.Join(t.TempDir(), "rows")
		x := write(t, path, want)
		f, err := Open(path, x)
		if err != nil {
			t.Fatal(err)
		}
		pool := kernel.NewPool(1 + i%3)
		half := int32(x.Nodes / 2)
		for _, from := range []int32{0, half} {
			got := map[int32][]uint64{}
			var mu sync.Mutex
			var blocks []int32
			err := f.Pass(context.Background(), pool, func(first, end int32) bool { return end > from }, func(_ int, b *Block) error {
				mu.Lock()
				defer mu.Unlock()
				r := b.Rows()
				for r.Next() {
					got[r.Vertex] = unpacked(t, r)
					if r.Vertex < b.First || r.Vertex >= b.End {
						t.Errorf("vertex %d in a block of %d … %d", r.Vertex, b.First, b.End-1)
					}
				}
				if r.Broken() {
					t.Error("a broken block")
				}
				return nil
			}, func(b *Block) error { blocks = append(blocks, b.First); return nil })
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSorted(blocks) {
				t.Error("blocks come out of order")
			}
			for v, row := range want {
				if v >= from && !slices.Equal(got[v], row) {
					t.Fatalf("row %d: %d neighbours, expected %d", v, len(got[v]), len(row))
				}
			}
			for v := range got {
				if _, ok := want[v]; !ok {
					t.Fatalf("row %d was never written", v)
				}
			}
		}
		pool.Close()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func unpacked(t *testing.T, r Rows) []uint64 {
	t.Helper()
	var row []uint64
	var chunk [7]int32
	for n, rest, last := 0, r.Neighbours, uint32(0); len(rest) > 0; {
		n, rest, last = Unpack(chunk[:], rest, last)
		for _, u := range chunk[:n] {
			row = append(row, uint64(u))
		}
	}
	if len(row) != r.Degree {
		t.Errorf("vertex %d: %d neighbours, and a degree of %d", r.Vertex, len(row), r.Degree)
	}
	return row
}

// A pass ends with the first error, of whoever it is, and with the context.
func TestPassEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	x := write(t, path, draw(rand.New(rand.NewPCG(1, 2))))
	f, err := Open(path, x)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pool := kernel.NewPool(2)
	defer pool.Close()
	all := func(int32, int32) bool { return true }
	fine := func(int, *Block) error { return nil }
	wrong := fmt.Errorf("wrong")
	if err := f.Pass(context.Background(), pool, all, func(int, *Block) error { return wrong }, func(*Block) error { return nil }); err != wrong {
		t.Errorf("%v, expected %v", err, wrong)
	}
	if err := f.Pass(context.Background(), pool, all, fine, func(*Block) error { return wrong }); err != wrong {
		t.Errorf("%v, expected %v", err, wrong)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Pass(ctx, pool, all, fine, func(*Block) error { return nil }); err == nil {
		t.Error("a pass after its context ended")
	}
}

// However a block is damaged behind its checksum, walking it ends.
func TestWalkOfGarbageEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	for range 2000 {
		body := make([]byte, rng.IntN(60))
		for i := range body {
			body[i] = byte(rng.IntN(256))
		}
		b := Block{Body: body, rows: rng.IntN(30)}
		r := b.Rows()
		n := 0
		for r.Next() {
			n++
		}
		if n < b.rows != r.Broken() {
			t.Fatalf("%d of %d rows, broken %v", n, b.rows, r.Broken())
		}
	}
}
