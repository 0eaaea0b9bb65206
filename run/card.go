package run

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/seraph-ml/seraph/engine/memory"
)

const cardName = "README.md"

// card is the model card: what, on which data, with which settings, to which result, how to repeat it. Its head is the
// metadata that the Hugging Face hub reads.
func (j *Job) card(r *Result, finished time.Time) string {
	spec := j.task.Spec()
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	data := filepath.Base(r.Data)
	p("---\nlibrary_name: seraph")
	if spec.Task != "" {
		p("pipeline_tag: %s", spec.Task)
	}
	p("tags:\n- %s", spec.Name)
	p("model-index:\n- name: %s\n  results:\n  - task:\n      type: %s\n    dataset:\n      name: %q\n      type: %q\n    metrics:", spec.Name, cmp.Or(spec.Task, "other"), data, data)
	for _, m := range j.summary() {
		p("    - type: %s\n      name: %q\n      value: %v", m.Name, words(m.Name), m.Mean)
	}
	p("---\n\n# %s on %s\n\n%s. Method: %s.", spec.Name, data, spec.Title, cmp.Or(spec.Paper, "see the settings"))
	p("\nTrained with Seraph %s on %s, %s. Everything about the run is in [report.html](%s).", j.environment.Seraph, data, finished.Format("2 January 2006"), reportName)

	p("\n## Result\n\n| metric | value |\n|---|---:|")
	for _, m := range j.summary() {
		value := formatMetric(m.Name, m.Mean)
		if j.Seeds > 1 {
			value += " ± " + formatMetric(m.Name, m.Std)
		}
		p("| %s | %s |", words(m.Name), value)
	}
	if j.Seeds > 1 {
		p("\nMean and standard deviation over %d seeds, %d to %d; the model here is that of seed %d, the best on validation.", j.Seeds, j.Seed, j.trials[len(j.trials)-1].Seed, j.Best().Seed)
	}
	p("\nPeak memory %s of a budget of %s.", memory.FormatSize(r.PeakRSS), memory.FormatSize(j.Memory))
	if len(r.Degraded) > 0 {
		p("\nWhat was reduced:\n")
		for _, text := range r.Degraded {
			p("- %s", text)
		}
	}

	p("\n## How to repeat it\n\n    %s\n\nThe same command gives the same bits on %s kernels; SHA-256 of the weights: `%s`.", strings.ReplaceAll(j.command(), "\n", "\n    "), j.environment.Level, r.WeightsHash)

	p("\n## Settings\n\n| setting | value | from |\n|---|---|---|")
	for i := range j.Values {
		v := &j.Values[i]
		if v.Scope == OfMachine {
			continue
		}
		p("| %s | %s | %s |", v.Key, escapeCell(v.Text), escapeCell(v.comment()))
	}

	p("\n## Files\n\n- `model/`: configuration and weights, in Hugging Face's layout\n- `config.toml`, `plan.json`, `metrics.jsonl`: settings, plan and curves of the run")
	if spec.Use != "" {
		p("\n## Intended use\n\n%s", spec.Use)
	}
	if spec.Limits != "" {
		p("\n## Limits\n\n%s", spec.Limits)
	}
	return b.String()
}

func escapeCell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

// command is the command line that gives this run again: what is neither default nor found by the run itself nor of this
// machine, wherever it came from.
func (j *Job) command() string {
	spec := j.task.Spec()
	parts := []string{"seraph " + spec.command()}
	common := Common()
	for i := range j.Values {
		v := &j.Values[i]
		if v.Scope == OfMachine || v.Origin == FromDefault || v.Origin == FromTuning || v.Origin == FromPreset {
			continue
		}
		if find(common, v.Key) != nil || v.Key == "preset" {
			parts = append(parts, "--"+v.Key+" "+quote(v.Text))
		} else {
			parts = append(parts, "--set "+quote(v.Key+"="+v.Text))
		}
	}
	return strings.Join(parts, " ")
}

// quote writes a word as a shell reads it.
func quote(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/=:,+@%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
