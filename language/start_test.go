package language_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/language"
	"github.com/seraph-ml/seraph/run"
)

// refuse trains and wants an error of a type, with a text.
func refuse[E error](t *testing.T, o run.Options, want string) {
	t.Helper()
	_, err := run.Train(context.Background(), language.Model{}, o)
	var kind E
	if !errors.As(err, &kind) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v (%T), expected a %T with %q", err, err, kind, want)
	}
}

// weights are tensors of a tiny model as it was trained, by name.
func weights(t *testing.T, dir string) map[string]safetensors.Input {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(dir, "model", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list := map[string]safetensors.Input{}
	for _, x := range f.Tensors {
		values, err := x.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		list[x.Name] = safetensors.Float32(x.Name, x.Shape, values)
	}
	return list
}

func writeWeights(t *testing.T, list map[string]safetensors.Input) string {
	t.Helper()
	var tensors []safetensors.Input
	for _, x := range list {
		tensors = append(tensors, x)
	}
	path := filepath.Join(t.TempDir(), "init.safetensors")
	if err := safetensors.Write(path, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTrainingBeginsWithGivenWeights(t *testing.T) {
	dir := trained(t)
	path := writeWeights(t, weights(t, dir))
	o := options(t, "init="+path, "lr=0", "min-lr=0", "steps=1", "seed=8")
	r := train(t, o)
	first, err := os.ReadFile(filepath.Join(dir, "model", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(filepath.Join(o.Out, "model", "model.safetensors"))
	if err != nil || string(first) != string(second) {
		t.Errorf("a step with the learning rate 0 changed the weights (%s), %v", r.WeightsHash, err)
	}
}

func TestInitIsHeldAgainstTheModel(t *testing.T) {
	dir := trained(t, "steps=1")
	for name, c := range map[string]struct {
		change func(w map[string]safetensors.Input)
		want   string
	}{
		"missing": {func(w map[string]safetensors.Input) { delete(w, "transformer.ln_f.weight") }, "has no tensor transformer.ln_f.weight [16]"},
		"more": {func(w map[string]safetensors.Input) {
			w["transformer.ln_f.bias"] = safetensors.Float32("transformer.ln_f.bias", []int{16}, make([]float32, 16))
		}, "has a tensor transformer.ln_f.bias [16], which this model has no place for"},
		"transposed": {func(w map[string]safetensors.Input) {
			const name = "transformer.h.0.attn.c_attn.weight"
			x := w[name]
			x.Shape = []int{x.Shape[1], x.Shape[0]}
			w[name] = x
		}, "transformer.h.0.attn.c_attn.weight has the shape [16 48], the model's has [48 16]"},
		"of another vocabulary": {func(w map[string]safetensors.Input) {
			const name = "transformer.wte.weight"
			w[name] = safetensors.Float32(name, []int{99, 16}, make([]float32, 99*16))
		}, "transformer.wte.weight has the shape [99 16], the model's has ["},
		"of integers": {func(w map[string]safetensors.Input) {
			const name = "transformer.ln_f.weight"
			x := w[name]
			x.DType = safetensors.I32
			w[name] = x
		}, "type I32"},
	} {
		t.Run(name, func(t *testing.T) {
			w := weights(t, dir)
			c.change(w)
			refuse[*run.UsageError](t, options(t, "init="+writeWeights(t, w)), c.want)
		})
	}
	refuse[*os.PathError](t, options(t, "init=/nowhere/init.safetensors"), "/nowhere/init.safetensors")
}

func TestHostileInitIsRefused(t *testing.T) {
	header := func(text string) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	}
	whole, err := os.ReadFile(writeWeights(t, weights(t, trained(t, "steps=1"))))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty":               {},
		"cut short":           whole[:len(whole)-1],
		"a header of 2^62":    binary.LittleEndian.AppendUint64(nil, 1<<62),
		"a shape of 2^80":     header(`{"transformer.wte.weight":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,4]}}`),
		"a negative shape":    header(`{"transformer.wte.weight":{"dtype":"F32","shape":[-1,16],"data_offsets":[0,4]}}`),
		"data beyond the end": header(`{"transformer.wte.weight":{"dtype":"F32","shape":[33,16],"data_offsets":[0,2112]}}`),
		"no JSON":             header("transformer"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "init.safetensors")
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			refuse[*format.CorruptError](t, options(t, "init="+path), path)
		})
	}
}

func TestBatchesAreHeldAgainstTheText(t *testing.T) {
	array := func(a *npy.Array, err error) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "batches.npy")
		if err := errors.Join(err, npy.Write(path, a)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// The text has 3,338 characters, 3,004 to train on; the last block of 8 and its targets begin at 2,995.
	for name, c := range map[string]struct{ path, want string }{
		"another batch":  {array(npy.New(make([]int64, 8), 2, 4)), "has the shape [2 4], expected (steps, 3)"},
		"one dimension":  {array(npy.New(make([]int64, 3), 3)), "has the shape [3], expected (steps, 3)"},
		"no steps":       {array(npy.New([]int64{}, 0, 3)), "has the shape [0 3], expected (steps, 3)"},
		"fractions":      {array(npy.New(make([]float32, 3), 1, 3)), "convert to int64"},
		"below the text": {array(npy.New([]int64{0, -1, 2}, 1, 3)), "offset -1 in row 0, expected 0 … 2995"},
		"beyond the end": {array(npy.New([]int64{0, 1, 2, 3, 2996, 5}, 2, 3)), "offset 2996 in row 1, expected 0 … 2995"},
	} {
		t.Run(name, func(t *testing.T) {
			refuse[*run.UsageError](t, options(t, "batches="+c.path), c.want)
		})
	}
	// The last offset that is allowed, of another integer type, and fewer rows than steps.
	o := options(t, "batches="+array(npy.New([]int32{2995, 0, 7, 1, 2, 3}, 2, 3)))
	train(t, o)
	if lines := readMetrics(t, o.Out); len(lines) != 2 {
		t.Errorf("%d steps, expected the 2 that there are batches for", len(lines))
	}

	path := filepath.Join(t.TempDir(), "batches.npy")
	if err := os.WriteFile(path, []byte("\x93NUMPY\x01\x00\xff\xff{"), 0o644); err != nil {
		t.Fatal(err)
	}
	refuse[*format.CorruptError](t, options(t, "batches="+path), path)
}
