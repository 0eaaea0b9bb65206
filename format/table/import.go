package table

import (
	"io"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

const (
	// countedTexts is how many distinct texts of a column ImportBytes tells apart. Where there are more it takes all for distinct.
	countedTexts = 4096
	// bytesPerText is what a distinct text takes in a dictionary, besides its bytes: its header and its code, with the garbage
	// that growing leaves.
	bytesPerText = 320
	// bytesPerColumn is what a column takes besides its values.
	bytesPerColumn = 1024
)

// ImportBytes bounds the memory that OpenCSV and Read allocate in all, garbage included. It reads the whole file, in memory
// that does not grow with it.
func ImportBytes(path string, o Options) (int64, error) {
	open := func() (io.ReadCloser, error) { return format.OpenStream(path) }
	return importBytes(path, open, o)
}

func importBytes(path string, open opener, o Options) (int64, error) {
	c := &csvFile{path: path, open: open, separator: o.Separator, most: countedTexts}
	f := &File{Path: path}
	if err := c.learn(f, o); err != nil {
		return 0, err
	}
	var dictionaries, values int64
	unsure := false // whether the first line is the header
	for i, column := range c.columns {
		kind := f.Columns[i].Kind
		values += int64(f.Rows) * map[Kind]int64{Int: 9, Float64: 8, Text: 4}[kind]
		if kind != Text {
			continue
		}
		texts, bytes := len(column.dictionary.Values), column.bytes
		if column.full() {
			texts, unsure = column.values+column.marks, true
		}
		dictionaries += bytesPerText*int64(texts) + int64(bytes)
	}
	passes := int64(c.passed)
	if unsure && slices.IndexFunc(f.Columns, func(c Column) bool { return c.Kind != Text }) < 0 {
		passes++
	}
	perPass := dictionaries + bytesPerColumn*int64(c.width) + 4*int64(c.longest) + 1<<18
	return 1<<20 + (passes+1)*perPass + values, nil
}
