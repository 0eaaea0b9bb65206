package graph

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/internal/realdata"
	"github.com/seraph-ml/seraph/run"
)

// labelled is a graph without edges whose nodes have the given classes.
func labelled(t *testing.T, classes int, labels ...int32) *Graph {
	return newGraph(t, &format.Graph{Name: "set", Nodes: len(labels), Labels: labels, Classes: classes}, All)
}

func parseSplit(t *testing.T, text string) SplitRule {
	t.Helper()
	r, err := ParseSplit(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSplitRulesAreReadAndWritten(t *testing.T) {
	for _, text := range []string{"public", "per-class:20/30", "per-class:5/0", "ratio:60/20/20", "file:a/b:c.npz"} {
		if got := parseSplit(t, text).String(); got != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
	for _, text := range []string{
		"", "private", "public:1", "per-class", "per-class:20", "per-class:0/3", "per-class:-1/3", "per-class:2/-1", "per-class:a/b",
		"per-class:1/2/3", "file:", "ratio:60/40", "ratio:0/50/50", "ratio:50/-10/60", "ratio:NaN/1/1", "ratio:Inf/1/1",
	} {
		var usage *run.UsageError
		if _, err := ParseSplit(text); !errors.As(err, &usage) {
			t.Errorf("%q: %v, want a usage error", text, err)
		}
	}
}

func TestPublicSplitsHaveTheirKnownSizes(t *testing.T) {
	for _, want := range []struct {
		name             string
		train, val, test int
	}{{"cora", 140, 500, 1000}, {"citeseer", 120, 500, 1000}} {
		g := realGraph(t, want.name, All)
		splits, err := parseSplit(t, "public").Draw(g, []uint64{0, 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range splits {
			if got := [3]int{len(s.Train), len(s.Val), len(s.Test)}; got != [3]int{want.train, want.val, want.test} {
				t.Errorf("%s: %d, want %+v", want.name, got, want)
			}
		}
		if s := splits[0]; s.Train[0] != 0 || s.Val[0] != int32(want.train) || !slices.IsSorted(s.Test) {
			t.Errorf("%s: train begins with %d, val with %d", want.name, s.Train[0], s.Val[0])
		}
	}
}

func TestPerClassDrawsEveryClassAlikeAndFromTheSeed(t *testing.T) {
	labels := make([]int32, 400)
	for u := range labels {
		labels[u] = int32(u%5) - 1 // a fifth has none
	}
	g := labelled(t, 4, labels...)
	rule := parseSplit(t, "per-class:20/30")
	seeds := []uint64{7, 8, 7, math.MaxUint64}
	splits, err := rule.Draw(g, seeds)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range splits {
		if err := s.check(g, "split", ""); err != nil {
			t.Error(err)
		}
		for name, part := range map[string]struct {
			ids  []int32
			each int
		}{"train": {s.Train, 20}, "val": {s.Val, 30}, "test": {s.Test, 30}} {
			count := [4]int{}
			for _, u := range part.ids {
				count[g.Labels[u]]++
			}
			if count != [4]int{part.each, part.each, part.each, part.each} || !slices.IsSorted(part.ids) {
				t.Errorf("%s has %d of the classes, want %d of each, ascending", name, count, part.each)
			}
		}
	}
	if !cmp.Equal(splits[0], splits[2]) {
		t.Error("the same seed drew two splits")
	}
	if cmp.Equal(splits[0].Train, splits[1].Train) || cmp.Equal(splits[0].Train, splits[3].Train) {
		t.Error("two seeds drew the same nodes")
	}
}

// Every node is as likely as any other to be drawn: 2,000 draws of 3 of 10, chi-squared over the nodes.
func TestPerClassIsUniform(t *testing.T) {
	g := labelled(t, 1, make([]int32, 10)...)
	seeds := make([]uint64, 2000)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	splits, err := parseSplit(t, "per-class:2/1").Draw(g, seeds)
	if err != nil {
		t.Fatal(err)
	}
	var train, val [10]float64
	for _, s := range splits {
		for _, u := range s.Train {
			train[u]++
		}
		val[s.Val[0]]++
	}
	for name, c := range map[string]struct {
		count    [10]float64
		expected float64
	}{"train": {train, 400}, "val": {val, 200}} {
		chi := 0.0
		for _, n := range c.count {
			chi += (n - c.expected) * (n - c.expected) / c.expected
		}
		if chi > 27.9 { // the 0.999 quantile with 9 degrees of freedom
			t.Errorf("%s: %v, chi-squared %.1f", name, c.count, chi)
		}
	}
}

func TestSplitsThatDoNotSuitTheGraphAreRefused(t *testing.T) {
	few := labelled(t, 3, 0, 0, 0, 1, 1, 2, -1)
	few.ClassNames = []string{"a", "b", "c"}
	none := newGraph(t, &format.Graph{Name: "bare", Nodes: 3}, All)
	for _, c := range []struct {
		g     *Graph
		rule  string
		wants []string
	}{
		{few, "per-class:2/1", []string{"class 1 (b) has 2", "class 2 (c) has 1", "needs 3"}},
		{few, "public", []string{"comes without a split"}},
		{few, "ratio:1/1000/1000", []string{"no node to train on"}},
		{none, "per-class:1/1", []string{"no labels"}},
	} {
		_, err := parseSplit(t, c.rule).Draw(c.g, []uint64{0})
		var usage *run.UsageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: %v, want a usage error", c.rule, err)
			continue
		}
		for _, want := range c.wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.rule, err, want)
			}
		}
	}
}

func TestRatioSplitsByShares(t *testing.T) {
	labels := make([]int32, 1000)
	labels[5] = -1
	g := labelled(t, 1, labels...)
	splits, err := parseSplit(t, "ratio:48/32/20").Draw(g, []uint64{1})
	if err != nil {
		t.Fatal(err)
	}
	s := splits[0]
	if got := [3]int{len(s.Train), len(s.Val), len(s.Test)}; got != [3]int{480, 320, 199} {
		t.Errorf("%d", got)
	}
	if err := s.check(g, "split", ""); err != nil {
		t.Error(err)
	}
}

// writeSplits writes an npz with matrices of that many columns.
func writeSplits(t *testing.T, parts map[string][][]int32) string {
	t.Helper()
	var named []npy.Named
	for _, name := range []string{"train", "val", "test"} {
		rows, ok := parts[name]
		if !ok {
			continue
		}
		var flat []int32
		cols := 0
		for _, r := range rows {
			flat = append(flat, r...)
			cols = len(r)
		}
		a, err := npy.New(flat, len(rows), cols)
		if err != nil {
			t.Fatal(err)
		}
		named = append(named, npy.Named{Name: name, Array: a})
	}
	path := filepath.Join(t.TempDir(), "splits.npz")
	if err := npy.WriteArchive(path, named, false); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSplitFiles(t *testing.T) {
	g := labelled(t, 2, 0, 1, 0, 1, -1, 0)
	type rows = [][]int32
	for _, c := range []struct {
		name  string
		parts map[string]rows
		runs  int
		want  []Split
		err   string // "usage" or part of a CorruptError
	}{
		{"test is the rest", map[string]rows{"train": {{3, 0}, {1, 2}}, "val": {{1}, {0}}}, 2,
			[]Split{{[]int32{0, 3}, []int32{1}, []int32{2, 5}}, {[]int32{1, 2}, []int32{0}, []int32{3, 5}}}, ""},
		{"empty test is the rest", map[string]rows{"train": {{0, 3}}, "val": {{1}}, "test": {}}, 1,
			[]Split{{[]int32{0, 3}, []int32{1}, []int32{2, 5}}}, ""},
		{"test is given", map[string]rows{"train": {{0, 3}}, "val": {{1}}, "test": {{5}}}, 1,
			[]Split{{[]int32{0, 3}, []int32{1}, []int32{5}}}, ""},
		{"too many runs", map[string]rows{"train": {{0}, {1}}, "val": {{1}, {0}}}, 3, nil, "usage"},
		{"out of range", map[string]rows{"train": {{0, 6}}, "val": {{1}}}, 1, nil, "node 6: found no such node, expected 0 … 5"},
		{"negative", map[string]rows{"train": {{0, -1}}, "val": {{1}}}, 1, nil, "node -1"},
		{"twice", map[string]rows{"train": {{2, 2}}, "val": {{1}}}, 1, nil, "node 2: found it twice"},
		{"in two parts", map[string]rows{"train": {{0}, {0}}, "val": {{1}, {0}}}, 2, nil, "val, row 1: node 0: found it in train as well"},
		{"no label", map[string]rows{"train": {{4}}, "val": {{1}}}, 1, nil, "node 4: found no label"},
		{"rows differ", map[string]rows{"train": {{0}, {1}}, "val": {{1}}}, 1, nil, "2 rows of train, 1 of val"},
		{"no train", map[string]rows{"train": {{}}, "val": {{1}}}, 1, nil, "train, row 0: found no nodes"},
		{"train missing", map[string]rows{"val": {{1}}}, 1, nil, "train"},
	} {
		path := writeSplits(t, c.parts)
		got, err := parseSplit(t, "file:"+path).Draw(g, make([]uint64, c.runs))
		var usage *run.UsageError
		var corrupt *format.CorruptError
		switch {
		case c.err == "":
			if err != nil || !cmp.Equal(got, c.want) {
				t.Errorf("%s: %v, %v", c.name, err, cmp.Diff(c.want, got))
			}
		case c.err == "usage":
			if !errors.As(err, &usage) {
				t.Errorf("%s: %v, want a usage error", c.name, err)
			}
		default:
			if !errors.As(err, &corrupt) || !strings.HasPrefix(corrupt.Path, path) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want a corrupt file and %q", c.name, err, c.err)
			}
		}
	}
	if _, err := parseSplit(t, "file:"+filepath.Join(t.TempDir(), "none.npz")).Draw(g, []uint64{0}); err == nil {
		t.Error("a missing file was no error")
	}
}

func TestTheGivenSplitsOfPhotoAndCS(t *testing.T) {
	for _, want := range []struct {
		data, file       string
		train, val, test int
	}{{"amazon-photo", "photo", 160, 240, 7087}, {"coauthor-cs", "cs", 300, 450, 17583}} {
		if testing.Short() && want.file == "cs" {
			continue
		}
		g := realGraph(t, want.data, Largest)
		rule := parseSplit(t, "file:"+realdata.Path(t, "data/graph/splits/"+want.file+".npz"))
		splits, err := rule.Draw(g, make([]uint64, 10))
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range splits {
			if got := [3]int{len(s.Train), len(s.Val), len(s.Test)}; got != [3]int{want.train, want.val, want.test} {
				t.Errorf("%s, row %d: %d, want %+v", want.file, i, got, want)
			}
		}
		if _, err := rule.Draw(g, make([]uint64, 11)); err == nil {
			t.Errorf("%s: 11 runs of 10 splits", want.file)
		}
	}
}
