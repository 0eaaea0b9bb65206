package edges

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/seraph-ml/seraph/engine/memory"
)

// reference sorts by maps.
func reference(us, vs []uint64, symmetric bool) (map[uint64][]uint64, Counts) {
	sets := map[uint64]map[uint64]bool{}
	set := func(u uint64) map[uint64]bool {
		if sets[u] == nil {
			sets[u] = map[uint64]bool{}
		}
		return sets[u]
	}
	c := Counts{Pairs: int64(len(us))}
	for i, u := range us {
		v := vs[i]
		c.Largest = max(c.Largest, u, v)
		row := set(u)
		if u == v {
			c.Loops++
			continue
		}
		if row[v] {
			c.Duplicates++
		}
		row[v] = true
		if symmetric {
			set(v)[u] = true
		}
	}
	rows := map[uint64][]uint64{}
	for u, set := range sets {
		rows[u] = slices.Sorted(maps.Keys(set))
		c.Entries += int64(len(set))
		c.Longest = max(c.Longest, int64(len(set)))
	}
	c.Rows = int64(len(rows))
	return rows, c
}

func spill(t testing.TB) *memory.Spill {
	t.Helper()
	s, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// rowsOf collects the rows, and checks their order.
func rowsOf(t testing.TB, s *Sorter) (map[uint64][]uint64, Counts) {
	t.Helper()
	rows := map[uint64][]uint64{}
	last := uint64(0)
	c, err := s.Rows(context.Background(), func(u uint64, neighbours []uint64) error {
		if u < last {
			t.Fatalf("row %d after %d", u, last)
		}
		last = u
		rows[u] = append(rows[u], neighbours...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, c
}

func sorter(t testing.TB, o Options) *Sorter {
	t.Helper()
	s, err := NewSorter(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestRowsAreThoseOfTheReference(t *testing.T) {
	disk := spill(t)
	for _, c := range []struct {
		name         string
		pairs        int
		ids          uint64
		step, offset uint64
		late         int // pairs from here on have ids beyond 2^32
		memory       int64
		disk         bool
		least        int // runs
	}{
		{name: "none", memory: Least},
		{name: "few", pairs: 10, ids: 5, memory: Least},
		{name: "one buffer", pairs: 5000, ids: 700, memory: 4 << 20},
		{name: "runs in memory", pairs: 40_000, ids: 9000, memory: Least, least: 2},
		{name: "duplicates", pairs: 300_000, ids: 60, memory: Least},
		{name: "runs on disk", pairs: 150_000, ids: 70_000, memory: Least, disk: true, least: 10},
		{name: "several passes", pairs: 200_000, ids: 1 << 31, memory: Least, disk: true, least: 14},
		{name: "wide", pairs: 100_000, ids: 1 << 44, step: 7, offset: 1 << 33, memory: Least, disk: true, least: 10},
		{name: "wide late", pairs: 100_000, ids: 1 << 31, late: 50_000, memory: Least, disk: true, least: 10},
	} {
		for _, symmetric := range []bool{false, true} {
			o := Options{Memory: c.memory, Symmetric: symmetric, Workers: 2}
			if c.disk {
				o.Spill = disk
			}
			rng := rand.New(rand.NewPCG(1, uint64(c.pairs)))
			us, vs := make([]uint64, c.pairs), make([]uint64, c.pairs)
			for i := range us {
				id := func() uint64 {
					x := rng.Uint64N(c.ids) * max(c.step, 1)
					if rng.IntN(3) == 0 {
						x %= 100 // some long rows
					}
					if c.late > 0 && i > c.late {
						x += 1 << 40
					}
					return x + c.offset
				}
				us[i], vs[i] = id(), id()
			}
			want, counts := reference(us, vs, symmetric)
			s := sorter(t, o)
			for lo := 0; lo < len(us); lo += 777 {
				hi := min(lo+777, len(us))
				if err := Add(s, us[lo:hi], vs[lo:hi]); err != nil {
					t.Fatal(c.name, err)
				}
			}
			for range 2 { // rows may be read again
				got, found := rowsOf(t, s)
				if !maps.EqualFunc(got, want, slices.Equal) {
					t.Fatalf("%s, symmetric %v: rows differ", c.name, symmetric)
				}
				if counts.Runs = found.Runs; found != counts || symmetric && found.Runs < c.least {
					t.Errorf("%s, symmetric %v: %+v, expected %+v", c.name, symmetric, found, counts)
				}
			}
		}
	}
	if disk.Used() == 0 {
		t.Error("nothing was written to disk")
	}
}

func TestNeitherMemoryNorWorkersNorOrderMatter(t *testing.T) {
	disk := spill(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30_000).Draw(t, "pairs")
		bits := rapid.IntRange(1, 48).Draw(t, "bits")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		us, vs := make([]uint64, n), make([]uint64, n)
		for i := range us {
			us[i], vs[i] = rng.Uint64()>>(64-bits), rng.Uint64()>>(64-bits)>>rng.IntN(bits)
		}
		var first []uint64
		for _, o := range []Options{{Memory: 64 << 20}, {Memory: Least + rapid.Int64Range(0, 1<<20).Draw(t, "more"), Spill: disk, Workers: 3}} {
			o.Symmetric = n%2 == 0
			s, err := NewSorter(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := Add(s, us, vs); err != nil {
				t.Fatal(err)
			}
			var all []uint64
			if _, err := s.Rows(context.Background(), func(u uint64, neighbours []uint64) error {
				all = append(append(all, u), neighbours...)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = all
			} else if !slices.Equal(all, first) {
				t.Fatal("rows differ")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			rng.Shuffle(n, func(i, j int) { us[i], us[j], vs[i], vs[j] = us[j], us[i], vs[j], vs[i] })
		}
	})
	if disk.Used() != 0 {
		t.Errorf("%d bytes on disk were not given back", disk.Used())
	}
}

func TestALongRowComesInPieces(t *testing.T) {
	o := Options{Memory: Least, Spill: spill(t), Symmetric: true}
	s := sorter(t, o)
	n := 3*o.Row() + 5
	for v := 1; v <= n; v++ {
		if err := Add(s, []int32{7 * int32(n)}, []int32{int32(v)}); err != nil {
			t.Fatal(err)
		}
	}
	var lengths []int
	c, err := s.Rows(t.Context(), func(u uint64, neighbours []uint64) error {
		if u == uint64(7*n) {
			lengths = append(lengths, len(neighbours))
		}
		return nil
	})
	if want := []int{o.Row(), o.Row(), o.Row(), 5}; err != nil || !cmp.Equal(lengths, want) || c.Longest != int64(n) || c.Rows != int64(n)+1 {
		t.Errorf("pieces of %v, expected %v; %+v, %v", lengths, want, c, err)
	}
}

func TestMistakes(t *testing.T) {
	if _, err := NewSorter(Options{Memory: Least - 1}); err == nil || !strings.Contains(err.Error(), "at least 1MiB") {
		t.Errorf("too little memory: %v", err)
	}
	s := sorter(t, Options{Memory: Least})
	if err := Add(s, []int64{1}, []int64{-1}); err == nil || !strings.Contains(err.Error(), "edge 1 – -1") {
		t.Errorf("a negative id: %v", err)
	}
	s = sorter(t, Options{Memory: Least})
	us, vs := make([]uint64, 1<<20), make([]uint64, 1<<20)
	for i := range us {
		us[i], vs[i] = uint64(i)*2654435761%(1<<32), uint64(i)
	}
	if err := Add(s, us, vs); err == nil || !strings.Contains(err.Error(), "--disk") {
		t.Errorf("no disk: %v", err)
	}
	s = sorter(t, Options{Memory: Least})
	if err := Add(s, []int32{1, 2}, []int32{2, 3}); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if _, err := s.Rows(t.Context(), func(uint64, []uint64) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of the caller: %v", err)
	}
	if err := Add(s, []int32{1}, []int32{2}); err == nil {
		t.Error("a pair after the rows was taken")
	}
}

// TestThePlanIsKept holds what a plan says against what happens, for ids that are equally likely.
func TestThePlanIsKept(t *testing.T) {
	for _, pairs := range []int{10_000, 100_000, 300_000} {
		disk := spill(t)
		o := Options{Memory: Least, Spill: disk, Symmetric: true, Workers: 2}
		const ids = 1 << 20
		p := NewPlan(o, int64(pairs), ids)
		s := sorter(t, o)
		rng := rand.New(rand.NewPCG(3, 4))
		for range pairs {
			if err := Add(s, []uint64{rng.Uint64N(ids)}, []uint64{rng.Uint64N(ids)}); err != nil {
				t.Fatal(err)
			}
		}
		_, c := rowsOf(t, s)
		read, written := disk.Traffic().Read.Load(), disk.Traffic().Written.Load()
		if got := c.Runs - p.Merges; got != p.Runs {
			t.Errorf("%d pairs: %d runs, planned %+v", pairs, got, p)
		}
		for _, f := range [][2]int64{{read, p.Read}, {written, p.Written}} {
			if f[0] > f[1]*11/10 || f[0] < f[1]/2 {
				t.Errorf("%d pairs: read %d, written %d, planned %+v", pairs, read, written, p)
			}
		}
	}
}

// TestKeptEntriesAreAllPairs keeps self-loops and duplicates, in memory and on disk, below and beyond ids of 32 bits.
func TestKeptEntriesAreAllPairs(t *testing.T) {
	for _, c := range []struct {
		pairs  int
		offset uint64
		disk   bool
	}{{100, 0, false}, {100_000, 0, true}, {60_000, 1 << 33, true}} {
		o := Options{Memory: Least, Keep: true, Workers: 2}
		if c.disk {
			o.Spill = spill(t)
		}
		s := sorter(t, o)
		r := rand.New(rand.NewPCG(4, 5))
		want := map[uint64][]uint64{}
		loops := int64(0)
		for range c.pairs {
			u, v := c.offset+uint64(r.IntN(50)), c.offset+uint64(r.IntN(50))
			want[u] = append(want[u], v)
			if u == v {
				loops++
			}
			if err := Add(s, []uint64{u}, []uint64{v}); err != nil {
				t.Fatal(err)
			}
		}
		for _, row := range want {
			slices.Sort(row)
		}
		got, counts := rowsOf(t, s)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%d pairs: %s", c.pairs, d)
		}
		if counts.Entries != int64(c.pairs) || counts.Loops != loops || counts.Duplicates != 0 || c.disk && counts.Runs < 2 {
			t.Errorf("%d pairs: %+v", c.pairs, counts)
		}
	}
}
