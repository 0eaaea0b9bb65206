package graph

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/run"
)

// Split says which nodes train, validate and test: ids within the component, ascending, no node in two of them, every one
// with a label.
type Split struct {
	Train, Val, Test []int32
}

// SplitRule is how the split of each run is made: the parsed form of --split.
type SplitRule struct {
	Kind       string     // "public", "per-class", "ratio" or "file"
	Train, Val int        // per-class: nodes of each class
	Share      [3]float64 // ratio: of all nodes with a label
	Path       string     // file
}

// ParseSplit reads
//
//	public                 the split that the data set comes with
//	per-class:TRAIN/VAL    so many nodes of every class, drawn by the run's seed; the others test
//	ratio:TRAIN/VAL/TEST   shares of the nodes that have a label, drawn by the run's seed: 60/20/20
//	file:PATH              an npz archive with train [runs, a], val [runs, b] and test [runs, c]; run i uses row i; test
//	                       may be missing or empty: every other node that has a label
func ParseSplit(text string) (SplitRule, error) {
	kind, rest, _ := strings.Cut(text, ":")
	r := SplitRule{Kind: kind}
	switch kind {
	case "public":
		if rest != "" {
			break
		}
		return r, nil
	case "per-class":
		n, err := numbers(rest, 2, strconv.Atoi)
		if err != nil || n[0] < 1 || n[1] < 0 {
			break
		}
		r.Train, r.Val = n[0], n[1]
		return r, nil
	case "ratio":
		parts, err := numbers(rest, 3, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
		if err != nil || !(parts[0] > 0 && parts[1] >= 0 && parts[2] >= 0 && parts[0]+parts[1]+parts[2] < 1e9) {
			break
		}
		for i, p := range parts {
			r.Share[i] = p / (parts[0] + parts[1] + parts[2])
		}
		return r, nil
	case "file":
		if rest == "" {
			break
		}
		r.Path = rest
		return r, nil
	}
	return SplitRule{}, run.Usagef("split %q: expected public, per-class:TRAIN/VAL (as in per-class:20/30), ratio:TRAIN/VAL/TEST "+
		"or file:PATH", text)
}

// numbers reads n numbers between slashes.
func numbers[T any](text string, n int, parse func(string) (T, error)) ([]T, error) {
	parts := strings.Split(text, "/")
	if len(parts) != n {
		return nil, fmt.Errorf("expected %d numbers between slashes", n)
	}
	var out []T
	for _, p := range parts {
		v, err := parse(p)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// String writes the rule as ParseSplit reads it.
func (r SplitRule) String() string {
	switch r.Kind {
	case "per-class":
		return fmt.Sprintf("per-class:%d/%d", r.Train, r.Val)
	case "ratio":
		return fmt.Sprintf("ratio:%g/%g/%g", 100*r.Share[0], 100*r.Share[1], 100*r.Share[2])
	case "file":
		return "file:" + r.Path
	}
	return r.Kind
}

// Draw returns the splits of as many runs as there are seeds: run i's seed draws its split where the rule is a random one,
// and with a file run i uses row i. A rule that does not suit the graph is a *run.UsageError, a file that is damaged or
// names nodes that are not there a *format.CorruptError.
func (r SplitRule) Draw(g *Graph, seeds []uint64) ([]Split, error) {
	if g.Labels == nil {
		return nil, run.Usagef("split %s: the graph %s has no labels", r, g.Name)
	}
	if r.Kind == "file" {
		return readSplits(r.Path, g, len(seeds))
	}
	splits := make([]Split, 0, len(seeds))
	for _, seed := range seeds {
		var s Split
		var err error
		switch r.Kind {
		case "public":
			if g.Public == nil {
				return nil, run.Usagef("split public: the data set %s comes without a split; choose per-class:20/30, for example", g.Name)
			}
			s = *g.Public
		case "per-class":
			s, err = r.perClass(g, seed)
		case "ratio":
			s, err = r.ratio(g, seed)
		default:
			err = fmt.Errorf("split: unknown kind %q", r.Kind)
		}
		if err != nil {
			return nil, err
		}
		splits = append(splits, s)
	}
	return splits, nil
}

// perClass draws nodes of each class without replacement.
func (r SplitRule) perClass(g *Graph, seed uint64) (Split, error) {
	members := make([][]int32, g.Classes)
	for u, label := range g.Labels {
		if label >= 0 {
			members[label] = append(members[label], int32(u))
		}
	}
	var short []string
	for class, nodes := range members {
		if len(nodes) < r.Train+r.Val {
			short = append(short, fmt.Sprintf("%s has %d", g.className(class), len(nodes)))
		}
	}
	if len(short) > 0 {
		return Split{}, run.Usagef("split %s: every class needs %d nodes in %s, but %s; take fewer per class",
			r, r.Train+r.Val, g.Name, strings.Join(short, ", "))
	}
	var s Split
	for class, nodes := range members {
		shuffle(nodes, r.Train+r.Val, kernel.Key{Seed: seed, Stream: splitStream, Step: uint64(class)})
		s.Train = append(s.Train, nodes[:r.Train]...)
		s.Val = append(s.Val, nodes[r.Train:r.Train+r.Val]...)
		s.Test = append(s.Test, nodes[r.Train+r.Val:]...)
	}
	s.sort()
	return s, nil
}

// ratio draws shares of the nodes that have a label.
func (r SplitRule) ratio(g *Graph, seed uint64) (Split, error) {
	var nodes []int32
	for u, label := range g.Labels {
		if label >= 0 {
			nodes = append(nodes, int32(u))
		}
	}
	train := int(r.Share[0]*float64(len(nodes)) + 0.5)
	val := min(int(r.Share[1]*float64(len(nodes))+0.5), len(nodes)-train)
	if train == 0 {
		return Split{}, run.Usagef("split %s: no node to train on among the %d of %s that have a label", r, len(nodes), g.Name)
	}
	shuffle(nodes, len(nodes), kernel.Key{Seed: seed, Stream: splitStream, Step: uint64(g.Classes)})
	s := Split{Train: nodes[:train:train], Val: nodes[train : train+val : train+val], Test: nodes[train+val:]}
	s.sort()
	return s, nil
}

func (g *Graph) className(class int) string {
	if g.ClassNames != nil {
		return fmt.Sprintf("class %d (%s)", class, g.ClassNames[class])
	}
	return fmt.Sprintf("class %d", class)
}

func (s *Split) sort() {
	slices.Sort(s.Train)
	slices.Sort(s.Val)
	slices.Sort(s.Test)
}
