package kcore

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

// Progress is how far a divided graph has come.
type Progress struct {
	Sweeps int     `json:"sweeps"` // that were made
	Stages []Stage `json:"stages"` // that are done
	Done   bool    `json:"done"`   // the estimates are the core numbers
}

// A state file is the estimates, int32 each (−1: no vertex), Progress as JSON, its length and the CRC-32C of everything before,
// uint32 each; all little endian. Estimates are bounds of core numbers whenever they are written down, so any state will do to go on
// from.
type stateWriter struct {
	file *memory.AtomicFile
	crc  uint32
	buf  []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const stateChunk = 64 << 10

func newStateWriter(path string) (*stateWriter, error) {
	file, err := memory.CreateAtomic(path)
	return &stateWriter{file: file, buf: make([]byte, 0, stateChunk)}, err
}

// put appends an estimate.
func (w *stateWriter) put(e int32) error {
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(e))
	if len(w.buf) < stateChunk {
		return nil
	}
	return w.flush()
}

func (w *stateWriter) flush() error {
	w.crc = crc32.Update(w.crc, castagnoli, w.buf)
	_, err := w.file.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// end writes the rest, and makes it the state.
func (w *stateWriter) end(p Progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	w.buf = append(w.buf, text...)
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(text)))
	if err := w.flush(); err != nil {
		return err
	}
	if _, err := w.file.Write(binary.LittleEndian.AppendUint32(nil, w.crc)); err != nil {
		return err
	}
	return w.file.Commit()
}

// writeState replaces the state, whole or not at all.
func writeState(path string, core []int32, p Progress) error {
	w, err := newStateWriter(path)
	if err != nil {
		return err
	}
	defer w.file.Close()
	for _, e := range core {
		if err := w.put(e); err != nil {
			return err
		}
	}
	return w.end(p)
}

// readState fills core.
func readState(path string, core []int32) (p Progress, err error) {
	f, err := memory.Open(path)
	if err != nil {
		return p, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return p, err
	}
	data := 4 * int64(len(core))
	rest := size - data // of JSON, its length, and the sum
	if rest < 8 || rest > 64<<20 {
		return p, format.CorruptAt(path, 0, "state", fmt.Sprintf("%d bytes", size), fmt.Sprintf("%d and some", data))
	}
	crc := uint32(0)
	buf := make([]byte, stateChunk)
	for at := int64(0); at < data; at += stateChunk {
		part := buf[:min(stateChunk, data-at)]
		if _, err := f.ReadAt(part, at); err != nil {
			return p, format.ReadError(path, at, "estimates", err)
		}
		crc = crc32.Update(crc, castagnoli, part)
		for i := 0; i < len(part); i += 4 {
			core[(at+int64(i))/4] = int32(binary.LittleEndian.Uint32(part[i:]))
		}
	}
	tail := make([]byte, rest)
	if _, err := f.ReadAt(tail, data); err != nil {
		return p, format.ReadError(path, data, "progress", err)
	}
	text, length := tail[:rest-8], binary.LittleEndian.Uint32(tail[rest-8:])
	crc = crc32.Update(crc, castagnoli, tail[:rest-4])
	if crc != binary.LittleEndian.Uint32(tail[rest-4:]) || int64(length) != int64(len(text)) {
		return p, format.CorruptAt(path, 0, "state", "a wrong checksum", "what was written").
			WithHint(again)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, format.CorruptAt(path, data, "progress", "", "JSON").WithCause(err)
	}
	return p, nil
}
