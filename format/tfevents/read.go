package tfevents

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// maxRecord is the longest record read, in bytes: images and graphs may be large.
const maxRecord = 256 << 20

// Is says whether a file is one of events: by its name, and by its first bytes, which carry a checksum of their own.
func Is(path string, head []byte) bool {
	if len(head) < 12 {
		return strings.Contains(filepath.Base(path), ".tfevents.")
	}
	return binary.LittleEndian.Uint32(head[8:]) == maskedCRC(head[:8])
}

// Read reads the events of a file in order, until the loop ends or an error comes. A record that is cut short at the end of
// the file is an error that errors.Is(err, io.ErrUnexpectedEOF) tells from others: whoever writes the file may not be done.
func Read(path string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s, err := format.Open(path)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer s.Close()
		read(s, yield)
	}
}

func read(s *format.Source, yield func(Event, error) bool) {
	var record []byte
	for at := int64(0); at < s.Size || at == 0; {
		e, next, err := readRecord(s, at, &record)
		if !yield(e, err) || err != nil {
			return
		}
		at = next
	}
}

// readRecord reads the record at an offset and returns where the next one begins.
func readRecord(s *format.Source, at int64, buffer *[]byte) (e Event, next int64, err error) {
	var head [12]byte
	if s.Size-at < int64(len(head)) {
		return e, 0, cut(s, at)
	}
	if err := s.ReadFull(head[:], at, "record length"); err != nil {
		return e, 0, err
	}
	if sum := binary.LittleEndian.Uint32(head[8:]); sum != maskedCRC(head[:8]) {
		return e, 0, s.Corrupt(at, "checksum of the record's length", fmt.Sprintf("%08x", sum), fmt.Sprintf("%08x", maskedCRC(head[:8]))).
			WithHint("the file is damaged, or not one of TensorBoard events")
	}
	length := binary.LittleEndian.Uint64(head[:8])
	if length > maxRecord {
		return e, 0, s.Corrupt(at, "record length", fmt.Sprint(length), fmt.Sprintf("at most %d", maxRecord))
	}
	size := int(length) + 4
	if int64(size) > s.Size-at-int64(len(head)) {
		return e, 0, cut(s, at)
	}
	if cap(*buffer) < size {
		*buffer = make([]byte, size)
	}
	record := (*buffer)[:size]
	if err := s.ReadFull(record, at+int64(len(head)), "record"); err != nil {
		return e, 0, err
	}
	event, sum := record[:length], binary.LittleEndian.Uint32(record[length:])
	if sum != maskedCRC(event) {
		return e, 0, s.Corrupt(at, "checksum of the record", fmt.Sprintf("%08x", sum), fmt.Sprintf("%08x", maskedCRC(event))).WithHint("the file is damaged")
	}
	if e, err = parseEvent(event); err != nil {
		return e, 0, s.Corrupt(at+int64(len(head)), "event", "", "").WithCause(err)
	}
	return e, at + int64(len(head)+size), nil
}

// cut is the error of a record that the file ends in.
func cut(s *format.Source, at int64) error {
	return s.Corrupt(at, "record", "the end of the file", "a whole record").WithCause(io.ErrUnexpectedEOF).
		WithHint("the program that wrote it was stopped, or is not done; all records before are whole")
}
