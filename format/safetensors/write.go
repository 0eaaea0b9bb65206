package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/format"
)

// Input is a tensor to write. Data yields its bytes, row-major and little-endian, exactly as many as shape and type demand.
type Input struct {
	Name  string
	DType DType
	Shape []int
	Data  io.Reader
}

// Float32 returns the input for a float32 tensor in memory. It is written when Write runs: do not change data before.
func Float32(name string, shape []int, data []float32) Input {
	return Input{Name: name, DType: F32, Shape: shape, Data: bytes.NewReader(format.Bytes(data))}
}

// Write writes path atomically. Tensors are stored by type, the widest first, then by name, as the reference implementation
// does: the same tensors give the same bytes in whatever order they come.
func Write(path string, tensors []Input, metadata map[string]string) error {
	return format.WriteFile(path, func(w io.Writer) error { return Encode(w, tensors, metadata) })
}

// Encode writes the bytes of a safetensors file to w.
func Encode(w io.Writer, tensors []Input, metadata map[string]string) error {
	sorted := slices.SortedFunc(slices.Values(tensors), func(a, b Input) int {
		return cmp.Or(cmp.Compare(b.DType.rank(), a.DType.rank()), cmp.Compare(a.Name, b.Name))
	})
	head, err := encodeHeader(sorted, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head)))); err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, t := range sorted {
		want, _ := size(t.DType, t.Shape)
		n, err := io.Copy(w, io.LimitReader(t.Data, want+1))
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if n != want {
			return fmt.Errorf("tensor %q: its data yield %d bytes or more, expected %d for shape %v of %s", t.Name, n, want, t.Shape, t.DType)
		}
	}
	return nil
}

// encodeHeader returns the JSON header, padded with blanks so that the data begin at a multiple of 8.
func encodeHeader(sorted []Input, metadata map[string]string) ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	add := func(name string, value any) error {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		for _, part := range []struct {
			value any
			end   string
		}{{name, ":"}, {value, ""}} {
			text, err := marshal(part.value)
			if err != nil {
				return err
			}
			out.Write(text)
			out.WriteString(part.end)
		}
		return nil
	}
	if len(metadata) > 0 {
		if err := add("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{"__metadata__": true}
	var at int64
	for _, t := range sorted {
		n, ok := size(t.DType, t.Shape)
		if !ok || t.DType.Bits() == 0 {
			return nil, fmt.Errorf("tensor %q: shape %v of type %q is not possible", t.Name, t.Shape, t.DType)
		}
		if !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("tensor %q: the name is not UTF-8", t.Name)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %q: the name is used twice or reserved", t.Name)
		}
		seen[t.Name] = true
		entry := struct {
			DType   DType    `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int64{at, at + n}}
		if err := add(t.Name, entry); err != nil {
			return nil, err
		}
		at += n
	}
	out.WriteByte('}')
	for out.Len()%8 != 0 {
		out.WriteByte(' ')
	}
	if out.Len() > maxHeader {
		return nil, fmt.Errorf("header of %d bytes: expected at most %d; write shards", out.Len(), maxHeader)
	}
	return out.Bytes(), nil
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// WriteShards writes a checkpoint into a folder: BASE.safetensors where it fits into maxBytes of data, else files
// BASE-00001-of-0000N.safetensors of at most maxBytes each (a larger tensor gets one of its own) and, last, their index
// BASE.safetensors.index.json. Tensors are packed in the order given. It returns the path to open the checkpoint by.
func WriteShards(dir, base string, tensors []Input, metadata map[string]string, maxBytes int64) (string, error) {
	var shards [][]Input
	var filled, total int64
	for _, t := range tensors {
		n, ok := size(t.DType, t.Shape)
		if !ok {
			return "", fmt.Errorf("tensor %q: shape %v of type %q is not possible", t.Name, t.Shape, t.DType)
		}
		if len(shards) == 0 || filled > 0 && n > maxBytes-filled {
			shards = append(shards, nil)
			filled = 0
		}
		shards[len(shards)-1] = append(shards[len(shards)-1], t)
		filled += n
		total += n
	}
	if len(shards) <= 1 {
		path := filepath.Join(dir, base+".safetensors")
		return path, Write(path, tensors, metadata)
	}
	places := map[string]string{}
	for i, shard := range shards {
		name := fmt.Sprintf("%s-%05d-of-%05d.safetensors", base, i+1, len(shards))
		for _, t := range shard {
			if places[t.Name] != "" {
				return "", fmt.Errorf("tensor %q: the name is used twice", t.Name)
			}
			places[t.Name] = name
		}
		if err := Write(filepath.Join(dir, name), shard, metadata); err != nil {
			return "", err
		}
	}
	index, err := json.MarshalIndent(map[string]any{"metadata": map[string]int64{"total_size": total}, "weight_map": places}, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, base+".safetensors.index.json")
	return path, format.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(append(index, '\n'))
		return err
	})
}
