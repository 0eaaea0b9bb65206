package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// Is reports whether path is a run directory.
func Is(path string) bool {
	r, err := readRecord(path)
	return err == nil && r.model != ""
}

// Describe tells what a run directory holds: model, state, result, settings.
func Describe(path string) (format.Description, error) {
	r, err := readRecord(path)
	if err != nil {
		return format.Description{}, err
	}
	d := format.Description{Format: "run", Path: path, Title: "run of " + r.model}
	d.Add("started", r.run.Started.Format("2006-01-02 15:04:05"))
	d.Add("seraph", r.run.Seraph)
	folders, err := trialFolders(path)
	if err != nil {
		return d, err
	}
	finished := 0
	for _, folder := range folders {
		outcome, err := readTrial(folder)
		if err != nil {
			return d, err
		}
		name, _ := filepath.Rel(path, folder)
		if outcome != nil {
			finished++
			d.Add(strings.TrimPrefix(name+": ", ".: ")+"outcome", formatMetrics(outcome.Metrics))
			continue
		}
		steps, err := listCheckpoints(filepath.Join(folder, "checkpoints"))
		if err != nil {
			return d, err
		}
		if len(steps) > 0 {
			d.Add(strings.TrimPrefix(name+": ", ".: ")+"checkpoint of step", steps[0])
		}
	}
	state := "not finished; --resume goes on with it"
	if _, err := os.Stat(filepath.Join(path, resultName)); err == nil {
		state = "finished"
	}
	d.Add("state", state)
	d.Columns = []string{"setting", "value", "from"}
	for _, line := range r.order {
		from := r.origins[line]
		d.Rows = append(d.Rows, []string{line, r.settings[line], from.comment()})
	}
	return d, nil
}

// Check verifies everything in a run directory that can be: settings, plans, metrics, every checkpoint, every model, and that the
// result is theirs.
func Check(path string) error {
	record, err := readRecord(path)
	if err != nil {
		return err
	}
	if _, err := readEnvironment(&Dir{Path: path}); err != nil {
		return err
	}
	for _, name := range []string{planName, planImportName} {
		if err := checkIfThere(filepath.Join(path, name), checkPlan); err != nil {
			return err
		}
	}
	folders, err := trialFolders(path)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := checkTrial(folder); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(path, resultName)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if isSearch(record.model) {
		return checkFound(path)
	}
	if len(folders) > 1 {
		if err := checkMetrics(filepath.Join(path, metricsName)); err != nil {
			return err
		}
	}
	if err := checkResult(path, folders); err != nil {
		return err
	}
	return checkModel(filepath.Join(path, modelFolder))
}

// checkTrial verifies what a trial left: outcome and model, metrics, checkpoints.
func checkTrial(folder string) error {
	if _, err := readTrial(folder); err != nil {
		return err
	}
	if err := checkIfThere(filepath.Join(folder, metricsName), checkMetrics); err != nil {
		return err
	}
	checkpoints := filepath.Join(folder, "checkpoints")
	steps, err := listCheckpoints(checkpoints)
	if err != nil {
		return err
	}
	for _, step := range steps {
		c, err := openCheckpoint(filepath.Join(checkpoints, strconv.Itoa(step)), step)
		if err != nil {
			return err
		}
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// trialFolders are the folders of the trials of a run: seeds/S, or the run directory itself.
func trialFolders(path string) ([]string, error) {
	seeds, err := os.ReadDir(filepath.Join(path, "seeds"))
	if errors.Is(err, fs.ErrNotExist) {
		return []string{path}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for seeds: %w", err)
	}
	var folders []string
	for _, e := range seeds {
		folders = append(folders, filepath.Join(path, "seeds", e.Name()))
	}
	return folders, nil
}
