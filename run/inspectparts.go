package run

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/safetensors"
)

// describeCheckpoint tells what a checkpoint holds, from its manifest and headers.
func describeCheckpoint(path string) (format.Description, error) {
	m, err := readManifest(filepath.Join(path, manifestName))
	if err != nil {
		return format.Description{}, err
	}
	d, err := safetensors.Describe(filepath.Join(path, tensorsName))
	if err != nil {
		return d, err
	}
	tensors := d.Fields
	d = format.Description{Format: "checkpoint", Path: path, Title: fmt.Sprintf("checkpoint of step %d", m.Step), Columns: d.Columns, Rows: d.Rows, Notes: d.Notes}
	for _, seal := range m.Files {
		d.Add(seal.Name, fmt.Sprintf("%s, SHA-256 %s", memory.FormatSize(seal.Bytes), seal.SHA256))
	}
	d.Fields = append(d.Fields, tensors...)
	return d, nil
}

// checkCheckpoint verifies every byte against the manifest. The folder may have been moved: its name need not be its step.
func checkCheckpoint(path string) error {
	m, err := readManifest(filepath.Join(path, manifestName))
	if err != nil {
		return err
	}
	c, err := openCheckpoint(path, m.Step)
	if err != nil {
		return err
	}
	var state json.RawMessage
	return errors.Join(c.State(&state), c.Close())
}

// describeModel tells what a trained model is, from its configuration and headers.
func describeModel(path string) (format.Description, error) {
	config, err := readSmall(filepath.Join(path, modelConfig), maxModelConfig)
	if err != nil {
		return format.Description{}, err
	}
	var c struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return format.Description{}, format.CorruptAt(filepath.Join(path, modelConfig), -1, "configuration", "", "").WithCause(err)
	}
	d, err := safetensors.Describe(filepath.Join(path, modelWeights))
	if err != nil {
		return d, err
	}
	d.Format, d.Path, d.Title = "model", path, "trained model of type "+strconv.Quote(c.ModelType)
	return d, nil
}

// checkModel verifies a trained model: its configuration, every tensor, and, where the trial that made it lies beside it, every
// byte.
func checkModel(path string) error {
	if _, err := describeModel(path); err != nil {
		return err
	}
	if filepath.Base(filepath.Clean(path)) == modelFolder {
		if _, err := readTrial(filepath.Dir(filepath.Clean(path))); err != nil {
			return err
		}
	}
	return safetensors.Check(filepath.Join(path, modelWeights))
}

// describePlan tells what a plan.json says: a row an item that a stage holds.
func describePlan(path string) (format.Description, error) {
	p, err := readPlan(path)
	if err != nil {
		return format.Description{}, err
	}
	d := format.Description{Format: "plan", Path: path, Title: fmt.Sprintf("plan of a job in %d stages", len(p.Stages))}
	d.Add("budget", memory.FormatSize(p.Budget))
	d.Add("predicted peak", memory.FormatSize(p.Peak()))
	d.Add("predicted time", plan.FormatSeconds(p.Seconds()))
	if p.ActualPeak > 0 {
		d.Add("actual peak", memory.FormatSize(p.ActualPeak))
		d.Add("actual time", plan.FormatSeconds(p.Actual))
	}
	d.Columns = []string{"stage", "holds", "bytes", "where", "note"}
	d.Rows = append(d.Rows, []string{"all", "code, Go heap, buffers", memory.FormatSize(p.Baseline), string(plan.Resident), ""})
	for i := range p.Stages {
		for _, item := range p.Stages[i].Items {
			d.Rows = append(d.Rows, []string{p.Stages[i].Name, item.Name, memory.FormatSize(item.Bytes), string(item.Where), item.Note})
		}
	}
	return d, nil
}

func readPlan(path string) (*plan.Job, error) {
	text, err := readSmall(path, maxSmall)
	if err != nil {
		return nil, err
	}
	p, err := plan.ParseJob(text)
	if err != nil {
		return nil, format.CorruptAt(path, -1, "plan", "", "").WithCause(err)
	}
	return p, nil
}

// checkPlan verifies a plan.json.
func checkPlan(path string) error {
	_, err := readPlan(path)
	return err
}

// describeMetrics tells how far a metrics.jsonl goes and what each metric came to.
func describeMetrics(path string) (format.Description, error) {
	if err := checkMetrics(path); err != nil {
		return format.Description{}, err
	}
	curves, err := readCurves(path)
	if err != nil {
		return format.Description{}, err
	}
	d := format.Description{Format: "metrics", Path: path, Title: fmt.Sprintf("%d metrics", len(curves)), Columns: []string{"metric", "first", "last", "last step"}}
	for _, c := range curves {
		values := c.values()
		n := len(values)
		d.Rows = append(d.Rows, []string{c.name, fmt.Sprintf("%.5g", values[0]), fmt.Sprintf("%.5g", values[n-1]), fmt.Sprint(c.steps[n-1])})
		if c.every > 1 && len(d.Notes) == 0 {
			d.Notes = append(d.Notes, c.remark())
		}
	}
	return d, nil
}

// checkMetrics verifies that every line can be read. The last one may be cut: the training may still run, or was killed.
func checkMetrics(path string) error {
	line := 0
	var bad error
	err := eachLine(path, func(text []byte) bool {
		line++
		if !parseMetrics(text, func([]byte, float64) {}) {
			bad = format.CorruptLine(path, line, "metrics", fmt.Sprintf("%.60q", bytes.TrimRight(text, "\n")), `{"step":1,"loss":0.5,…}`)
		}
		return bad == nil
	})
	return errors.Join(err, bad)
}

// checkIfThere is a check of a file that need not exist.
func checkIfThere(path string, check func(path string) error) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return check(path)
}

// checkResult verifies that the result of a finished run is that of its trials, all of which are verified already, and its model
// that of the best one.
func checkResult(path string, folders []string) error {
	result := filepath.Join(path, resultName)
	text, err := readSmall(result, maxSmall)
	if err != nil {
		return err
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		return format.CorruptAt(result, -1, "result", "", "").WithCause(err)
	}
	var trials []*trialRecord
	for _, folder := range folders {
		t, err := readTrial(folder)
		if err != nil {
			return err
		}
		if t == nil {
			return format.CorruptAt(result, -1, "result", "none for "+folder, "one for every seed of a finished run")
		}
		trials = append(trials, t)
	}
	slices.SortFunc(trials, func(a, b *trialRecord) int { return cmp.Compare(a.Seed, b.Seed) })
	if hash := weightsHash(trials); hash != r.WeightsHash {
		return format.CorruptAt(result, -1, "weights_sha256", r.WeightsHash, hash)
	}
	best := trials[0]
	for _, t := range trials {
		if t.Score > best.Score {
			best = t
		}
	}
	for _, seal := range best.Files {
		if err := seal.verify(filepath.Join(path, modelFolder)); err != nil {
			return err
		}
	}
	return nil
}
