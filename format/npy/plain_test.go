package npy

import (
	"bytes"
	"testing"
)

func TestPlainIsRowMajorAndLittleEndian(t *testing.T) {
	// 0 1 2 / 3 4 5, column by column, in two bytes each, the larger one first
	a := &Array{DType: DType{Kind: 'i', Size: 2, Big: true}, Fortran: true, Shape: []int{2, 3}, Data: []byte{0, 0, 0, 3, 0, 1, 0, 4, 0, 2, 0, 5}}
	before := bytes.Clone(a.Data)
	p, err := a.Plain()
	if err != nil || p.DType.String() != "<i2" || p.Fortran || !bytes.Equal(p.Data, []byte{0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0}) {
		t.Errorf("%+v, %v", p, err)
	}
	if !bytes.Equal(a.Data, before) {
		t.Errorf("the array has changed: %v", a.Data)
	}
	text := &Array{DType: DType{Kind: 'U', Size: 8, Big: true}, Shape: []int{1}, Data: []byte{0, 0, 0, 'a', 0, 0, 0, 'b'}}
	if p, err := text.Plain(); err != nil || !bytes.Equal(p.Data, []byte{'a', 0, 0, 0, 'b', 0, 0, 0}) {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := p.Plain(); err != nil || p.DType.Big {
		t.Errorf("%+v, %v", p, err)
	}
	objects := &Array{DType: DType{Kind: 'O'}, Shape: []int{1}, Data: []byte{0x80}}
	if _, err := objects.Plain(); err == nil {
		t.Error("objects are taken for plain")
	}
}
