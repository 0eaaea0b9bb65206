package kcore

import (
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/table"
)

// The lists of pairs that are no text: .u32 and .u64 files are nothing but ids, little endian, two an edge.
var (
	pairs32 = detect.Kind{Name: "u32", Title: "file of pairs of uint32"}
	pairs64 = detect.Kind{Name: "u64", Title: "file of pairs of uint64"}
)

// recognisePairs knows what only here is a list of edges: an array or a table of pairs, and files of bare ids.
func recognisePairs(path string, kind detect.Kind) (detect.Kind, bool) {
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case ext == ".u32":
		return pairs32, true
	case ext == ".u64":
		return pairs64, true
	case kind.Name == "npy" || kind.Name == "parquet":
		return kind, true
	}
	return kind, false
}

// readPairs reads a list of any kind, see edgelist.ReadPairs; those that are no text are read by worker 0.
func readPairs(path string, kind detect.Kind, workers int, emit func(worker int, ids []int64) error) (counts edgelist.PairCounts, err error) {
	some := func(ids []int64) error {
		counts.Pairs += int64(len(ids) / 2)
		return emit(0, ids)
	}
	switch kind.Name {
	case "npy":
		err = readNPYPairs(path, some)
	case "parquet":
		err = readParquetPairs(path, some)
	case "u32":
		err = readBarePairs(path, 4, some)
	case "u64":
		err = readBarePairs(path, 8, some)
	default:
		return edgelist.ReadPairs(path, workers, emit)
	}
	if err == nil && counts.Pairs == 0 {
		err = format.CorruptAt(path, -1, "edge list", "no edge", "pairs of ids")
	}
	return counts, err
}

// countPairs says how long a list that is no text is: in bytes, and in pairs.
func countPairs(path string, kind detect.Kind) (bytes, pairs int64, err error) {
	s, err := format.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	switch kind.Name {
	case "npy":
		f, err := npy.NewFile(s)
		if err != nil {
			return 0, 0, err
		}
		return s.Size, int64(f.Rows()), nil
	case "parquet":
		f, err := parquet.Open(path, table.Options{})
		if err != nil {
			return 0, 0, err
		}
		return s.Size, int64(f.Rows), nil
	case "u32":
		return s.Size, s.Size / 8, nil
	}
	return s.Size, s.Size / 16, nil
}

// hasTextColumn says whether the ids in a Parquet table are texts; what is wrong with it, its reader will say.
func hasTextColumn(path string) bool {
	f, err := parquet.Open(path, table.Options{})
	return err == nil && len(f.Columns) > 1 && f.Columns[0].Kind == table.Text && f.Columns[1].Kind == table.Text
}

// pairsAtOnce is how many pairs are read before they are emitted.
const pairsAtOnce = 2048

func readNPYPairs(path string, emit func(ids []int64) error) error {
	f, err := npy.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if len(f.Shape) != 2 || f.Shape[1] != 2 {
		return format.CorruptAt(path, -1, "edge list", "an array of shape "+npy.ShapeString(f.Shape), "whole numbers of shape (n, 2)")
	}
	for lo := 0; lo < f.Rows(); lo += pairsAtOnce {
		a, err := f.ReadRows(lo, min(lo+pairsAtOnce, f.Rows()))
		if err != nil {
			return err
		}
		ids, err := a.Int64s()
		if err != nil {
			return format.CorruptAt(path, a.Offset, "edge list", "", "").WithCause(err)
		}
		for i, id := range ids {
			if id < 0 {
				return format.CorruptAt(path, -1, fmt.Sprintf("row %d", lo+i/2), fmt.Sprint(id), "an id, 0 … 2^63−1")
			}
		}
		if err := emit(ids); err != nil {
			return err
		}
	}
	return nil
}

// pairColumns are the first two columns of a block, which hold the ids.
func pairColumns(path string, t *table.Table, kind table.Kind) (u, v *table.Column, err error) {
	if len(t.Columns) < 2 || t.Columns[0].Kind != kind || t.Columns[1].Kind != kind {
		var found []string
		for _, c := range t.Columns {
			found = append(found, fmt.Sprintf("%s (%s)", c.Name, c.Kind))
		}
		return nil, nil, format.CorruptAt(path, -1, "columns", strings.Join(found, ", "), fmt.Sprintf("ids (%s) in the first two", kind))
	}
	u, v = &t.Columns[0], &t.Columns[1]
	if u.Missing+v.Missing > 0 {
		return nil, nil, format.CorruptAt(path, -1, "columns", fmt.Sprintf("%d missing ids", u.Missing+v.Missing), "two ids a row")
	}
	return u, v, nil
}

func readParquetPairs(path string, emit func(ids []int64) error) error {
	f, err := parquet.Open(path, table.Options{})
	if err != nil {
		return err
	}
	ids, row := make([]int64, 0, 2*pairsAtOnce), 0
	for t, err := range f.Blocks(pairsAtOnce) {
		if err != nil {
			return err
		}
		u, v, err := pairColumns(path, t, table.Int)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for i, id := range u.Ints {
			if id < 0 || v.Ints[i] < 0 {
				return format.CorruptAt(path, -1, fmt.Sprintf("row %d", row+i), fmt.Sprintf("ids %d and %d", id, v.Ints[i]), "ids, 0 … 2^63−1")
			}
			ids = append(ids, id, v.Ints[i])
		}
		row += t.Rows
		if err := emit(ids); err != nil {
			return err
		}
	}
	return nil
}

// readParquetNames is readParquetPairs for ids that are texts.
func readParquetNames(path string, emit func(worker int, names [][]byte) error) (counts edgelist.PairCounts, err error) {
	f, err := parquet.Open(path, table.Options{})
	if err != nil {
		return counts, err
	}
	var names [][]byte
	for t, err := range f.Blocks(pairsAtOnce) {
		if err != nil {
			return counts, err
		}
		u, v, err := pairColumns(path, t, table.Text)
		if err != nil {
			return counts, err
		}
		names = names[:0]
		for i := range t.Rows {
			names = append(names, []byte(u.Values[u.Codes[i]]), []byte(v.Values[v.Codes[i]])) // none is missing
		}
		for _, name := range names {
			if len(name) == 0 || len(name) > edgelist.LongestName || strings.ContainsAny(string(name), "\n") {
				return counts, format.CorruptAt(path, -1, "id", fmt.Sprintf("%.40q of %d bytes", name, len(name)), fmt.Sprintf("a line of 1 … %d bytes", edgelist.LongestName))
			}
		}
		counts.Pairs += int64(t.Rows)
		if err := emit(0, names); err != nil {
			return counts, err
		}
	}
	return counts, nil
}

// readBarePairs reads pairs of ids of so many bytes each.
func readBarePairs(path string, width int, emit func(ids []int64) error) error {
	s, err := format.OpenStream(path)
	if err != nil {
		return err
	}
	defer s.Close()
	if s.Size%int64(2*width) != 0 {
		return format.CorruptAt(path, s.Size, "size", fmt.Sprintf("%d bytes", s.Size), fmt.Sprintf("a multiple of %d: two ids an edge", 2*width))
	}
	raw, ids := make([]byte, pairsAtOnce*2*width), make([]int64, 0, 2*pairsAtOnce)
	for at := int64(0); at < s.Size; at += int64(len(raw)) {
		raw = raw[:min(int64(len(raw)), s.Size-at)]
		if _, err := io.ReadFull(s, raw); err != nil {
			return format.ReadError(path, at, "ids", err)
		}
		ids = ids[:0]
		for i := 0; i < len(raw); i += width {
			if width == 4 {
				ids = append(ids, int64(binary.LittleEndian.Uint32(raw[i:])))
				continue
			}
			id := int64(binary.LittleEndian.Uint64(raw[i:]))
			if id < 0 {
				return format.CorruptAt(path, at+int64(i), "id", fmt.Sprint(uint64(id)), "0 … 2^63−1")
			}
			ids = append(ids, id)
		}
		if err := emit(ids); err != nil {
			return err
		}
	}
	return nil
}
