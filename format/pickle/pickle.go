package pickle

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
)

// Read reads the file at path, which holds one pickle.
func Read(path string) (any, error) {
	content, err := format.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, 0, content)
}

// Parse reads one pickle, which must fill content. Errors name path and the offset of the opcode, counted from base.
// The time and the memory it takes are proportional to the length of content.
func Parse(path string, base int64, content []byte) (any, error) {
	m := machine{content: content, memo: map[uint32]any{}}
	for {
		at := m.pos
		op, err := m.take(1)
		if err == nil && op[0] == opStop {
			if len(m.stack) == 1 && m.pos == len(content) && m.stack[0] != (mark{}) {
				return m.stack[0], nil
			}
			err = fmt.Errorf("the end with %d values on the stack and %d bytes behind, expected one value and none", len(m.stack), len(content)-m.pos)
		} else if err == nil {
			err = m.step(op[0])
		}
		if err != nil {
			return nil, format.CorruptAt(path, base+int64(at), "pickle", "", "").WithCause(err).
				WithHint("only plain data, NumPy arrays and SciPy CSR matrices are read, and no code is executed")
		}
	}
}

// Describe tells what kind of value the file holds.
func Describe(path string) (format.Description, error) {
	v, err := Read(path)
	if err != nil {
		return format.Description{}, err
	}
	d := format.Description{Format: "pickle", Path: path, Title: "Python pickle (plain data and arrays)"}
	d.Add("type", typeName(v))
	switch v := v.(type) {
	case *Array:
		d.Add("shape", npy.ShapeString(v.Shape))
		d.Add("element type", v.DType)
	case *CSR:
		if v.built {
			d.Add("shape", npy.ShapeString([]int{v.Rows, v.Cols}))
			d.Add("entries", v.Data.Len())
			d.Add("element type", v.Data.DType)
		}
	case *Dict:
		d.Add("keys", len(v.Keys))
	case *List:
		d.Add("items", len(v.Items))
	case Tuple:
		d.Add("items", len(v))
	case string, []byte:
		if s, ok := text(v); ok {
			d.Add("value", strings.ToValidUTF8(s, "\ufffd"))
		}
	default:
		d.Add("value", v)
	}
	return d, nil
}

// Check reads the file and verifies the matrix or the array, if it holds one.
func Check(path string) error {
	v, err := Read(path)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *CSR:
		if !v.built {
			return format.CorruptAt(path, -1, "csr_matrix", "no content", "a state")
		}
		_, err = v.Sparse(path, "csr_matrix")
	case *Array:
		if err := v.Verify(); err != nil {
			return format.CorruptAt(path, -1, "ndarray", "", "").WithCause(err)
		}
	}
	return err
}
