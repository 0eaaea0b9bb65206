package sgap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph/search"
)

// journalName is the file of a run directory that a search goes on from.
const journalName = "trials.jsonl"

// journal is what a search did, a line each, in its order: {"asked": DESIGN}, {"told": DESIGN, …}, {"final": DESIGN, …}. It only grows; a line is
// there once its end is. No times are in it but where they are an objective: a resumed search has the same bytes.
type journal struct {
	path  string
	file  *os.File
	lines []journalLine // that it had when it was opened
}

type journalLine struct {
	Asked string `json:"asked,omitempty"`
	Told  string `json:"told,omitempty"`
	Final string `json:"final,omitempty"`
	*tried
}

// openJournal opens a journal, or begins one. What stands behind its last line is cut off.
func openJournal(path string) (*journal, error) {
	j := &journal{path: path}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	for n, line := range bytes.Split(bytes.TrimSuffix(text[:whole], []byte("\n")), []byte("\n")) {
		if whole == 0 {
			break
		}
		l := journalLine{tried: &tried{}}
		if err := json.Unmarshal(line, &l); err != nil || !l.names() {
			return nil, format.CorruptLine(path, n+1, "line of a search", fmt.Sprintf("%.60q", line), "a design that was asked for or told").WithCause(err)
		}
		j.lines = append(j.lines, l)
	}
	if j.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, fmt.Errorf("write the trials: %w", err)
	}
	if err := j.file.Truncate(int64(whole)); err != nil {
		return nil, errors.Join(err, j.file.Close())
	}
	if _, err := j.file.Seek(int64(whole), 0); err != nil {
		return nil, errors.Join(err, j.file.Close())
	}
	return j, nil
}

// asked records that a design is being tried.
func (j *journal) asked(d search.Design) error { return j.add(journalLine{Asked: d.String()}) }

// told records what came of a design, and makes sure of it.
func (j *journal) told(e *tried) error {
	return errors.Join(j.add(journalLine{Told: e.design.String(), tried: e}), j.file.Sync())
}

// confirmed records what came of a finalist.
func (j *journal) confirmed(e *tried) error {
	return errors.Join(j.add(journalLine{Final: e.design.String(), tried: e}), j.file.Sync())
}

// names says whether the line names one design.
func (l *journalLine) names() bool {
	n := 0
	for _, text := range []string{l.Asked, l.Told, l.Final} {
		if text != "" {
			n++
		}
	}
	return n == 1
}

func (j *journal) add(l journalLine) error {
	text, err := json.Marshal(l)
	if err == nil {
		_, err = j.file.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the trials: %w", err)
	}
	return nil
}

// corrupt says what is wrong with line n, from 0.
func (j *journal) corrupt(n int, err error) error {
	return format.CorruptLine(j.path, n+1, "line of a search", "", "").WithCause(err)
}

func (j *journal) close() error { return j.file.Close() }
