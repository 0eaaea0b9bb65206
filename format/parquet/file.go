package parquet

import (
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/table"
)

// Is says whether a file begins as Parquet does.
func Is(head []byte) bool { return len(head) >= 4 && string(head[:4]) == magic }

// reader is a file whose footer has been verified.
type reader struct {
	path    string
	footer  *footer
	columns []*column

	// budget is what the file may come to, in bytes, before compression and in memory: a bound for files that claim the
	// impossible. What a file really takes in memory is ImportBytes.
	budget int64
}

// budgetOf returns the budget of a file of size bytes. Columns that hold one value all over shrink a thousandfold.
func budgetOf(size int64) int64 { return 1<<30 + 1000*size }

// Open opens a Parquet file and reads it once, so that the dictionaries of its text columns and the numbers of missing
// values are known. Nested columns are an error that names them, unless they are ignored.
func Open(path string, o table.Options) (*table.File, error) {
	s, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r, err := newReader(s, o, budgetOf(s.Size))
	if err != nil {
		return nil, err
	}
	return r.open(s)
}

// newReader reads the footer and decides what becomes of each column.
func newReader(s *format.Source, o table.Options, budget int64) (*reader, error) {
	f, err := readFooter(s)
	if err != nil {
		return nil, err
	}
	r := &reader{path: s.Path, footer: f, budget: budget}
	var names, nested, unread []string
	for i := range f.fields {
		field := &f.fields[i]
		name := field.column()
		first := i == 0 || name != f.fields[i-1].column() // of the leaves of a column
		if first {
			names = append(names, name)
		}
		switch {
		case slices.Contains(o.Ignore, name):
		case field.nested != "":
			if first {
				nested = append(nested, name)
			}
		default:
			c, err := newColumn(field, i, slices.Contains(o.Categories, name))
			if err != nil {
				unread = append(unread, fmt.Sprintf("%s (%v)", name, err))
				continue
			}
			r.columns = append(r.columns, c)
		}
	}
	if err := o.CheckIgnore(s.Path, names); err != nil && len(names) > 0 {
		return nil, err
	}
	if len(nested) > 0 {
		return nil, s.Corrupt(-1, "columns", fmt.Sprintf("nested or repeated ones: %.200s", strings.Join(nested, ", ")), "flat columns").
			WithHint("ignore them, or write their parts as columns")
	}
	if len(unread) > 0 {
		return nil, s.Corrupt(-1, "columns", fmt.Sprintf("types that are not read: %.200s", strings.Join(unread, ", ")), "numbers, text, times and decimals").
			WithHint("ignore them, or write them as numbers or text")
	}
	return r, r.verify(s)
}

// verify checks that columns have different names and that the file can be what it claims within the budget.
func (r *reader) verify(s *format.Source) error {
	seen := map[string]bool{}
	var inflated, memory float64
	for _, c := range r.columns {
		name := c.field.column()
		if seen[name] {
			return s.Corrupt(-1, "schema", fmt.Sprintf("column %.200q twice", name), "each name once")
		}
		seen[name] = true
		memory += float64(r.footer.rows) * float64(rowBytes(c.kind))
		for _, g := range r.footer.groups {
			inflated += float64(g.chunks[c.index].inflated)
		}
	}
	if most := max(inflated, memory); most > float64(r.budget) {
		return s.Corrupt(-1, "size before compression", fmt.Sprintf("%.0f bytes", most), fmt.Sprintf("at most %d for a file of %d", r.budget, s.Size)).
			WithHint("this looks like a bomb; if it is not, ignore columns or write it again with less compression")
	}
	return nil
}

// rowBytes is what a value takes in a table, with its mark where it may be missing.
func rowBytes(k table.Kind) int {
	switch k {
	case table.Int:
		return 9
	case table.Float64:
		return 8
	default:
		return 4
	}
}

// open surveys the columns and describes the file.
func (r *reader) open(s *format.Source) (*table.File, error) {
	name := strings.TrimSuffix(filepath.Base(r.path), filepath.Ext(r.path))
	f := &table.File{Path: r.path, Name: name, Format: "parquet", Rows: r.footer.rows}
	v := survey{reader: r, source: s, inflater: inflater{left: r.budget}}
	defer v.inflater.Close()
	for _, c := range r.columns {
		if err := v.column(c); err != nil {
			return nil, err
		}
		column := table.Column{Name: c.field.column(), Kind: c.kind, Missing: c.missing}
		if c.dictionary != nil {
			c.complete = true
			column.Values = c.dictionary.Values
		}
		f.Columns = append(f.Columns, column)
		if c.note != "" {
			f.Note("column %q holds %s", column.Name, c.note)
		}
	}
	if ignored := len(r.footer.fields) - len(r.columns); ignored > 0 {
		f.Note("%d columns are ignored", ignored)
	}
	f.Blocks = func(n int) iter.Seq2[*table.Table, error] {
		return func(yield func(*table.Table, error) bool) { r.blocks(f, n, yield) }
	}
	return f, nil
}

// surveyRows is how many rows the survey takes at once.
const surveyRows = 4096

// survey reads columns to count what is missing, and to make the dictionaries.
type survey struct {
	reader   *reader
	source   *format.Source
	inflater inflater
	blocks   [4]table.Column // where the values of a column go, by its kind
}

// column surveys a column. One of integers that is not optional has nothing to tell.
func (v *survey) column(c *column) error {
	if c.kind == table.Int && !c.field.optional {
		return nil
	}
	rows := v.reader.footer.rows
	block := &v.blocks[c.kind]
	if block.Len() == 0 {
		*block = table.NewColumn("", c.kind, min(surveyRows, rows))
	}
	block.Missing = 0
	cursor := v.reader.cursor(v.source, c, &v.inflater)
	for at := 0; at < rows; at += surveyRows {
		if err := cursor.fill(block, 0, min(surveyRows, rows-at)); err != nil {
			return err
		}
	}
	c.missing = block.Missing
	return nil
}

func (r *reader) cursor(s *format.Source, c *column, z *inflater) *cursor {
	return &cursor{source: s, column: c, groups: r.footer.groups, inflater: z}
}

// blocks reads the rows, n at a time.
func (r *reader) blocks(f *table.File, n int, yield func(*table.Table, error) bool) {
	s, err := format.Open(r.path)
	if err != nil {
		yield(nil, err)
		return
	}
	defer s.Close()
	r.blocksOf(s, f, n, yield)
}

// blocksOf is blocks for a source that is open already.
func (r *reader) blocksOf(s *format.Source, f *table.File, n int, yield func(*table.Table, error) bool) {
	z := &inflater{left: r.budget}
	defer z.Close()
	cursors := make([]*cursor, len(r.columns))
	for i, c := range r.columns {
		cursors[i] = r.cursor(s, c, z)
	}
	n = max(1, n)
	for at := 0; at < r.footer.rows; {
		t := table.New(f.Columns, min(n, r.footer.rows-at))
		for i, c := range cursors {
			if err := c.fill(&t.Columns[i], 0, t.Rows); err != nil {
				yield(nil, err)
				return
			}
		}
		if at += t.Rows; !yield(t, nil) {
			return
		}
	}
}

// Check reads every value of the file, as far as its columns are flat, and verifies lengths, checksums and text.
func Check(path string) error {
	f, err := Open(path, table.Options{})
	if err != nil {
		return err
	}
	for _, err := range f.Blocks(1 << 16) {
		if err != nil {
			return err
		}
	}
	return nil
}
