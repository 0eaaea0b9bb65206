package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
	"github.com/seraph-ml/seraph/format/table"
)

func TestDamagedFilesAreRefused(t *testing.T) {
	names := []string{"gzip.parquet", "zstd.parquet"}
	if !testing.Short() {
		names = append(names, "plain2.parquet", "delta.parquet") // small enough for every byte
	}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		hostile.Truncations(t, name, content, Check)
		noticed, tried := hostile.BitFlips(t, name, content, Check)
		t.Logf("%s: %d of %d bit flips noticed", name, noticed, tried)
		if noticed == 0 {
			t.Errorf("%s: no bit flip was noticed", name)
		}
	}
}

// forged is a file of one column, "x", put together by hand so that its parts can lie.
type forged struct {
	kind   table.Kind
	rows   int
	pages  []byte
	chunk  chunk // values, inflated and end as they are when left zero
	groups int   // how often the footer lists the chunk; 0 means once
	footer func(footer []byte) []byte
}

func (f forged) bytes() []byte {
	w := Writer{columns: []table.Column{{Name: "x", Kind: f.kind}}, rows: f.rows}
	c := f.chunk
	if c.start == 0 {
		c.start = 4
	}
	if c.end == 0 {
		c.end = c.start + int64(len(f.pages))
	}
	if c.values == 0 {
		c.values = int64(f.rows)
	}
	if c.inflated == 0 {
		c.inflated = 1 << 20
	}
	for range max(1, f.groups) {
		w.groups = append(w.groups, writtenGroup{rows: f.rows / max(1, f.groups), chunks: []chunk{c}})
	}
	footer := w.appendFooter(nil)
	if f.footer != nil {
		footer = f.footer(footer)
	}
	content := append([]byte(magic), f.pages...)
	content = append(content, footer...)
	content = binary.LittleEndian.AppendUint32(content, uint32(len(footer)))
	return append(content, magic...)
}

// page puts a page of n values together: levels, then values, stored in a snappy literal so that nothing is compressed.
func page(n int, levels, values []byte) []byte {
	content := binary.LittleEndian.AppendUint32(nil, uint32(len(levels)))
	content = append(append(content, levels...), values...)
	return rawPage(n, len(content), snappyLiteral(content))
}

// rawPage puts a page of n values and a claimed size together.
func rawPage(n, size int, packed []byte) []byte {
	return append(appendPageHeader(nil, n, size, packed), packed...)
}

func snappyLiteral(b []byte) []byte {
	out := binary.AppendUvarint(nil, uint64(len(b)))
	out = append(out, 61<<2, byte(len(b)-1), byte((len(b)-1)>>8)) // a literal with a length of two bytes
	return append(out, b...)
}

// ones are the levels of n values that are all there.
func ones(n int) []byte { return append(binary.AppendUvarint(nil, uint64(n)<<1), 1) }

// otherPage is rawPage with another type, encoding or fields.
func otherPage(write func(w *thriftWriter), packed []byte) []byte {
	w := thriftWriter{}
	w.begin()
	write(&w)
	w.end()
	return append(w.b, packed...)
}

// dictionaryPageOf returns a dictionary page that claims n values.
func dictionaryPageOf(n int, values []byte) []byte {
	packed := snappyLiteral(values)
	return otherPage(func(w *thriftWriter) {
		w.i32(1, int(dictionaryPage))
		w.i32(2, len(values))
		w.i32(3, len(packed))
		w.structure(7)
		w.i32(1, n)
		w.i32(2, int(plain))
		w.end()
	}, packed)
}

// indexPageOf returns a data page of n positions in a dictionary.
func indexPageOf(n int, values []byte) []byte {
	content := binary.LittleEndian.AppendUint32(nil, uint32(len(ones(n))))
	content = append(append(content, ones(n)...), values...)
	packed := snappyLiteral(content)
	return otherPage(func(w *thriftWriter) {
		w.i32(1, int(dataPage))
		w.i32(2, len(content))
		w.i32(3, len(packed))
		w.structure(5)
		w.i32(1, n)
		w.i32(2, int(rleDictionary))
		w.i32(3, int(rle))
		w.i32(4, int(rle))
		w.end()
	}, packed)
}

var eight = []byte{1, 2, 3, 4, 5, 6, 7, 8}

func TestAForgedFileThatTellsTheTruthIsRead(t *testing.T) {
	for name, f := range map[string]forged{
		"plain":      {kind: table.Int, rows: 1, pages: page(1, ones(1), eight)},
		"nulls":      {kind: table.Int, rows: 1 << 20, pages: page(1<<20, append(binary.AppendUvarint(nil, 1<<21), 0), nil)},
		"dictionary": {kind: table.Int, rows: 3, pages: append(dictionaryPageOf(1, eight), indexPageOf(3, []byte{0, 3 << 1})...)},
		"no rows":    {kind: table.Text},
	} {
		path := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(path, f.bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Check(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestForgedFilesAreRefused(t *testing.T) {
	good := page(1, ones(1), eight)
	huge := append(binary.AppendUvarint(nil, uint64(math.MaxInt32)<<1), 1) // a run of 2^31 levels in six bytes
	lie := func(c chunk) forged { return forged{kind: table.Int, rows: 1, pages: good, chunk: c} }
	for name, f := range map[string]forged{
		"a chunk behind the file":           lie(chunk{start: 1 << 40, end: 1<<40 + 10}),
		"a chunk beyond the file":           lie(chunk{end: 1 << 40}),
		"a chunk of 2^63 bytes":             lie(chunk{end: math.MaxInt64}),
		"a chunk over the footer":           lie(chunk{end: int64(len(good)) + 10}),
		"a chunk over the magic":            lie(chunk{start: 1, end: int64(len(good))}),
		"a chunk twice":                     {kind: table.Int, rows: 2, pages: good, chunk: chunk{values: 1}, groups: 2},
		"a chunk that ends in the page":     lie(chunk{end: int64(len(good))}),
		"a chunk that ends in the header":   lie(chunk{end: 9}),
		"more values than rows":             lie(chunk{values: 2}),
		"2^31 rows":                         {kind: table.Int, rows: math.MaxInt32, pages: page(math.MaxInt32, huge, nil)},
		"2^62 rows":                         {kind: table.Int, rows: 1 << 62, pages: good},
		"fewer values than rows":            {kind: table.Int, rows: 1000, pages: good},
		"a page of more values than left":   {kind: table.Int, rows: 1, pages: page(2, ones(2), append(eight, eight...))},
		"a page without values":             {kind: table.Int, rows: 1, pages: page(1, ones(1), nil)},
		"levels beyond the page":            {kind: table.Int, rows: 1, pages: rawPage(1, 4, snappyLiteral([]byte{255, 255, 255, 255}))},
		"levels of another kind":            {kind: table.Int, rows: 1, pages: page(1, []byte{2, 7}, eight)},
		"a run of nothing":                  {kind: table.Int, rows: 1, pages: page(1, []byte{0, 1}, eight)},
		"no levels":                         {kind: table.Int, rows: 1, pages: page(1, nil, eight)},
		"a page that claims 2 GiB":          {kind: table.Int, rows: 1, pages: rawPage(1, math.MaxInt32, snappyLiteral(eight))},
		"snappy that claims 4 GiB":          {kind: table.Int, rows: 1, pages: rawPage(1, 8, binary.AppendUvarint(nil, 1<<32-1))},
		"a text beyond the page":            {kind: table.Text, rows: 1, pages: page(1, ones(1), []byte{255, 255, 255, 255, 'a'})},
		"a text that is none":               {kind: table.Text, rows: 1, pages: page(1, ones(1), []byte{2, 0, 0, 0, 0xff, 0xfe})},
		"no dictionary":                     {kind: table.Int, rows: 1, pages: indexPageOf(1, []byte{0, 2})},
		"an entry beyond the dictionary":    {kind: table.Int, rows: 1, pages: append(dictionaryPageOf(1, eight), indexPageOf(1, []byte{1, 2, 1})...)},
		"positions of 255 bits":             {kind: table.Int, rows: 1, pages: append(dictionaryPageOf(1, eight), indexPageOf(1, []byte{255, 3, 0, 0, 0})...)},
		"a dictionary that claims 2^31":     {kind: table.Int, rows: 1, pages: append(dictionaryPageOf(math.MaxInt32, eight), indexPageOf(1, []byte{0, 2})...)},
		"two dictionaries":                  {kind: table.Int, rows: 1, pages: append(append(dictionaryPageOf(1, eight), dictionaryPageOf(1, eight)...), indexPageOf(1, []byte{0, 2})...)},
		"bytes behind the footer":           {kind: table.Int, rows: 1, pages: good, footer: func(b []byte) []byte { return append(b, 0) }},
		"a list of 2^60 groups":             {kind: table.Int, footer: func([]byte) []byte { return append([]byte{0x49, 0xfc}, binary.AppendUvarint(nil, 1<<60)...) }},
		"a text of 2^60 bytes":              {kind: table.Int, footer: func([]byte) []byte { return append([]byte{0x68}, binary.AppendUvarint(nil, 1<<60)...) }},
		"fields in any order":               {kind: table.Int, footer: func([]byte) []byte { return []byte{0x36, 0x02, 0x06, 0x02, 0x00} }},
		"structures in structures":          {kind: table.Int, footer: func([]byte) []byte { return bytes.Repeat([]byte{0x9c}, 1<<20) }},
		"lists in lists":                    {kind: table.Int, footer: func([]byte) []byte { return append([]byte{0x99}, bytes.Repeat([]byte{0x19}, 1<<20)...) }},
		"maps of nothing in particular":     {kind: table.Int, footer: func([]byte) []byte { return append([]byte{0x9b}, bytes.Repeat([]byte{0xff}, 1<<10)...) }},
		"an empty footer":                   {kind: table.Int, footer: func([]byte) []byte { return nil }},
		"a footer that stops at once":       {kind: table.Int, footer: func([]byte) []byte { return []byte{0} }},
		"a page header of another type":     {kind: table.Int, rows: 1, pages: otherPage(func(w *thriftWriter) { w.i32(1, 0); w.i32(2, 0); w.i32(3, 0) }, nil)},
		"a page header without end":         {kind: table.Int, rows: 1, pages: bytes.Repeat([]byte{0x15}, 1<<10)},
		"pages that inflate beyond the sum": {kind: table.Int, rows: 1, pages: good, chunk: chunk{inflated: 5}},
	} {
		t.Run(name, func(t *testing.T) { hostile.MustRefuse(t, "forged.parquet", f.bytes(), Check) })
	}
}

func TestForgedSchemasAreRefused(t *testing.T) {
	element := func(write func(w *thriftWriter)) []byte {
		w := thriftWriter{}
		w.begin()
		write(&w)
		w.end()
		return w.b
	}
	schema := func(elements ...[]byte) func([]byte) []byte {
		return func([]byte) []byte {
			w := thriftWriter{}
			w.begin()
			w.list(2, len(elements), thriftStruct)
			for _, e := range elements {
				w.b = append(w.b, e...)
			}
			w.i64(3, 0)
			w.list(4, 0, thriftStruct)
			w.end()
			return w.b
		}
	}
	root := func(children int) []byte {
		return element(func(w *thriftWriter) { w.text(4, "root"); w.i32(5, children) })
	}
	leaf := element(func(w *thriftWriter) { w.i32(1, int(int64s)); w.i32(3, 1); w.text(4, "x") })
	deep := [][]byte{root(1)}
	for range 100 {
		deep = append(deep, root(1))
	}
	for name, footer := range map[string]func([]byte) []byte{
		"no elements":                    schema(),
		"a leaf as root":                 schema(leaf),
		"fewer elements than children":   schema(root(2), leaf),
		"more elements than children":    schema(root(0), leaf),
		"2^31 children":                  schema(root(math.MaxInt32), leaf),
		"a column twice":                 schema(root(2), leaf, leaf),
		"groups in groups":               schema(append(deep, leaf)...),
		"an element without a name":      schema(root(1), element(func(w *thriftWriter) { w.i32(1, int(int64s)) })),
		"a type that does not exist":     schema(root(1), element(func(w *thriftWriter) { w.i32(1, 8); w.text(4, "x") })),
		"fixed bytes of no length":       schema(root(1), element(func(w *thriftWriter) { w.i32(1, int(fixedBytes)); w.text(4, "x") })),
		"a repeated column":              schema(root(1), element(func(w *thriftWriter) { w.i32(1, int(int64s)); w.i32(3, 2); w.text(4, "x") })),
		"a type and children":            schema(root(1), element(func(w *thriftWriter) { w.i32(1, int(int64s)); w.text(4, "x"); w.i32(5, 1) }), leaf),
		"a scale of a million":           schema(root(1), element(func(w *thriftWriter) { w.i32(1, int(int64s)); w.text(4, "x"); w.i32(6, 5); w.i32(7, 1000000) })),
		"bytes that are no text":         schema(root(1), element(func(w *thriftWriter) { w.i32(1, int(byteArray)); w.text(4, "x"); w.i32(6, 20) })),
		"fixed bytes of no meaning":      schema(root(1), element(func(w *thriftWriter) { w.i32(1, int(fixedBytes)); w.i32(2, 5); w.text(4, "x") })),
		"more columns than can be":       schema(append([][]byte{root(maxColumns + 1)}, bytesRepeat(leaf, maxColumns+1)...)...),
		"a number where a list belongs":  func([]byte) []byte { return []byte{0x25, 0x02, 0x00} },
		"a text where a number belongs":  func([]byte) []byte { return []byte{0x38, 0x01, 'x', 0x00} },
		"numbers where structs belong":   func([]byte) []byte { return []byte{0x29, 0x15, 0x02, 0x00} },
		"a number of more than 64 bits":  func([]byte) []byte { return append([]byte{0x36}, bytes.Repeat([]byte{0xff}, 11)...) },
		"encryption":                     func([]byte) []byte { return []byte{0x8c, 0x00, 0x00} },
		"a value of type 15":             func([]byte) []byte { return []byte{0x9f, 0x00} },
		"a field that is number 100,000": func([]byte) []byte { return append(binary.AppendVarint([]byte{0x05}, 100_000), 2, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			hostile.MustRefuse(t, "forged.parquet", forged{kind: table.Int, footer: footer}.bytes(), Check)
		})
	}
}

func bytesRepeat(b []byte, n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = b
	}
	return list
}

func TestFilesThatAreNoneAreRefused(t *testing.T) {
	for name, content := range map[string]string{
		"empty":     "",
		"magic":     "PAR1",
		"two":       "PAR1PAR1",
		"short":     "PAR1\x00\x00\x00\x00PAR",
		"length":    "PAR1\xff\xff\xff\xffPAR1",
		"length 0":  "PAR1\x00\x00\x00\x00PAR1",
		"encrypted": "PARE\x00\x00\x00\x00\x00PARE",
		"head":      "PAR2\x00\x00\x00\x00\x00PAR1",
	} {
		err := func() error {
			path := filepath.Join(t.TempDir(), "x.parquet")
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			return Check(path)
		}()
		hostile.Judge(t, err, "x.parquet")
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestBombsAreRefused(t *testing.T) {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := z.EncodeAll(make([]byte, 64<<20), nil)
	var b inflater
	defer b.Close()
	for _, size := range []int{16, 64<<20 - 1, 64<<20 + 1} { // it yields more, or less, than claimed
		if _, err := b.inflate(zstdCodec, packed, size); err == nil {
			t.Errorf("zstd: %d bytes were taken for %d", 64<<20, size)
		}
	}
	if _, err := b.inflate(zstdCodec, packed[:16], 1<<30); !errors.Is(err, errSize) {
		t.Errorf("zstd: 16 bytes that claim to be a gigabyte: %v", err)
	}
	if cap(b.buf) > 64<<20+1 {
		t.Errorf("a buffer of %d bytes was made", cap(b.buf))
	}
	// 150 bytes that stand for 2^27 rows are within what a column of one value may be, 2^28 rows of nine bytes are not.
	rows := 1 << 28
	nulls := append(binary.AppendUvarint(nil, uint64(rows)<<1), 0)
	hostile.MustRefuse(t, "bomb.parquet", forged{kind: table.Int, rows: rows, pages: page(rows, nulls, nil)}.bytes(), Check)
	// Strings that each share all bytes of the one before, and add one.
	n := 1 << 16
	prefixes, lengths := make([]uint64, n), make([]uint64, n)
	for i := range prefixes {
		prefixes[i], lengths[i] = uint64(i), 1
	}
	values := append(encodeDeltas(prefixes), encodeDeltas(lengths)...)
	values = append(values, bytes.Repeat([]byte{'a'}, n)...)
	total, left := int64(0), int64(1<<20)
	err = prefixBytes(values, n, &left, func(b []byte) error { total += int64(len(b)); return nil })
	if !errors.Is(err, errBomb) || total > 1<<20 {
		t.Errorf("strings that grow: %d bytes, %v", total, err)
	}
}

// encodeDeltas encodes numbers that rise evenly, or not at all, in DELTA_BINARY_PACKED.
func encodeDeltas(numbers []uint64) []byte {
	out := binary.AppendUvarint(nil, 128)
	out = binary.AppendUvarint(out, 1)
	out = binary.AppendUvarint(out, uint64(len(numbers)))
	out = binary.AppendVarint(out, int64(numbers[0]))
	for i := 1; i < len(numbers); i += 128 {
		out = binary.AppendVarint(out, int64(numbers[1]-numbers[0]))
		out = append(out, 0)
	}
	return out
}

func TestNestedAndUnknownColumnsAreRefusedByName(t *testing.T) {
	for name, want := range map[string]string{
		"nested": "list, group",
		"brotli": "BROTLI",
		"blob":   `column "blob"`,
	} {
		err := Check(filepath.Join("testdata", name+".parquet"))
		hostile.Judge(t, err, name+".parquet")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, expected one that names %s", name, err, want)
		}
	}
	for name, ignore := range map[string][]string{"nested": {"list", "group"}, "blob": {"blob"}} {
		f, err := Open(filepath.Join("testdata", name+".parquet"), table.Options{Ignore: ignore})
		if err != nil {
			t.Fatal(err)
		}
		all, err := f.Read()
		if err != nil {
			t.Fatal(err)
		}
		if len(all.Columns) != 1 || fmt.Sprint(all.Columns[0].Ints) != "[1 2]" {
			t.Errorf("%s without %v: %+v", name, ignore, all.Columns)
		}
	}
	if _, err := Open("testdata/nested.parquet", table.Options{Ignore: []string{"lists"}}); err == nil {
		t.Error("a column that is not there was ignored")
	}
}

func FuzzParquet(f *testing.F) {
	for _, name := range append([]string{"nested", "empty", "blob"}, golden...) {
		content, err := os.ReadFile(filepath.Join("testdata", name+".parquet"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add(forged{kind: table.Int, rows: 3, pages: append(dictionaryPageOf(1, eight), indexPageOf(3, []byte{0, 3 << 1})...)}.bytes())
	f.Fuzz(func(t *testing.T, content []byte) {
		s := format.NewSource("x.parquet", bytes.NewReader(content), int64(len(content)))
		judge := func(err error) {
			hostile.Judge(t, err, "x.parquet")
			var bug panicked
			if errors.As(err, &bug) {
				t.Fatal(err)
			}
		}
		meta, err := readFooter(s)
		judge(err)
		if err != nil {
			return
		}
		meta.describe("x.parquet")
		for _, o := range []table.Options{{}, {Categories: []string{"int", "double", "half", "bool", "price", "x"}}} {
			r, err := newReader(s, o, 1<<20)
			judge(err)
			if err != nil {
				return
			}
			file, err := r.open(s)
			judge(err)
			if err != nil {
				return
			}
			r.blocksOf(s, file, 500, func(block *table.Table, err error) bool {
				judge(err) // the survey has read all of it, but for integers that are not optional
				if err != nil {
					return false
				}
				if err := block.Validate(); err != nil {
					t.Fatal(err)
				}
				return true
			})
		}
	})
}
