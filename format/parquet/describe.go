package parquet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// Describe tells what a file holds, from its footer alone. Nested columns are listed too.
func Describe(path string) (format.Description, error) {
	s, err := format.Open(path)
	if err != nil {
		return format.Description{}, err
	}
	defer s.Close()
	f, err := readFooter(s)
	if err != nil {
		return format.Description{}, err
	}
	return f.describe(path), nil
}

func (f *footer) describe(path string) format.Description {
	d := format.Description{Format: "parquet", Path: path, Title: fmt.Sprintf("Parquet table of %d rows and %d columns", f.rows, len(f.fields))}
	d.Add("groups of rows", len(f.groups))
	if f.createdBy != "" {
		d.Add("created by", f.createdBy)
	}
	d.Columns = []string{"column", "type", "compression", "bytes", "before compression"}
	for i := range f.fields {
		var packed, inflated int64
		var codecs []string
		for _, g := range f.groups {
			c := g.chunks[i]
			packed += c.end - c.start
			inflated += c.inflated
			if !slices.Contains(codecs, c.codec.String()) {
				codecs = append(codecs, c.codec.String())
			}
		}
		field := &f.fields[i]
		d.Rows = append(d.Rows, []string{strings.Join(field.path, "."), field.typeName(), strings.Join(codecs, ", "), fmt.Sprint(packed), fmt.Sprint(inflated)})
		if field.nested != "" {
			d.Notes = append(d.Notes, fmt.Sprintf("%v is part of a nested or repeated column, which is not read", field))
		}
	}
	return d
}

// typeName writes a type as "INT64, optional" or "BYTE_ARRAY (text)".
func (f *field) typeName() string {
	name := f.physical.String()
	if f.physical == fixedBytes {
		name += fmt.Sprintf("[%d]", f.length)
	}
	meaning := [...]string{"", "text", "unsigned", fmt.Sprintf("decimal, scale %d", f.scale), "date", "time in " + f.unit, "timestamp in " + f.unit, "float16", "UUID", "null", f.other}[f.logical]
	if meaning != "" {
		name += " (" + meaning + ")"
	}
	if f.optional {
		name += ", optional"
	}
	return name
}
