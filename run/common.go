package run

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Common returns the settings that every model has, each a flag of the same name.
func Common() []Setting {
	return []Setting{
		{Key: "data", Type: String, Scope: OfData, Doc: "the input"},
		{Key: "memory", Type: Size, Scope: OfMachine, Min: "1MiB", Default: "80 % of the available memory", auto: defaultMemory,
			Doc: "the most memory that the job may hold"},
		{Key: "disk", Type: String, Scope: OfMachine, Check: checkDisk, Doc: "DIR:SIZE, where what does not fit in memory may go; none: beside the run"},
		{Key: "threads", Type: Int, Scope: OfMachine, Min: "1", Max: "4096", Default: "all processors", auto: defaultThreads, Doc: "threads to compute with"},
		{Key: "seed", Type: Int, Min: "0", Default: "0", Doc: "the seed of all that is random"},
		{Key: "seeds", Type: Int, Min: "1", Max: "100000", Default: "1", Doc: "how many seeds to train: seed, seed+1, …"},
		{Key: "precision", Type: Choice, Choices: []string{"f32", "bf16"}, Default: "f32", Doc: "the type of the operands of products; sums and weights are always float32"},
		{Key: "checkpoint-every", Type: Int, Scope: OfMachine, Min: "0", Default: "0",
			Doc: "steps (epochs, where a model counts those) from checkpoint to checkpoint; 0: about one a minute"},
	}
}

func defaultMemory() (string, error) {
	n, err := memory.DefaultBudget()
	if err != nil {
		return "", fmt.Errorf("%w; give --memory", err)
	}
	return fmt.Sprintf("%dMiB", n>>20), nil // rounded down: FormatSize rounds up
}

func defaultThreads() (string, error) { return fmt.Sprint(memory.CPUs()), nil }

func checkDisk(text string) error {
	if text == "" {
		return nil
	}
	_, err := memory.ParseDisk(text)
	return err
}

const noPreset = "none"

// presetSetting is the setting that chooses among the presets of a model.
func presetSetting(presets []Preset) Setting {
	s := Setting{Key: "preset", Type: Choice, Choices: []string{noPreset}, Default: noPreset, Doc: "named settings to start from"}
	for _, p := range presets {
		s.Choices = append(s.Choices, p.Name)
	}
	return s
}

// All returns all settings of the model, the common ones first.
func (s Spec) All() []Setting {
	list := Common()
	if len(s.Presets) > 0 {
		list = append(list, presetSetting(s.Presets))
	}
	place := map[string]int{}
	for i := range list {
		place[list[i].Key] = i
	}
	for _, own := range s.Settings {
		if i, ok := place[own.Key]; ok {
			list[i] = own
		} else {
			list = append(list, own)
		}
	}
	return list
}

// Check verifies that a spec keeps to the rules: names, defaults and presets that parse, a doc for everything.
func (s *Spec) Check() error {
	if s.Name == "" || s.Title == "" || s.Data == "" {
		return fmt.Errorf("spec of %q: name, title and data must be given", s.Name)
	}
	all := s.All()
	for _, list := range [][]Setting{all, s.Sampling} {
		seen := map[string]bool{}
		for i := range list {
			setting := &list[i]
			if err := setting.wellFormed(); err != nil {
				return fmt.Errorf("spec of %s: %w", s.Name, err)
			}
			if seen[setting.Key] {
				return fmt.Errorf("spec of %s: setting %s twice", s.Name, setting.Key)
			}
			seen[setting.Key] = true
		}
	}
	for _, p := range s.Presets {
		if p.Name == "" || p.Doc == "" {
			return fmt.Errorf("spec of %s: preset %q needs name and doc", s.Name, p.Name)
		}
		for key, text := range p.Values {
			setting := find(all, key)
			if setting == nil {
				return fmt.Errorf("spec of %s: preset %s sets %s, which is not a setting", s.Name, p.Name, key)
			}
			if _, err := setting.parse(text); err != nil {
				return fmt.Errorf("spec of %s: preset %s: %w", s.Name, p.Name, err)
			}
		}
	}
	return nil
}

func (s *Setting) wellFormed() error {
	if s.Key == "" || strings.Trim(s.Key, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || reserved[s.Key] {
		return fmt.Errorf("setting %q: expected a free name of a-z, 0-9 and -", s.Key)
	}
	if s.Doc == "" {
		return fmt.Errorf("setting %s has no doc", s.Key)
	}
	for _, bound := range []string{s.Min, s.Max} {
		if bound == "" {
			continue
		}
		if _, err := s.parseType(bound); err != nil {
			return fmt.Errorf("setting %s: bound %s: %w", s.Key, bound, err)
		}
	}
	if s.auto != nil || s.Default == "" && (s.Type == String || s.Type == Choice) {
		return nil
	}
	_, err := s.parse(s.Default)
	return err
}

// reserved are the names that mean something else in seraph.toml, config.toml or the environment.
var reserved = map[string]bool{"cpu": true, "test-data": true, "test-strict": true, "set": true, "out": true, "resume": true, "json": true, "quiet": true, "log-level": true, "allow-other-bits": true}

func find(list []Setting, key string) *Setting {
	for i := range list {
		if list[i].Key == key {
			return &list[i]
		}
	}
	return nil
}
