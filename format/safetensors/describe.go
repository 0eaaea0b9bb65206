package safetensors

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// Describe tells what a checkpoint holds, from its headers alone.
func Describe(path string) (format.Description, error) {
	f, err := Open(path)
	if err != nil {
		return format.Description{}, err
	}
	defer f.Close()
	d := format.Description{Format: "safetensors", Path: path, Title: fmt.Sprintf("safetensors checkpoint of %d tensors", len(f.Tensors))}
	var elements int
	var bytes int64
	d.Columns = []string{"tensor", "type", "shape", "bytes"}
	for _, t := range f.Tensors {
		elements += t.Len()
		bytes += t.Bytes
		shape := "scalar"
		if len(t.Shape) > 0 {
			shape = strings.ReplaceAll(strings.Trim(fmt.Sprint(t.Shape), "[]"), " ", " × ")
		}
		d.Rows = append(d.Rows, []string{t.Name, string(t.DType), shape, fmt.Sprint(t.Bytes)})
	}
	d.Add("elements", elements)
	d.Add("bytes", bytes)
	if len(f.Shards) > 1 {
		d.Add("shards", len(f.Shards))
	}
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		d.Add("metadata "+key, f.Metadata[key])
	}
	if f.Unlisted > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d tensors of the shards are not in the index and are ignored", f.Unlisted))
	}
	return d, nil
}

// Check verifies headers, ranges and index, and reads every byte.
func Check(path string) error {
	f, err := Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for _, t := range f.Tensors {
		for at := int64(0); at < t.Bytes; at += int64(len(buf)) {
			block := buf[:min(int64(len(buf)), t.Bytes-at)]
			if err := t.ReadAt(block, at); err != nil {
				return err
			}
			if t.DType != Bool {
				continue
			}
			if i := slices.IndexFunc(block, func(b byte) bool { return b > 1 }); i >= 0 {
				return t.source.Corrupt(t.offset+at+int64(i), fmt.Sprintf("tensor %q", t.Name), fmt.Sprint(block[i]), "a boolean, 0 or 1")
			}
		}
	}
	return nil
}
