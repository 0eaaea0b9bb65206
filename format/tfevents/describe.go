package tfevents

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/seraph-ml/seraph/format"
)

// curve is what Describe says of a tag.
type curve struct {
	kind        string
	events      int
	first, last int64 // steps
	value       Value // the last
}

// Describe tells which tags the file holds and their last values. A record that is cut short at its end is a note.
func Describe(path string) (format.Description, error) {
	d := format.Description{Format: "tfevents", Path: path, Title: "TensorBoard events"}
	curves := map[string]*curve{}
	events := 0
	var first, last float64
	for e, err := range Read(path) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			d.Notes = append(d.Notes, err.Error())
			break
		}
		if err != nil {
			return d, err
		}
		if events == 0 {
			first = e.Wall
		}
		last = e.Wall
		events++
		if e.Version != "" {
			d.Add("version", e.Version)
		}
		if e.Start {
			d.Notes = append(d.Notes, fmt.Sprintf("a session starts at step %d: what other files of the run say of it and later ones is void", e.Step))
		}
		for _, v := range e.Values {
			c := curves[v.Tag]
			if c == nil {
				c = &curve{first: e.Step}
				curves[v.Tag] = c
			}
			c.kind, c.last, c.value = v.Kind, e.Step, v
			c.events++
		}
	}
	d.Add("events", events)
	if events > 0 {
		d.Add("from", at(first))
		d.Add("to", at(last))
	}
	d.Columns = []string{"tag", "kind", "values", "steps", "last value"}
	for _, tag := range slices.Sorted(maps.Keys(curves)) {
		c := curves[tag]
		value := ""
		switch c.kind {
		case "scalar":
			value = fmt.Sprint(c.value.Scalar)
		case "text":
			value = fmt.Sprintf("%.60q", c.value.Text)
		}
		d.Rows = append(d.Rows, []string{tag, c.kind, fmt.Sprint(c.events), fmt.Sprintf("%d … %d", c.first, c.last), value})
	}
	return d, nil
}

func at(wall float64) string {
	return time.UnixMilli(int64(wall * 1000)).UTC().Format(time.RFC3339)
}

// Check reads every record and verifies its checksums; a record that is cut short is an error.
func Check(path string) error {
	for _, err := range Read(path) {
		if err != nil {
			return err
		}
	}
	return nil
}
