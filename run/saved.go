package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/safetensors"
)

// The folder of a trained model and its files, in Hugging Face's layout.
const (
	modelFolder  = "model"
	modelConfig  = "config.json"
	modelWeights = "model.safetensors"
)

// Trained is a trained model as it stands in model/: config.json, model.safetensors, and files beside them.
type Trained struct {
	Config  any // written as config.json
	Tensors []safetensors.Input
	Files   map[string][]byte // others, by name: tokenizer.json
}

// write writes the files into a folder, which it makes, and returns what was written, the weights first.
func (t *Trained) write(dir string) ([]fileSeal, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("write the model: %w", err)
	}
	config, err := json.MarshalIndent(t.Config, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the model: %w", err)
	}
	files := map[string][]byte{modelConfig: append(config, '\n')}
	maps.Copy(files, t.Files)
	seal, err := writeUnsynced(filepath.Join(dir, modelWeights), func(w io.Writer) error {
		return safetensors.Encode(w, t.Tensors, map[string]string{"format": "pt"})
	})
	if err != nil {
		return nil, err
	}
	seals := []fileSeal{seal}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		seal, err := writeUnsynced(filepath.Join(dir, name), func(w io.Writer) error {
			_, err := w.Write(files[name])
			return err
		})
		if err != nil {
			return nil, err
		}
		seals = append(seals, seal)
	}
	return seals, nil
}

// Saved is a trained model, open for reading.
type Saved struct {
	path    string
	config  []byte
	weights *safetensors.File
}

// maxModelConfig is far more than a config.json takes.
const maxModelConfig = 16 << 20

// OpenModel opens the trained model of the run. Close it after use.
func (d *Dir) OpenModel() (*Saved, error) {
	path := d.File(modelFolder)
	config, err := readSmall(filepath.Join(path, modelConfig), maxModelConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Usagef("the run in %s has no trained model yet; let its training finish, with --resume where it was interrupted", d.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the model: %w", err)
	}
	weights, err := safetensors.Open(filepath.Join(path, modelWeights))
	if err != nil {
		return nil, fmt.Errorf("open the model: %w", err)
	}
	return &Saved{path: path, config: config, weights: weights}, nil
}

// Config decodes config.json into v.
func (s *Saved) Config(v any) error {
	if err := json.Unmarshal(s.config, v); err != nil {
		return format.CorruptAt(filepath.Join(s.path, modelConfig), -1, "configuration", "", "").WithCause(err)
	}
	return nil
}

// Tensors are the tensors of the model, by name.
func (s *Saved) Tensors() []safetensors.Tensor { return s.weights.Tensors }

// Tensor finds a tensor by name.
func (s *Saved) Tensor(name string) (safetensors.Tensor, bool) { return s.weights.Tensor(name) }

// Read fills dst with the float32 tensor of that name; its length must be that of the tensor.
func (s *Saved) Read(name string, dst []float32) error {
	return readTensor(s.weights, filepath.Join(s.path, modelWeights), name, dst)
}

// File reads another file of the model.
func (s *Saved) File(name string) ([]byte, error) { return os.ReadFile(filepath.Join(s.path, name)) }

// Close closes the files.
func (s *Saved) Close() error { return s.weights.Close() }
