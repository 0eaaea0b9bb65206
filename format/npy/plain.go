package npy

import (
	"fmt"
	"slices"
)

// Plain returns the array with its elements row-major and little-endian, as other formats hold them: a itself where it is so
// already. Objects (|O) are an error.
func (a *Array) Plain() (*Array, error) {
	if a.DType.Kind == 'O' {
		return nil, fmt.Errorf("array of %s: expected numbers or text, not pickled objects", a.DType)
	}
	if !a.Fortran && !a.DType.Big {
		return a, nil
	}
	raw, err := a.rowMajor()
	if err != nil {
		return nil, err
	}
	p := &Array{DType: a.DType, Shape: a.Shape, Data: raw, Offset: a.Offset}
	if !p.DType.Big {
		return p, nil
	}
	p.DType.Big = false
	p.Data = slices.Clone(raw)
	unit := p.DType.Size
	if p.DType.Kind == 'U' {
		unit = 4 // each character
	}
	for i := 0; i+unit <= len(p.Data); i += unit {
		slices.Reverse(p.Data[i : i+unit])
	}
	return p, nil
}
