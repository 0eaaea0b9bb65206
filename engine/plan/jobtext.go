package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/seraph-ml/seraph/engine/memory"
)

// JobVersion is the version of plan.json.
const JobVersion = 1

// WriteTable writes the plan for people: predicted peak and time, and for each stage what it holds where. After the run
// the actual figures stand beside the predicted ones.
func (j *Job) WriteTable(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "plan: peak %s of %s, %s", memory.FormatSize(j.Peak()), memory.FormatSize(j.Budget), FormatSeconds(j.Seconds()))
	if j.ActualPeak > 0 {
		fmt.Fprintf(&b, "; actual peak %s, %s", memory.FormatSize(j.ActualPeak), FormatSeconds(j.Actual))
	}
	b.WriteByte('\n')
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(stage, item, size, where, note string) {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", stage, item, size, where, note)
	}
	row("stage", "holds", "bytes", "where", "")
	row("all", "code, Go heap, buffers", memory.FormatSize(j.Baseline), string(Resident), "")
	for i := range j.Stages {
		s := &j.Stages[i]
		name := s.Name
		for _, item := range s.Items {
			row(name, item.Name, memory.FormatSize(item.Bytes), string(item.Where), item.Note)
			name = ""
		}
		row(name, "= peak", memory.FormatSize(j.Baseline+s.Peak()), "", s.summary())
		if s.ActualPeak > 0 || s.Actual > 0 {
			row("", "= actual", memory.FormatSize(s.ActualPeak), "", FormatSeconds(s.Actual))
		}
	}
	t.Flush()
	if !j.Measured {
		b.WriteString("times are guesses for a slow machine; seraph doctor measures this one\n")
	}
	// tabwriter pads the last, empty columns.
	var lines [][]byte
	for line := range bytes.Lines(b.Bytes()) {
		lines = append(lines, append(bytes.TrimRight(line, " \n"), '\n'))
	}
	_, err := w.Write(bytes.Join(lines, nil))
	return err
}

// summary says how long the stage should take and what passes through the disk.
func (s *Stage) summary() string {
	text := FormatSeconds(s.Seconds)
	if s.DiskRead > 0 {
		text += ", reads " + memory.FormatSize(s.DiskRead)
	}
	if s.DiskWrite > 0 {
		text += ", writes " + memory.FormatSize(s.DiskWrite)
	}
	return text
}

// FormatSeconds writes a duration with two or three digits: "0.3 ms", "4.1 s", "2 min 5 s", "3 h 20 min".
func FormatSeconds(s float64) string {
	digits := func(x float64) string {
		if x < 9.95 {
			return strconv.FormatFloat(x, 'f', 1, 64)
		}
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	switch {
	case s < 0.9995:
		return digits(1e3*s) + " ms"
	case s < 99.5:
		return digits(s) + " s"
	case s < 2*3600:
		n := int64(s + 0.5)
		return fmt.Sprintf("%d min %d s", n/60, n%60)
	}
	minutes := int64(s/60 + 0.5)
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

// JSON returns the plan as it stands in plan.json.
func (j *Job) JSON() ([]byte, error) {
	j.Version = JobVersion
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	return append(text, '\n'), nil
}

// ParseJob reads a plan that JSON wrote.
func ParseJob(text []byte) (*Job, error) {
	j := &Job{}
	if err := json.Unmarshal(text, j); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	if j.Version != JobVersion {
		return nil, fmt.Errorf("read the plan: version %d, expected %d", j.Version, JobVersion)
	}
	const most = 1 << 50 // bytes, so that sums stay far from overflowing
	if j.Baseline < 0 || j.Baseline > most {
		return nil, fmt.Errorf("read the plan: a baseline of %d bytes", j.Baseline)
	}
	for i := range j.Stages {
		for _, item := range j.Stages[i].Items {
			if item.Bytes < 0 || item.Bytes > most {
				return nil, fmt.Errorf("read the plan: stage %d (%s): %s has %d bytes", i, j.Stages[i].Name, item.Name, item.Bytes)
			}
		}
	}
	return j, nil
}
