package ogb

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

// readLabels reads the class of each node, if there is a file of them.
func (s *Set) readLabels(g *format.Graph) error {
	t, err := s.open(labelFile, true)
	if t == nil {
		return err
	}
	defer t.Close()
	g.Labels = format.Reserve[int32](int64(s.Nodes), t.Size)
	err = s.readRows(t, int64(s.Nodes), "labels", func() error {
		field, _ := t.Field()
		label, ok := parseLabel(field)
		if !ok || label >= int64(s.Nodes) { // more classes than nodes are a mistake, and would claim memory
			return t.Corrupt("label", fmt.Sprintf("%.40q", field), fmt.Sprintf("nan or a class 0 … %d", s.Nodes-1), "")
		}
		if t.More() {
			return t.Corrupt("label", "several columns", "one", "sets with several labels a node (ogbn-proteins) are not supported")
		}
		g.Labels = append(g.Labels, int32(label))
		return nil
	})
	if err == nil {
		g.Classes = int(slices.Max(g.Labels)) + 1
	}
	return err
}

// parseLabel reads "3", "3.0" or "nan" (no label: −1).
func parseLabel(field []byte) (int64, bool) {
	if bytes.EqualFold(field, []byte("nan")) {
		return -1, true
	}
	return format.ParseNatural(bytes.TrimSuffix(field, []byte(".0")))
}

// readSplit reads the node ids of the split, if there is one.
func (s *Set) readSplit(g *format.Graph) error {
	if s.Scheme == "" {
		return nil
	}
	taken := make([]bool, s.Nodes)
	for _, part := range []struct {
		file string
		to   *[]int32
	}{{"train", &g.Train}, {"valid", &g.Val}, {"test", &g.Test}} {
		ids, err := s.readIDs("split/"+s.Scheme+"/"+part.file, taken)
		if err != nil {
			return err
		}
		*part.to = ids
	}
	return nil
}

// readIDs reads one part of the split, none of whose nodes may be taken.
func (s *Set) readIDs(file string, taken []bool) ([]int32, error) {
	t, err := s.open(file, false)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	ids := []int32{} // not nil: the split is there, though this part of it may be empty
	for t.Next() {
		id, err := t.Natural("node of the split", 0, int64(s.Nodes)-1)
		if err != nil {
			return nil, err
		}
		if taken[id] {
			return nil, t.Corrupt("node of the split", fmt.Sprintf("%d for the second time", id), "each node once, in one part", "")
		}
		if t.More() {
			return nil, t.Corrupt("node of the split", "several columns", "one node id a line", "")
		}
		taken[id] = true
		ids = append(ids, int32(id))
	}
	return ids, t.Err()
}
