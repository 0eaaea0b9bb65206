package parquet

import (
	"fmt"
	"io"

	"github.com/seraph-ml/seraph/format"
)

// Types of Thrift's compact protocol.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

// maxNesting is how deep structures may nest; a footer needs six levels.
const maxNesting = 16

// thriftReader reads Thrift's compact protocol from bytes. The first error sticks, and whatever is read after it is zero.
type thriftReader struct {
	source *format.Source
	base   int64 // where b begins in the file
	b      []byte
	pos    int
	depth  int
	err    error
	short  bool // err is that b has ended
}

// fail records an error at the current place.
func (r *thriftReader) fail(what, found, expected string) {
	if r.err == nil {
		r.err = r.source.Corrupt(r.base+int64(r.pos), what, found, expected)
	}
}

func (r *thriftReader) failShort() {
	if r.err == nil {
		r.short = true
		r.err = r.source.Corrupt(r.base+int64(len(r.b)), "Thrift structure", "its bytes end", "more of them").WithCause(io.ErrUnexpectedEOF)
	}
}

func (r *thriftReader) byte() byte {
	if r.err != nil {
		return 0
	}
	if r.pos == len(r.b) {
		r.failShort()
		return 0
	}
	r.pos++
	return r.b[r.pos-1]
}

func (r *thriftReader) varint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail("Thrift number", "more than 64 bits", "at most 64")
	return 0
}

func (r *thriftReader) zigzag() int64 {
	v := r.varint()
	return int64(v>>1) ^ -int64(v&1)
}

// structure reads a struct; field must read or skip the value of each field. Ids must rise: a field that came twice would mean
// two things to two readers.
func (r *thriftReader) structure(field func(id int, kind byte)) {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxNesting {
		r.fail("Thrift structure", fmt.Sprintf("more than %d levels", maxNesting), "fewer")
	}
	id := int64(0)
	for r.err == nil {
		head := r.byte()
		kind := head & 15
		if kind == thriftStop {
			return
		}
		last := id
		if delta := int64(head >> 4); delta > 0 {
			id += delta
		} else {
			id = r.zigzag()
		}
		if id <= last || id > 1<<15-1 {
			r.fail("Thrift field", fmt.Sprintf("id %d after %d", id, last), "ids that rise")
			return
		}
		field(int(id), kind)
	}
}

// list reads the head of a list and returns how many elements follow, each of which takes at least a byte.
func (r *thriftReader) list(kind byte) (n int, element byte) {
	if kind != thriftList && kind != thriftSet {
		r.fail("Thrift value", fmt.Sprintf("type %d", kind), "a list")
		return 0, 0
	}
	head := r.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = r.varint()
	}
	if size > uint64(len(r.b)-r.pos) {
		if r.err == nil {
			r.failShort()
		}
		return 0, 0
	}
	return int(size), head & 15
}

// structures reads a list of structs, calling one to read each.
func structures[T any](r *thriftReader, kind byte, one func() T) []T {
	n, element := r.list(kind)
	if n > 0 && element != thriftStruct {
		r.fail("Thrift list", fmt.Sprintf("elements of type %d", element), "structures")
	}
	if r.err != nil {
		return nil
	}
	all := make([]T, 0, min(n, len(r.b)/4)) // the structures here take more than four bytes each
	for i := 0; i < n && r.err == nil; i++ {
		all = append(all, one())
	}
	return all
}

// integer reads a whole number between lo and hi.
func (r *thriftReader) integer(kind byte, what string, lo, hi int64) int64 {
	var v int64
	switch kind {
	case thriftByte:
		v = int64(int8(r.byte()))
	case thriftI16, thriftI32, thriftI64:
		v = r.zigzag()
	default:
		r.fail(what, fmt.Sprintf("a value of Thrift type %d", kind), "a whole number")
	}
	if r.err == nil && (v < lo || v > hi) {
		r.fail(what, fmt.Sprint(v), fmt.Sprintf("%d … %d", lo, hi))
		return 0
	}
	return v
}

// bool reads a boolean field, whose value is its type.
func (r *thriftReader) bool(kind byte, what string) bool {
	if kind != thriftTrue && kind != thriftFalse {
		r.fail(what, fmt.Sprintf("a value of Thrift type %d", kind), "a boolean")
	}
	return kind == thriftTrue
}

// binary reads bytes; they share the memory of r.
func (r *thriftReader) binary(kind byte, what string) []byte {
	if kind != thriftBinary {
		r.fail(what, fmt.Sprintf("a value of Thrift type %d", kind), "text")
		return nil
	}
	return r.take(r.varint())
}

func (r *thriftReader) take(n uint64) []byte {
	if r.err != nil {
		return nil
	}
	if n > uint64(len(r.b)-r.pos) {
		r.failShort()
		return nil
	}
	r.pos += int(n)
	return r.b[r.pos-int(n) : r.pos]
}

// skip reads over a value that nobody needs.
func (r *thriftReader) skip(kind byte) {
	switch kind {
	case thriftTrue, thriftFalse:
	case thriftByte:
		r.take(1)
	case thriftI16, thriftI32, thriftI64:
		r.varint()
	case thriftDouble:
		r.take(8)
	case thriftBinary:
		r.take(r.varint())
	case thriftUUID:
		r.take(16)
	case thriftList, thriftSet:
		n, element := r.list(kind)
		for i := 0; i < n && r.err == nil; i++ {
			r.skipElement(element)
		}
	case thriftMap:
		n := r.varint()
		if n == 0 {
			return
		}
		kinds := r.byte()
		for i := uint64(0); i < n && r.err == nil; i++ {
			r.skipElement(kinds >> 4)
			r.skipElement(kinds & 15)
		}
	case thriftStruct:
		r.structure(func(_ int, kind byte) { r.skip(kind) })
	default:
		r.fail("Thrift value", fmt.Sprintf("type %d", kind), "1 … 13")
	}
}

// skipElement is skip for an element of a list or map, where a boolean takes a byte and a list nests.
func (r *thriftReader) skipElement(kind byte) {
	r.depth++
	defer func() { r.depth-- }()
	switch {
	case r.depth > maxNesting:
		r.fail("Thrift structure", fmt.Sprintf("more than %d levels", maxNesting), "fewer")
	case kind == thriftTrue || kind == thriftFalse:
		r.take(1)
	default:
		r.skip(kind)
	}
}
