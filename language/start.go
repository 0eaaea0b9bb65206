package language

import (
	"slices"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/run"
)

// readBatches reads where the sequences of every step begin.
func (t *training) readBatches(path string) error {
	array, err := npy.Read(path)
	if err != nil {
		return err
	}
	batch := t.recipe.batch
	if len(array.Shape) != 2 || array.Shape[1] != batch || array.Shape[0] == 0 {
		return run.Usagef("--batches %s has the shape %v, expected (steps, %d): an offset for each sequence of a batch", path, array.Shape, batch)
	}
	offsets, err := array.Int64s()
	if err != nil {
		return run.Usagef("--batches %s: %w", path, err)
	}
	last := int64(t.corpus.Cut() - t.shape.Block - 1)
	for i, o := range offsets {
		if o < 0 || o > last {
			return run.Usagef("--batches %s: offset %d in row %d, expected 0 … %d: a sequence and its targets end within the training part", path, o, i/batch, last)
		}
	}
	t.offsets = slices.Collect(slices.Chunk(offsets, batch))
	return nil
}

// readInit fills the parameters from a safetensors file, which must hold them and nothing else.
func (t *training) readInit(path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	wanted := map[string]bool{}
	for _, p := range t.session.Persistent() {
		if p.Kind != plan.Parameter {
			continue
		}
		wanted[p.Name] = true
		given, ok := f.Tensor(p.Name)
		if !ok {
			return run.Usagef("--init %s has no tensor %s %v", path, p.Name, p.Tensor.Dims)
		}
		if !slices.Equal(given.Shape, p.Tensor.Dims) {
			return run.Usagef("--init %s: %s has the shape %v, the model's has %v", path, p.Name, given.Shape, p.Tensor.Dims)
		}
		values, err := given.Float32s()
		if err != nil {
			return run.Usagef("--init %s: %w", path, err)
		}
		copy(p.Tensor.Float32s(), values)
	}
	for _, given := range f.Tensors {
		if !wanted[given.Name] {
			return run.Usagef("--init %s has a tensor %s %v, which this model has no place for", path, given.Name, given.Shape)
		}
	}
	return nil
}
