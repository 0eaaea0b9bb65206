package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// File is an open checkpoint: one file, or all shards of an index. Safe for concurrent reads.
type File struct {
	Tensors  []Tensor          // by name
	Metadata map[string]string // of all shards; nil where there is none
	Shards   []string          // names of the files, as they are in the index; one for a single file

	// Unlisted counts the tensors of shards that the index does not mention and that are left out.
	Unlisted int

	sources []*format.Source
}

// Open opens a .safetensors file, or, where path ends in ".json", the index of a sharded checkpoint. Close it after use.
func Open(path string) (*File, error) {
	if strings.HasSuffix(path, ".json") {
		return openIndex(path)
	}
	s, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := New(s)
	if err != nil {
		s.Close()
	}
	return f, err
}

// New is Open for a source that is open already; Close closes it.
func New(s *format.Source) (*File, error) {
	h, err := readHeader(s)
	if err != nil {
		return nil, err
	}
	f := &File{Tensors: h.tensors, Metadata: h.metadata, Shards: []string{s.Path}, sources: []*format.Source{s}}
	f.sort()
	return f, nil
}

func (f *File) sort() {
	slices.SortFunc(f.Tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
}

// Close closes all files.
func (f *File) Close() error {
	var err error
	for _, s := range f.sources {
		err = errors.Join(err, s.Close())
	}
	return err
}

// Tensor finds a tensor by name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := slices.BinarySearchFunc(f.Tensors, name, func(t Tensor, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return Tensor{}, false
	}
	return f.Tensors[i], true
}

// Len returns the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// ReadAt fills dst with the bytes of the tensor from offset on.
func (t Tensor) ReadAt(dst []byte, offset int64) error {
	if offset < 0 || int64(len(dst)) > t.Bytes-offset {
		return fmt.Errorf("read tensor %q: %d bytes at %d asked for, it has %d", t.Name, len(dst), offset, t.Bytes)
	}
	return t.source.ReadFull(dst, t.offset+offset, fmt.Sprintf("tensor %q", t.Name))
}

// Float32s reads a whole tensor of type F32, F16, BF16 or F64 as float32; F64 is rounded to nearest.
func (t Tensor) Float32s() ([]float32, error) {
	if t.DType == F32 && format.LittleEndian {
		dst := make([]float32, t.Len())
		return dst, t.ReadAt(format.Bytes(dst), 0)
	}
	var convert func(b []byte) float32
	switch t.DType {
	case F32:
		convert = func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	case F64:
		convert = func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	case BF16:
		convert = func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }
	case F16:
		convert = func(b []byte) float32 { return format.HalfToFloat32(binary.LittleEndian.Uint16(b)) }
	default:
		return nil, fmt.Errorf("read tensor %q: type %s, expected F32, F16, BF16 or F64", t.Name, t.DType)
	}
	raw := make([]byte, t.Bytes)
	if err := t.ReadAt(raw, 0); err != nil {
		return nil, err
	}
	size := t.DType.Bits() / 8
	dst := make([]float32, t.Len())
	for i := range dst {
		dst[i] = convert(raw[i*size:])
	}
	return dst, nil
}
