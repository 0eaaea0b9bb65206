package kcore

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
)

// Hash is the SHA-256 of the lines "id core\n" of all vertices, by ascending id: one number that runs can be compared by.
func Hash(n *Names, core []int32) string {
	h := sha256.New()
	writeLines(h, n, core, ' ') // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}

// WriteTSV writes the lines "id\tcore\n" of all vertices, by ascending id.
func WriteTSV(w io.Writer, n *Names, core []int32) error { return writeLines(w, n, core, '\t') }

func writeLines(w io.Writer, n *Names, core []int32, separator byte) error {
	return writeRows(w, func(line []byte, v int) []byte {
		if !n.Present(v) {
			return line
		}
		return append(strconv.AppendInt(appendID(line, n, int32(v), separator), int64(core[v]), 10), '\n')
	}, n.Nodes)
}

// writeRows writes what add appends for 0 … n−1.
func writeRows(w io.Writer, add func(text []byte, i int) []byte, n int) error {
	const enough = 1 << 16
	text := make([]byte, 0, 2*enough)
	for i := range n {
		if text = add(text, i); len(text) < enough && i < n-1 {
			continue
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		text = text[:0]
	}
	return nil
}

func appendID(line []byte, n *Names, v int32, behind byte) []byte {
	return append(n.append(line, int(v)), behind)
}
