package sgap

import (
	"errors"

	"github.com/seraph-ml/seraph/graph/search"
)

// journalName is the file of a run directory that a search goes on from.
const journalName = "trials.jsonl"

// journal is what a search did, a line each, in its order: {"asked": DESIGN}, {"told": DESIGN, …}, {"final": DESIGN, …}. No times are in it
// but where they are an objective: a resumed search has the same bytes.
type journal struct {
	*lineFile
	lines []journalLine // that it had when it was opened
}

type journalLine struct {
	Asked string `json:"asked,omitempty"`
	Told  string `json:"told,omitempty"`
	Final string `json:"final,omitempty"`
	*tried
}

// openJournal opens a journal, or begins one.
func openJournal(path string) (*journal, error) {
	blank := func() journalLine { return journalLine{tried: &tried{}} }
	file, lines, err := openLines(path, "a design that was asked for or told", blank, (*journalLine).names)
	return &journal{file, lines}, err
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
