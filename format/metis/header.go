package metis

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// header is what the first line says.
type header struct {
	nodes, edges int64
	ignored      int64 // sizes and weights before the neighbours of each node
	edgeWeights  bool
}

// readHeader reads the first line, and compares its counts with what the file can hold.
func readHeader(t *format.Text) (h header, err error) {
	t.Skip = "%"
	t.Next()
	if h.nodes, err = t.Natural("number of nodes", 1, format.MaxNodes); err != nil {
		return h, err
	}
	if h.edges, err = t.Natural("number of edges", 0, 1<<40); err != nil {
		return h, err
	}
	if err := h.readFormat(t); err != nil {
		return h, err
	}
	if t.More() {
		return h, t.Corrupt("METIS header", "more than four fields", "n m [fmt [ncon]]", "")
	}
	entry := int64(2) // characters: a digit and what separates it, and the same for a weight
	if h.edgeWeights {
		entry = 4
	}
	// What a compressed file holds is found out by reading it.
	if format.Uncompressed(t.Path) == t.Path && (h.nodes > t.Size || 2*h.edges > t.Size/entry) {
		return h, t.Corrupt("METIS header", fmt.Sprintf("%d nodes and %d edges in %d bytes", h.nodes, h.edges, t.Size), "counts that the file can hold", "the file is cut short or its header is wrong")
	}
	return h, t.Err()
}

// readFormat reads the optional fields, fmt and ncon.
func (h *header) readFormat(t *format.Text) error {
	if !t.More() {
		return t.Err()
	}
	field, _ := t.Field()
	if len(field) > 3 || strings.Trim(string(field), "01") != "" {
		return t.Corrupt("METIS format", fmt.Sprintf("%.40q", field), "up to three digits, each 0 or 1", "")
	}
	digits := "000"[len(field):] + string(field)
	weights := int64(1)
	if t.More() {
		var err error
		if weights, err = t.Natural("number of node weights", 0, 1<<20); err != nil {
			return err
		}
	}
	if digits[0] == '1' {
		h.ignored++
	}
	if digits[1] == '1' {
		h.ignored += weights
	}
	h.edgeWeights = digits[2] == '1'
	return nil
}
