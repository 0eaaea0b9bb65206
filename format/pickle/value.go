package pickle

import (
	"fmt"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
)

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list. A hostile pickle can make it hold itself: do not walk it without a bound on depth.
type List struct{ Items []any }

// Dict is a Python dict whose keys are int64 or string (Python 2 strings become string here), in the order of the file.
type Dict struct {
	Keys   []any
	Values []any

	index map[any]int
}

// Get returns the value of a key.
func (d *Dict) Get(key any) (any, bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.Values[i], true
}

// maxText is the longest string that is ever copied or used as a key: one long string, fetched from the memo again and
// again, must not multiply.
const maxText = 256

// set adds a key; keys are unique in every pickle that Python writes.
func (d *Dict) set(key, value any) error {
	if _, ok := key.(int64); !ok {
		s, ok := text(key)
		if !ok {
			return fmt.Errorf("a %s as key of a dict, expected an int or at most %d characters", typeName(key), maxText)
		}
		key = s
	}
	if _, ok := d.index[key]; ok {
		return fmt.Errorf("key %v twice in a dict", key)
	}
	if d.index == nil {
		d.index = map[any]int{}
	}
	d.index[key] = len(d.Keys)
	d.Keys = append(d.Keys, key)
	d.Values = append(d.Values, value)
	return nil
}

// Array is a numpy.ndarray: numbers or text in Array, or, where its type is 'O', Objects in the order of the file.
type Array struct {
	npy.Array
	Objects []any

	built bool
}

// CSR is a scipy.sparse.csr_matrix of Rows × Cols.
type CSR struct {
	Rows, Cols            int
	Indptr, Indices, Data *npy.Array

	built bool
}

// Sparse converts and verifies the matrix; path and what name it in errors.
func (m *CSR) Sparse(path, what string) (*format.Sparse, error) {
	s := &format.Sparse{Rows: m.Rows, Cols: m.Cols}
	var err error
	if s.Indptr, err = m.Indptr.Int64s(); err == nil {
		if s.Indices, err = m.Indices.Int32s(); err == nil {
			s.Values, err = m.Data.Float32s()
		}
	}
	if err != nil {
		return nil, format.CorruptAt(path, -1, what, "", "").WithCause(err)
	}
	return s, s.Validate(path, what)
}

// typeName names a value's Python type.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64:
		return "int"
	case string, []byte:
		return "string"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case *Array:
		return "ndarray"
	case *npy.DType:
		return "dtype"
	case *CSR:
		return "csr_matrix"
	case global:
		return string(v)
	default:
		return "mark"
	}
}

// text returns a short string of either kind.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, len(v) <= maxText
	case []byte:
		if len(v) <= maxText {
			return string(v), true
		}
	}
	return "", false
}
