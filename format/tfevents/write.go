package tfevents

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Scalar is a number to record under a tag.
type Scalar struct {
	Tag   string
	Value float64 // stored as float32
}

// Writer writes an event file. Each call writes whole records at once, so that a reader, or a crash, finds at most the last
// one cut.
type Writer struct {
	Path string

	file   *os.File
	buffer []byte
}

// Create begins a new event file in dir. Where a run resumes after step resumed, what other files in dir record of later steps
// is void; 0 for a run from the start.
func Create(dir string, wall time.Time, resumed int64) (*Writer, error) {
	for i := 0; ; i++ {
		path := filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%010d.seraph.%d", wall.Unix(), i))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue // two starts within a second
		}
		if err != nil {
			return nil, fmt.Errorf("write events: %w", err)
		}
		w := &Writer{Path: path, file: f}
		w.add(message(nil).double(1, seconds(wall)).text(3, "brain.Event:2"))
		if resumed > 0 {
			start := message(nil).varint(1, 1) // SessionLog.status: START
			w.add(newEvent(wall, resumed+1).bytes(7, start))
		}
		return w, w.flush()
	}
}

// Scalars records numbers of a step.
func (w *Writer) Scalars(wall time.Time, step int64, scalars ...Scalar) error {
	summary := message(nil)
	for _, s := range scalars {
		summary = summary.bytes(1, message(nil).text(1, s.Tag).float(2, float32(s.Value)))
	}
	w.add(newEvent(wall, step).bytes(5, summary))
	return w.flush()
}

// Text records a text of a step; TensorBoard shows it as Markdown.
func (w *Writer) Text(wall time.Time, step int64, tag, text string) error {
	w.add(newEvent(wall, step).bytes(5, message(nil).bytes(1, textValue(tag, text))))
	return w.flush()
}

func (w *Writer) add(event message) { w.buffer = appendRecord(w.buffer, event) }

func (w *Writer) flush() error {
	_, err := w.file.Write(w.buffer)
	w.buffer = w.buffer[:0]
	if err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

// Close closes the file.
func (w *Writer) Close() error {
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}
