package pickle

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/format/npy"
)

// global is a name that a pickle may mention. There are these and no others; each does something only in the one place
// where it belongs (call and newObject), and nothing is looked up or executed.
type global string

const (
	globalCSR         global = "scipy.sparse.csr csr_matrix"
	globalReconstruct global = "numpy.core.multiarray _reconstruct"
	globalNdarray     global = "numpy ndarray"
	globalDtype       global = "numpy dtype"
	globalDefaultDict global = "collections defaultdict"
	globalList        global = "__builtin__ list"
)

var allowed = map[global]bool{
	globalCSR: true, globalReconstruct: true, globalNdarray: true, globalDtype: true, globalDefaultDict: true, globalList: true,
}

// allowedGlobals is the list for error messages.
const allowedGlobals = "csr_matrix, numpy._reconstruct, ndarray, dtype, defaultdict or list"

// call is REDUCE: what the function named by f makes of args.
func call(f any, args Tuple) (any, error) {
	switch f {
	case globalReconstruct:
		if len(args) == 3 && args[0] == globalNdarray {
			return &Array{}, nil
		}
	case globalDtype:
		if len(args) >= 1 {
			if descr, ok := text(args[0]); ok {
				t, err := npy.ParseDType(descr)
				return &t, err
			}
		}
	case globalDefaultDict:
		if len(args) == 1 && args[0] == globalList {
			return &Dict{}, nil
		}
	}
	return nil, fmt.Errorf("a call of %s with %d arguments", typeName(f), len(args))
}

// newObject is NEWOBJ.
func newObject(class any, args Tuple) (any, error) {
	if class == globalCSR && len(args) == 0 {
		return &CSR{}, nil
	}
	return nil, fmt.Errorf("a new %s with %d arguments", typeName(class), len(args))
}

// build is BUILD: it gives an object its state, once.
func build(object, state any) error {
	switch object := object.(type) {
	case *npy.DType:
		return buildDtype(object, state)
	case *Array:
		return buildArray(object, state)
	case *CSR:
		return buildCSR(object, state)
	}
	return fmt.Errorf("a state for a %s", typeName(object))
}

// buildDtype takes (3, '<', None, None, None, -1, -1, 0): of it, the byte order.
func buildDtype(t *npy.DType, state any) error {
	s, ok := state.(Tuple)
	if !ok || len(s) < 2 || s[0] != int64(3) {
		return fmt.Errorf("the state of a dtype that is not (3, ORDER, …)")
	}
	order, _ := text(s[1])
	if len(order) != 1 || !strings.Contains("<>|=", order) {
		return fmt.Errorf("a dtype with byte order %q", order)
	}
	t.Big = order == ">" && t.Size > 1
	return nil
}

// buildArray takes (1, shape, dtype, fortran, content): raw bytes, or a list of objects.
func buildArray(a *Array, state any) error {
	s, ok := state.(Tuple)
	if !ok || len(s) != 5 || s[0] != int64(1) {
		return fmt.Errorf("the state of an ndarray that is not (1, shape, dtype, order, content)")
	}
	if a.built {
		return fmt.Errorf("a second state for an ndarray")
	}
	dims, ok1 := s[1].(Tuple)
	dtype, ok2 := s[2].(*npy.DType)
	fortran, ok3 := truth(s[3])
	raw, isRaw := s[4].([]byte)
	list, isList := s[4].(*List)
	if !ok1 || !ok2 || !ok3 || isRaw == (dtype.Kind == 'O') || !isRaw && !isList {
		return fmt.Errorf("the state of an ndarray of types (%s, %s, %s, %s)", typeName(s[1]), typeName(s[2]), typeName(s[3]), typeName(s[4]))
	}
	shape := make([]int, len(dims))
	for i, d := range dims {
		size, ok := d.(int64)
		if !ok || size < 0 {
			return fmt.Errorf("an ndarray of a shape with a %s, or below zero", typeName(d))
		}
		shape[i] = int(size)
	}
	a.built = true
	a.Array = npy.Array{DType: *dtype, Fortran: fortran, Shape: shape, Data: raw}
	if err := a.Verify(); err != nil {
		return err
	}
	if isList {
		if len(list.Items) != a.Len() {
			return fmt.Errorf("an ndarray of shape %v with %d objects", shape, len(list.Items))
		}
		a.Objects = list.Items
	}
	return nil
}

// buildCSR takes a dict with _shape, indptr, indices and data; the rest (maxprint, flags) does not matter.
func buildCSR(m *CSR, state any) error {
	d, ok := state.(*Dict)
	if !ok || m.built {
		return fmt.Errorf("the state of a csr_matrix that is a %s or comes twice", typeName(state))
	}
	if name, ok := d.Get("format"); ok { // newer versions of SciPy leave it out
		if name, _ := text(name); name != "csr" {
			return fmt.Errorf("a csr_matrix of format %q", name)
		}
	}
	value, _ := d.Get("_shape")
	shape, _ := value.(Tuple)
	if len(shape) != 2 {
		return fmt.Errorf("a csr_matrix without a _shape of two sizes")
	}
	rows, ok1 := shape[0].(int64)
	cols, ok2 := shape[1].(int64)
	if !ok1 || !ok2 || rows < 0 || cols < 0 {
		return fmt.Errorf("a csr_matrix of shape (%v, %v)", shape[0], shape[1])
	}
	for _, part := range []struct {
		key string
		to  **npy.Array
	}{{"indptr", &m.Indptr}, {"indices", &m.Indices}, {"data", &m.Data}} {
		value, _ := d.Get(part.key)
		a, ok := value.(*Array)
		if !ok || len(a.Shape) != 1 {
			return fmt.Errorf("a csr_matrix whose %s is no one-dimensional array", part.key)
		}
		*part.to = &a.Array
	}
	m.Rows, m.Cols, m.built = int(rows), int(cols), true
	return nil
}

// truth reads a flag: a bool, or 0 or 1 in protocol 2.
func truth(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case int64:
		return v != 0, v == 0 || v == 1
	}
	return false, false
}
