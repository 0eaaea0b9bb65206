package kcore

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/format"
)

// Change is a line of a log of changes: "+ u v", an edge that came, or "- u v", one that went.
type Change struct {
	Insert bool
	U, V   int64
	Line   int
}

// ReadChanges calls do with the changes of a log, in order. Lines that begin with # or % are comments.
func ReadChanges(path string, do func(Change) error) error {
	text, err := format.OpenText(path)
	if err != nil {
		return err
	}
	defer text.Close()
	text.Skip = "#%"
	for text.Next() {
		if !text.More() {
			continue
		}
		sign, _ := text.Field()
		c := Change{Insert: string(sign) == "+", Line: text.Line}
		if !c.Insert && string(sign) != "-" {
			return text.Corrupt("change", fmt.Sprintf("%q", sign), `"+ u v" or "- u v"`, "")
		}
		if c.U, err = text.Natural("first vertex", 0, math.MaxInt64); err != nil {
			return err
		}
		if c.V, err = text.Natural("second vertex", 0, math.MaxInt64); err != nil {
			return err
		}
		if text.More() {
			return text.Corrupt("change", "more than two vertices", `"+ u v" or "- u v"`, "")
		}
		if err := do(c); err != nil {
			return err
		}
	}
	return text.Err()
}

// Update is what a log of changes came to.
type Update struct {
	Inserted int64 `json:"inserted"`
	Deleted  int64 `json:"deleted"`
	Known    int64 `json:"already_there"` // insertions of edges that were there, or self-loops
	Missing  int64 `json:"not_there"`     // deletions of edges that were not
}

// Apply applies a log.
func (m *Maintained) Apply(path string) (u Update, err error) {
	err = ReadChanges(path, func(c Change) error {
		a, okA := m.g.Find(c.U)
		b, okB := m.g.Find(c.V)
		if !okA || !okB {
			return format.CorruptLine(path, c.Line, "change", fmt.Sprintf("edge %d – %d", c.U, c.V), "vertices of the graph")
		}
		switch {
		case c.Insert && m.Insert(int32(a), int32(b)):
			u.Inserted++
		case c.Insert:
			u.Known++
		case m.Delete(int32(a), int32(b)):
			u.Deleted++
		default:
			u.Missing++
		}
		return nil
	})
	return u, err
}
