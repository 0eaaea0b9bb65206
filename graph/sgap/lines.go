package sgap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/seraph-ml/seraph/format"
)

// lineFile is a file of JSON lines that only grows: a line is there once its end is.
type lineFile struct {
	path string
	file *os.File
}

// lineName is what a line is called in errors.
const lineName = "line of a search"

// openLines opens a file of lines, or begins one, and returns the lines that it has, each read into a blank one and valid, which is
// what is expected. What stands behind the last one is cut off.
func openLines[T any](path, expected string, blank func() T, valid func(*T) bool) (f *lineFile, lines []T, err error) {
	f = &lineFile{path: path}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	for line := range bytes.Lines(text[:whole]) {
		l := blank()
		if err := json.Unmarshal(line, &l); err != nil || !valid(&l) {
			return nil, nil, format.CorruptLine(path, len(lines)+1, lineName, fmt.Sprintf("%.60q", bytes.TrimSuffix(line, []byte("\n"))), expected).WithCause(err)
		}
		lines = append(lines, l)
	}
	if f.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, nil, fmt.Errorf("write what was tried: %w", err)
	}
	if err := f.file.Truncate(int64(whole)); err != nil {
		return nil, nil, errors.Join(err, f.close())
	}
	if _, err := f.file.Seek(int64(whole), 0); err != nil {
		return nil, nil, errors.Join(err, f.close())
	}
	return f, lines, nil
}

// add writes a line.
func (f *lineFile) add(line any) error {
	text, err := json.Marshal(line)
	if err == nil {
		_, err = f.file.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write what was tried: %w", err)
	}
	return nil
}

// corrupt says what is wrong with line n, from 0.
func (f *lineFile) corrupt(n int, err error) error {
	return format.CorruptLine(f.path, n+1, lineName, "", "").WithCause(err)
}

func (f *lineFile) close() error { return f.file.Close() }
