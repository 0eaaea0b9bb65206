package kcore

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
)

// Hash is the SHA-256 of the lines "id core\n" of all vertices, by ascending id: one number that runs can be compared by.
func Hash(g *Graph, core []int32) string {
	h := sha256.New()
	writeLines(h, g, core, ' ') // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}

// WriteTSV writes the lines "id\tcore\n" of all vertices, by ascending id.
func WriteTSV(w io.Writer, g *Graph, core []int32) error { return writeLines(w, g, core, '\t') }

func writeLines(w io.Writer, g *Graph, core []int32, separator byte) error {
	b := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for v, k := range core {
		if !g.Present(v) {
			continue
		}
		line = strconv.AppendInt(line[:0], g.ID(v), 10)
		line = append(line, separator)
		line = append(strconv.AppendInt(line, int64(k), 10), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}
