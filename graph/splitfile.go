package graph

import (
	"fmt"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/run"
)

// readSplits reads the first rows of a split file.
func readSplits(path string, g *Graph, runs int) ([]Split, error) {
	a, err := npy.OpenArchive(path)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	train, err := splitRows(a, "train")
	if err != nil {
		return nil, err
	}
	val, err := splitRows(a, "val")
	if err != nil {
		return nil, err
	}
	var test [][]int32
	if a.Has("test") {
		if test, err = splitRows(a, "test"); err != nil {
			return nil, err
		}
	}
	if len(val) != len(train) || test != nil && len(test) != len(train) {
		found := fmt.Sprintf("%d rows of train, %d of val, %d of test", len(train), len(val), len(test))
		return nil, format.CorruptAt(path, -1, "splits", found, "as many of each, or no test")
	}
	if runs > len(train) {
		return nil, run.Usagef("split file:%s holds %d splits, too few for %d runs; give --seeds %d or fewer",
			path, len(train), runs, len(train))
	}
	splits := make([]Split, runs)
	for i := range splits {
		s := Split{Train: train[i], Val: val[i]}
		if test != nil {
			s.Test = test[i]
		}
		s.sort()
		if err := s.check(g, path, fmt.Sprintf(", row %d", i)); err != nil {
			return nil, err
		}
		if test == nil {
			s.Test = g.others(&s)
		}
		splits[i] = s
	}
	return splits, nil
}

// splitRows reads a matrix of node ids, or one row of them; nil where it has no elements.
func splitRows(a *npy.Archive, name string) ([][]int32, error) {
	array, err := a.Read(name)
	if err != nil {
		return nil, err
	}
	bad := func(found, expected string) *format.CorruptError {
		return format.CorruptAt(a.MemberPath(name), -1, "array "+name, found, expected)
	}
	if array.Len() == 0 && name == "test" {
		return nil, nil
	}
	shape := array.Shape
	if len(shape) == 1 {
		shape = []int{1, shape[0]}
	}
	if len(shape) != 2 {
		return nil, bad("shape "+npy.ShapeString(array.Shape), "runs × nodes")
	}
	ids, err := array.Int32s()
	if err != nil {
		return nil, bad("", "").WithCause(err)
	}
	rows := make([][]int32, 0, min(shape[0], len(ids)+1))
	for i := range shape[0] {
		if shape[1] == 0 && i > 0 {
			break // rows without elements would be an unverified claim
		}
		rows = append(rows, ids[i*shape[1]:(i+1)*shape[1]])
	}
	return rows, nil
}

// others returns the nodes with a label that neither train nor validate.
func (g *Graph) others(s *Split) []int32 {
	used := make([]bool, g.Nodes)
	for _, list := range [][]int32{s.Train, s.Val} {
		for _, id := range list {
			used[id] = true
		}
	}
	var rest []int32
	for u, label := range g.Labels {
		if label >= 0 && !used[u] {
			rest = append(rest, int32(u))
		}
	}
	return rest
}

// check verifies what the comment of Split says, for lists that are sorted. Its error is a *format.CorruptError that names
// path; which says which split of the file it is.
func (s *Split) check(g *Graph, path, which string) error {
	names := [...]string{"train", "val", "test"}
	part := make([]uint8, g.Nodes) // of each node: 1 + its place in names
	for p, list := range [][]int32{s.Train, s.Val, s.Test} {
		for _, id := range list {
			bad := func(found, expected string) error {
				return format.CorruptAt(path, -1, fmt.Sprintf("%s%s: node %d", names[p], which, id), found, expected)
			}
			switch {
			case id < 0 || int(id) >= g.Nodes:
				return bad("no such node", fmt.Sprintf("0 … %d, counted within the component", g.Nodes-1))
			case part[id] == uint8(p+1):
				return bad("it twice", "each node once")
			case part[id] != 0:
				return bad("it in "+names[part[id]-1]+" as well", "parts without a common node")
			case g.Labels[id] < 0:
				return bad("no label", "nodes that have one")
			}
			part[id] = uint8(p + 1)
		}
	}
	if len(s.Train) == 0 {
		return format.CorruptAt(path, -1, "train"+which, "no nodes", "at least one")
	}
	return nil
}
