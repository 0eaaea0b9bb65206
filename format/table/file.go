package table

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// File is a table on disk whose columns are known. Nothing is held open between reads.
type File struct {
	Path    string
	Name    string // for run names and titles: the base of Path without its extensions
	Format  string // "csv" or "parquet"
	Rows    int
	Columns []Column // without values, except that text columns have their whole dictionary
	Notes   []string // what was inferred, ignored or found odd: printed to the user and recorded

	// Blocks reads the table from its start, n rows at a time (the last block may be shorter), until the loop ends or an
	// error comes. Blocks of text columns share the dictionary of the file.
	Blocks func(n int) iter.Seq2[*Table, error]
}

// Options is what a caller may know better than the reader.
type Options struct {
	// Categories names columns that are read as text whatever they hold: class labels, and ids that are numbers by accident. Names
	// that the table does not have are no error: a table to predict has no target.
	Categories []string
	// Ignore names columns that are left out.
	Ignore []string
	// Header says whether the first line of a CSV file is a header: "yes", "no" or "" for what it looks like.
	Header string
	// Separator of a CSV file: ',', ';', '\t' or 0 for what it looks like.
	Separator byte
}

// Column finds a column by name.
func (f *File) Column(name string) (*Column, bool) { return find(f.Columns, name) }

// Note adds a formatted line to f.Notes.
func (f *File) Note(message string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(message, args...))
}

// Read reads all rows.
func (f *File) Read() (*Table, error) {
	for t, err := range f.Blocks(max(1, f.Rows)) {
		return t, err
	}
	return &Table{Columns: f.Columns}, nil // no rows
}

// names lists columns for errors.
func names(columns []Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return few(list)
}

// few joins the first few of many names.
func few(names []string) string {
	if len(names) > 20 {
		names = append(slices.Clone(names[:20]), fmt.Sprintf("… (%d in all)", len(names)))
	}
	return strings.Join(names, ", ")
}

// CheckIgnore fails where a column is to be ignored that is not there, or all are.
func (o Options) CheckIgnore(path string, columns []string) error {
	for _, name := range o.Ignore {
		if !slices.Contains(columns, name) {
			return fmt.Errorf("%s: no column %q to ignore; the table has %s", path, name, few(columns))
		}
	}
	for _, name := range columns {
		if !slices.Contains(o.Ignore, name) {
			return nil
		}
	}
	return fmt.Errorf("%s: all columns are ignored: %s", path, few(columns))
}

// Describe tells what the table holds.
func (f *File) Describe() format.Description {
	d := format.Description{Format: f.Format, Path: f.Path, Title: fmt.Sprintf("table of %d rows and %d columns", f.Rows, len(f.Columns)), Notes: f.Notes}
	d.Columns = []string{"column", "kind", "missing", "values"}
	for _, c := range f.Columns {
		values := ""
		if c.Kind == Text {
			values = fmt.Sprintf("%d: %.60s", len(c.Values), strings.Join(c.Values[:min(len(c.Values), 6)], ", "))
		}
		d.Rows = append(d.Rows, []string{c.Name, c.Kind.String(), fmt.Sprint(c.Missing), values})
	}
	return d
}
