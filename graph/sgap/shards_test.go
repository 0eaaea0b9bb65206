package sgap

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph"
)

func TestAnEpochTakesEveryRowOnceShardByShard(t *testing.T) {
	for _, n := range []int{1, 100, shardRows, shardRows + 1, 3*shardRows + 17} {
		dealt, order := make([]int32, n), make([]int32, n)
		deal(dealt)
		arrange(order, 3, 5)
		for name, list := range map[string][]int32{"dealt": dealt, "arranged": order} {
			sorted := slices.Sorted(slices.Values(list))
			if !slices.Equal(sorted, ascending(n)) {
				t.Fatalf("%d rows: %s are not all of them once", n, name)
			}
		}
		changes := 0
		for i := 1; i < n; i++ {
			if order[i]/shardRows != order[i-1]/shardRows {
				changes++
			}
		}
		if shards := (n + shardRows - 1) / shardRows; changes != shards-1 {
			t.Errorf("%d rows: shards change %d times in an epoch, there are %d", n, changes, shards)
		}
		again := make([]int32, n)
		arrange(again, 3, 6)
		if n >= 100 && slices.Equal(order, again) {
			t.Errorf("%d rows: two epochs have one order", n)
		}
		if n > shardRows && slices.IsSorted(dealt) || !slices.IsSorted(dealt[:min(n, shardRows)]) {
			t.Errorf("%d rows: dealt %v …", n, dealt[:8])
		}
	}
}

// TestASingleShardIsOneShuffle keeps the order of trainings that need no shards.
func TestASingleShardIsOneShuffle(t *testing.T) {
	got, want := make([]int32, 50), make([]int32, 50)
	arrange(got, 9, 4)
	shuffle(want, 9, 4)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// manyRows is a graph with rows for three shards that train, and for two that validate.
func manyRows(t *testing.T) *dataset {
	t.Helper()
	m := graph.BlockModel{Nodes: 30000, Classes: 3, Degree: 2, Homophily: 0.8, Features: 5, Signal: 1, Train: 0.65, Val: 0.3, Seed: 4}
	raw, err := m.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.New(raw, graph.All)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return &dataset{Graph: g, splits: []graph.Split{*g.Public, {Train: g.Public.Val[:shardRows+5], Val: g.Public.Train[:70], Test: g.Public.Test}}}
}

func TestRowsOnDiskTrainWithTheBitsOfThoseInMemory(t *testing.T) {
	d := manyRows(t)
	spill, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	type result struct {
		Weights map[string][]float32
		Losses  []float64
		Scores  []Score
	}
	train := func(c choice, s *store, shelve bool) (r result) {
		size := d.sizesOf(c, d.splits, way{blockBytes: 1 << 20, shelve: shelve}, 1)
		shop, err := newWorkshop(d, c, size, true, nil, spill)
		if err != nil {
			t.Fatal(err)
		}
		defer shop.close()
		for _, split := range d.splits {
			if err := shop.open(s, split); err != nil {
				t.Fatal(err)
			}
			shop.begin(7)
			for range 2 {
				loss, val, err := shop.runEpoch()
				if err != nil {
					t.Fatal(err)
				}
				r.Losses = append(r.Losses, loss)
				r.Scores = append(r.Scores, *val)
			}
			in := NewScore(d.Classes)
			if err := shop.testInOrder(in, s, split.Test); err != nil {
				t.Fatal(err)
			}
			by, err := shop.test(s, split)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(in, by, cmp.AllowUnexported(Score{})); d != "" {
				t.Errorf("in order (-) and gathered (+): %s", d)
			}
			r.Scores = append(r.Scores, *by)
		}
		r.Weights = weightsOf(shop.session)
		return r
	}
	for name, set := range map[string][]string{
		"sign":     {"hops=2", "hidden=8", "batch=3000", "batch-norm=true", "dropout=0.2"},
		"sgc":      {"hops=1", "batch=1000000"}, // all rows make a step
		"gamlp-jk": {"hops=1", "hidden=4", "batch=5000"},
	} {
		c := choiceOf(t, name, set...)
		s := propagated(t, d, c.design)
		if d := cmp.Diff(train(c, s, false), train(c, s, true), cmp.AllowUnexported(Score{})); d != "" {
			t.Errorf("%s: in memory (-) and on disk (+):\n%s", name, d[:min(len(d), 2000)])
		}
		s.Close()
	}
	if used := spill.Used(); used != 0 {
		t.Errorf("%d bytes of disk are left in use", used)
	}
}

// TestShelvesAreAsLargeAsPlanned has sizes at the ends of shards and of what is flushed.
func TestShelvesAreAsLargeAsPlanned(t *testing.T) {
	spill, err := memory.OpenSpill(memory.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	l := layout{hops: 2, features: 7, labels: 1, classes: 3}
	if recordBytes(l) != 128 { // 2·7 + 3 + 1 numbers are 72 bytes
		t.Errorf("a record has %d bytes", recordBytes(l))
	}
	for _, train := range []int{0, 1, 64, 65, shardRows, shardRows + 1, 300 * shardRows} {
		before := memory.ArenaBytes()
		s, err := newShelf(train, 10, l, spill)
		if err != nil {
			t.Fatal(err)
		}
		if took, planned := memory.ArenaBytes()-before, shelfBytes(train, 10, l); took > planned+1<<16 || took < planned-1<<16 {
			t.Errorf("%d rows: %d bytes, %d planned", train, took, planned)
		}
		if used, planned := spill.Used(), recordsBytes(train, l)+recordsBytes(10, l); used != planned {
			t.Errorf("%d rows: %d bytes of disk, %d planned", train, used, planned)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}
