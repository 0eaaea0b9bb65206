package parquet

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/seraph-ml/seraph/format/table"
)

// thriftWriter appends structures in Thrift's compact protocol.
type thriftWriter struct {
	b    []byte
	last []int // the last id of each open structure
}

func (w *thriftWriter) field(id int, kind byte) {
	top := len(w.last) - 1
	w.b = append(w.b, byte(id-w.last[top])<<4|kind) // ids here rise by less than 16
	w.last[top] = id
}

func (w *thriftWriter) begin() { w.last = append(w.last, 0) }

func (w *thriftWriter) end() {
	w.b = append(w.b, thriftStop)
	w.last = w.last[:len(w.last)-1]
}

func (w *thriftWriter) i32(id, v int) {
	w.field(id, thriftI32)
	w.b = binary.AppendVarint(w.b, int64(v)) // zigzag
}

func (w *thriftWriter) i64(id int, v int64) {
	w.field(id, thriftI64)
	w.b = binary.AppendVarint(w.b, v)
}

func (w *thriftWriter) text(id int, s string) {
	w.field(id, thriftBinary)
	w.string(s)
}

func (w *thriftWriter) string(s string) {
	w.b = binary.AppendUvarint(w.b, uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *thriftWriter) structure(id int) {
	w.field(id, thriftStruct)
	w.begin()
}

func (w *thriftWriter) list(id, n int, element byte) {
	w.field(id, thriftList)
	if n < 15 {
		w.b = append(w.b, byte(n)<<4|element)
		return
	}
	w.b = append(w.b, 15<<4|element)
	w.b = binary.AppendUvarint(w.b, uint64(n))
}

// appendPageHeader appends the header of a page of n values.
func appendPageHeader(dst []byte, n, size int, packed []byte) []byte {
	w := thriftWriter{b: dst}
	w.begin()
	w.i32(1, int(dataPage))
	w.i32(2, size)
	w.i32(3, len(packed))
	w.i32(4, int(int32(crc32.ChecksumIEEE(packed))))
	w.structure(5)
	w.i32(1, n)
	w.i32(2, int(plain))
	w.i32(3, int(rle))
	w.i32(4, int(rle))
	w.end()
	w.end()
	return w.b
}

// appendFooter appends the footer of the file.
func (f *Writer) appendFooter(dst []byte) []byte {
	w := thriftWriter{b: dst}
	w.begin()
	w.i32(1, 2) // version of the format
	w.list(2, 1+len(f.columns), thriftStruct)
	w.begin()
	w.text(4, "schema")
	w.i32(5, len(f.columns))
	w.end()
	for _, c := range f.columns {
		w.schemaElement(c)
	}
	w.i64(3, int64(f.rows))
	w.list(4, len(f.groups), thriftStruct)
	for _, g := range f.groups {
		w.begin()
		w.list(1, len(g.chunks), thriftStruct)
		size := int64(0)
		for i, c := range g.chunks {
			w.columnChunk(f.columns[i], c)
			size += c.inflated
		}
		w.i64(2, size)
		w.i64(3, int64(g.rows))
		w.end()
	}
	w.text(6, "seraph")
	w.end()
	return w.b
}

// physicalOf is how a column is stored.
func physicalOf(k table.Kind) physical {
	return [...]physical{table.Int: int64s, table.Float32: float32s, table.Float64: float64s, table.Text: byteArray}[k]
}

func (w *thriftWriter) schemaElement(c table.Column) {
	w.begin()
	w.i32(1, int(physicalOf(c.Kind)))
	w.i32(3, 1) // optional
	w.text(4, c.Name)
	if c.Kind == table.Text {
		w.i32(6, 0) // UTF8
		w.structure(10)
		w.structure(1) // STRING
		w.end()
		w.end()
	}
	w.end()
}

func (w *thriftWriter) columnChunk(c table.Column, k chunk) {
	w.begin()
	w.i64(2, 0) // file_offset: of a copy of the meta_data, which there is none of
	w.structure(3)
	w.i32(1, int(physicalOf(c.Kind)))
	w.list(2, 2, thriftI32)
	w.b = binary.AppendVarint(w.b, int64(plain))
	w.b = binary.AppendVarint(w.b, int64(rle))
	w.list(3, 1, thriftBinary)
	w.string(c.Name)
	w.i32(4, int(snappyCodec))
	w.i64(5, k.values)
	w.i64(6, k.inflated)
	w.i64(7, k.end-k.start)
	w.i64(9, k.start)
	w.end()
	w.end()
}
