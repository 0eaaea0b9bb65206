package matrixmarket

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// heading begins the file, in any case.
const heading = "%%MatrixMarket"

// header is what the first line and the line of sizes say.
type header struct {
	pattern   bool // entries without a value
	symmetric bool // the file holds one half; skew-symmetric matrices too
	skew      bool // the other half has the opposite sign
	nodes     int64
	entries   int64 // in the file
}

// perEntry is the number of edges that an entry of the file can give.
func (h header) perEntry() int64 {
	if h.symmetric {
		return 2
	}
	return 1
}

// readHeader reads both lines, and compares the sizes with what the file can hold.
func readHeader(t *format.Text) (h header, err error) {
	if err := h.readBanner(t); err != nil {
		return h, err
	}
	t.Skip = "%"
	for t.Next() && !t.More() { // blank lines
	}
	var cols int64
	if h.nodes, err = t.Natural("number of rows", 1, format.MaxNodes); err != nil {
		return h, err
	}
	if cols, err = t.Natural("number of columns", 1, format.MaxNodes); err != nil {
		return h, err
	}
	if h.entries, err = t.Natural("number of entries", 0, 1<<40); err != nil {
		return h, err
	}
	if cols != h.nodes {
		return h, t.Corrupt("size of the matrix", fmt.Sprintf("%d × %d", h.nodes, cols), "a square one", "")
	}
	const shortest = 4 // characters of an entry's line
	if format.Uncompressed(t.Path) == t.Path && h.entries > t.Size/shortest {
		return h, t.Corrupt("number of entries", fmt.Sprintf("%d in %d bytes", h.entries, t.Size), "as many as the file can hold", "the file is cut short or its header is wrong")
	}
	return h, nil
}

// readBanner reads the first line.
func (h *header) readBanner(t *format.Text) error {
	t.Next()
	var words [5]string
	for i := range words {
		field, _ := t.Field()
		words[i] = strings.ToLower(string(field[:min(len(field), 40)]))
	}
	refuse := func(i int, expected, hint string) error {
		return t.Corrupt("Matrix Market heading", fmt.Sprintf("%q", words[i]), expected, hint)
	}
	if words[0] != strings.ToLower(heading) {
		return refuse(0, heading, "")
	}
	if words[1] != "matrix" {
		return refuse(1, "matrix", "")
	}
	if words[2] != "coordinate" {
		return refuse(2, "coordinate", "a dense matrix is no graph; write it in coordinate format")
	}
	switch words[3] {
	case "pattern":
		h.pattern = true
	case "real", "integer":
	default:
		return refuse(3, "pattern, real or integer", "")
	}
	switch words[4] {
	case "general":
	case "symmetric":
		h.symmetric = true
	case "skew-symmetric":
		h.symmetric, h.skew = true, true
	default:
		return refuse(4, "general, symmetric or skew-symmetric", "")
	}
	return nil
}
