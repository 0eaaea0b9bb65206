package ogb

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

// readLabels reads the class of each node.
func (s *Set) readLabels(g *format.Graph, t *format.Text) error {
	g.Labels = format.Reserve[int32](int64(s.Nodes), t.Size)
	err := readLines(t, "labels", int64(s.Nodes), func() error {
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

// readSplit reads the node ids of the split.
func (s *Set) readSplit(g *format.Graph) error {
	for _, part := range []struct {
		file string
		to   *[]int32
	}{{"train", &g.Train}, {"valid", &g.Val}, {"test", &g.Test}} {
		err := s.parse("split/"+s.Scheme+"/"+part.file, false, func(t *format.Text) (err error) {
			*part.to, err = s.readIDs(t)
			return err
		})
		if err != nil {
			return err
		}
	}
	all := slices.Concat(g.Train, g.Val, g.Test)
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			return format.CorruptAt(filepath.Join(s.Dir, "split", s.Scheme), -1, "split", fmt.Sprintf("node %d twice", all[i]), "each node once, in one part")
		}
	}
	return nil
}

// readIDs reads one part of the split.
func (s *Set) readIDs(t *format.Text) ([]int32, error) {
	ids := []int32{} // not nil: the split is there, though this part of it may be empty
	for t.Next() {
		id, err := t.Natural("node of the split", 0, int64(s.Nodes)-1)
		if err != nil {
			return nil, err
		}
		if t.More() {
			return nil, t.Corrupt("node of the split", "several columns", "one node id a line", "")
		}
		ids = append(ids, int32(id))
	}
	return ids, t.Err()
}
