package sgraph

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/seraph-ml/seraph/format"
)

// Check verifies every block and every value of a file.
func Check(path string) error {
	f, err := Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.check()
}

func (f *File) check() error {
	r, err := f.Reader(make([]byte, workBytes))
	if err != nil {
		return err
	}
	if err := f.checkGaps(r); err != nil {
		return err
	}
	for _, m := range []*matrix{f.edges(), f.sparse()} {
		if m.place.there {
			if err := r.checkRows(m, f.Undirected && m.name == "edges"); err != nil {
				return err
			}
		}
	}
	if _, err := r.ClassNames(); err != nil {
		return err
	}
	values := func(v float32) bool { return notFinite([]float32{v}) < 0 }
	class := func(v int32) bool { return v >= -1 && int64(v) < f.Classes }
	node := func(v int64) bool { return v >= 0 && v < f.Nodes }
	if err := checkColumn(r, denseFeatures, values); err != nil {
		return err
	}
	if err := checkColumn(r, labels, class); err != nil {
		return err
	}
	if err := checkColumn(r, ids, func(int64) bool { return true }); err != nil {
		return err
	}
	for kind := train; kind <= test; kind++ {
		if err := checkColumn(r, kind, node); err != nil {
			return err
		}
	}
	return nil
}

// checkGaps verifies that the bytes between the sections are 0.
func (f *File) checkGaps(r *Reader) error {
	end, last := int64(headBytes), footPlace(f.end, f.sections())
	for _, p := range append(f.table[:], place{at: last, there: true}) {
		if !p.there {
			continue
		}
		gap := make([]byte, p.at-end)
		if err := f.copyOut(&r.data, gap, end); err != nil {
			return err
		}
		for i, b := range gap {
			if b != 0 {
				return f.source.Corrupt(fileOffset(end+int64(i)), "byte between sections", fmt.Sprint(b), "0")
			}
		}
		end = p.end()
	}
	return nil
}

func (f *File) sections() int {
	k := 0
	for _, p := range f.table {
		if p.there {
			k++
		}
	}
	return k
}

// checkRows verifies the rows of a matrix against its index and counts, group by group.
func (r *Reader) checkRows(m *matrix, undirected bool) error {
	room := max(m.longest, 1<<14)
	rows := Rows[int64]{Indptr: make([]int64, 0, 2), Columns: make([]int64, 0, room), Values: make([]float32, 0, room)}
	entries, longest, balance := int64(0), int64(0), uint64(0)
	at := m.place.at
	for u := range m.rows + 1 {
		if u%GroupRows == 0 || u == m.rows {
			offset, before, err := r.lookUp(m, groups(u))
			if err != nil {
				return err
			}
			if offset != at-m.place.at || before != entries {
				return r.f.source.Corrupt(fileOffset(m.index.at+16*groups(u)), "index of "+m.name, fmt.Sprintf("%d bytes, %d entries", offset, before), fmt.Sprintf("%d, %d", at-m.place.at, entries))
			}
		}
		if u == m.rows {
			break
		}
		if err := readRows(r, m, u, u+1, &rows); err != nil {
			return err
		}
		if i := notFinite(rows.Values); i >= 0 {
			return r.f.source.Corrupt(fileOffset(at), fmt.Sprintf("row %d of %s", u, m.name), fmt.Sprint(rows.Values[i]), "finite values")
		}
		if undirected {
			lean, err := Simple(r, &rows)
			if err != nil {
				return err
			}
			balance += lean
		}
		at, entries, longest = r.last.at, entries+int64(len(rows.Columns)), max(longest, int64(len(rows.Columns)))
	}
	if entries != m.entries || longest != m.longest {
		return r.f.source.Corrupt(fileOffset(m.place.at), m.name, fmt.Sprintf("%d entries, %d in the longest row", entries, longest), fmt.Sprintf("%d, %d as the foot says", m.entries, m.longest))
	}
	if balance != 0 {
		return r.f.LopsidedError()
	}
	return nil
}

// Simple says where rows of edges have a loop or a duplicate, which the flag Undirected rules out, and returns how far they
// lean: over all rows of an undirected graph the sum is 0, over those of another it is not but for a chance of 2^-64.
func Simple[V Vertex](r *Reader, rows *Rows[V]) (lean uint64, err error) {
	for i := range rows.Len() {
		u := rows.First + int64(i)
		before := int64(-1)
		for e := rows.Indptr[i]; e < rows.Indptr[i+1]; e++ {
			v := int64(rows.Columns[e])
			if v == u || v == before {
				return 0, r.f.source.Corrupt(fileOffset(r.f.table[edges].at), fmt.Sprintf("row %d of edges", u), fmt.Sprintf("%d in it", v), "no loop and no duplicate, as the flags say")
			}
			before = v
			weight := float32(1)
			if len(rows.Values) > 0 {
				weight = rows.Values[e]
			}
			lean += scatter(u, v, weight)
		}
	}
	return lean, nil
}

// LopsidedError is the error of an undirected graph whose rows lean.
func (f *File) LopsidedError() error {
	return f.source.Corrupt(fileOffset(f.table[edges].at), "edges", "an edge in the row of one of its nodes alone", "rows of both, as the flags say")
}

// scatter spreads an entry over 64 bits, with one sign below the diagonal and the other above.
func scatter(u, v int64, weight float32) uint64 {
	a, b := uint64(min(u, v)), uint64(max(u, v))
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	hi, lo = bits.Mul64(hi^lo^uint64(math.Float32bits(weight)), 0xa0761d6478bd642f^b<<1)
	if u < v {
		return hi ^ lo
	}
	return -(hi ^ lo)
}

// checkColumn verifies the elements of a section.
func checkColumn[T format.Number](r *Reader, kind section, good func(T) bool) error {
	p := r.f.table[kind]
	part := make([]T, 1<<13)
	size := int64(len(format.Bytes(part[:1])))
	for first := int64(0); first < p.size/size; first += int64(len(part)) {
		part = part[:min(int64(len(part)), p.size/size-first)]
		if err := column(r, kind, first, part); err != nil {
			return err
		}
		for i, v := range part {
			if !good(v) {
				return r.f.source.Corrupt(fileOffset(p.at+(first+int64(i))*size), sectionNames[kind], fmt.Sprint(v), "a value that the counts allow")
			}
		}
	}
	return nil
}
