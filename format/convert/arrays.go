package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/safetensors"
)

// pair is an element type as both sides name it.
type pair struct {
	numpy  npy.DType
	tensor safetensors.DType
}

// types are the element types that both sides have.
var types = []pair{
	{npy.DType{Kind: 'f', Size: 8}, safetensors.F64}, {npy.DType{Kind: 'f', Size: 4}, safetensors.F32}, {npy.DType{Kind: 'f', Size: 2}, safetensors.F16},
	{npy.DType{Kind: 'i', Size: 8}, safetensors.I64}, {npy.DType{Kind: 'i', Size: 4}, safetensors.I32},
	{npy.DType{Kind: 'i', Size: 2}, safetensors.I16}, {npy.DType{Kind: 'i', Size: 1}, safetensors.I8},
	{npy.DType{Kind: 'u', Size: 8}, safetensors.U64}, {npy.DType{Kind: 'u', Size: 4}, safetensors.U32},
	{npy.DType{Kind: 'u', Size: 2}, safetensors.U16}, {npy.DType{Kind: 'u', Size: 1}, safetensors.U8},
	{npy.DType{Kind: 'b', Size: 1}, safetensors.Bool},
}

// readArrays reads all arrays of the input.
func (j *job) readArrays(ctx context.Context) ([]npy.Named, error) {
	switch {
	case j.kind.Name == "npy":
		a, err := npy.Read(j.in)
		return []npy.Named{{Name: base(j.in), Array: a}}, err
	case j.kind.Name == "safetensors":
		return j.readTensors(ctx)
	}
	z, err := npy.OpenArchive(j.in)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var list []npy.Named
	for _, name := range z.Names {
		a, err := z.Read(name)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		list = append(list, npy.Named{Name: name, Array: a})
	}
	return list, nil
}

// readTensors reads the tensors of a checkpoint. bfloat16, which NumPy lacks, is widened to float32.
func (j *job) readTensors(ctx context.Context) ([]npy.Named, error) {
	f, err := safetensors.Open(j.in)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if len(f.Metadata) > 0 {
		j.note("the metadata of the checkpoint are left out")
	}
	var list []npy.Named
	widened := 0
	for _, t := range f.Tensors {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var a *npy.Array
		i := slices.IndexFunc(types, func(p pair) bool { return p.tensor == t.DType })
		switch {
		case t.DType == safetensors.BF16:
			values, err := t.Float32s()
			if err != nil {
				return nil, err
			}
			if a, err = npy.New(values, t.Shape...); err != nil {
				return nil, err
			}
			widened++
		case i < 0:
			return nil, format.CorruptAt(j.in, -1, fmt.Sprintf("tensor %q", t.Name), "type "+string(t.DType), "a type that NumPy has, or BF16")
		default:
			a = &npy.Array{DType: types[i].numpy, Shape: t.Shape, Data: make([]byte, t.Bytes)}
			if err := t.ReadAt(a.Data, 0); err != nil {
				return nil, err
			}
		}
		list = append(list, npy.Named{Name: t.Name, Array: a})
	}
	if widened > 0 {
		j.note("%d tensors of bfloat16 are widened to float32: NumPy has no bfloat16", widened)
	}
	return list, nil
}

// writeNPY writes the only array.
func writeNPY(ctx context.Context, j *job) error {
	list, err := j.readArrays(ctx)
	if err != nil {
		return err
	}
	if len(list) != 1 {
		var names []string
		for _, a := range list {
			names = append(names, a.Name)
		}
		return &PairError{Path: j.in, Title: fmt.Sprintf("%s of %d arrays (%s)", j.kind.Title, len(list), few(names)), To: "npy, which holds one", Can: []string{"npz", "safetensors"}}
	}
	return npy.Write(j.out, list[0].Array)
}

// few joins the first few of many names.
func few(names []string) string {
	if len(names) > 10 {
		names = append(slices.Clone(names[:10]), "…")
	}
	return strings.Join(names, ", ")
}

func writeNPZ(ctx context.Context, j *job) error {
	list, err := j.readArrays(ctx)
	if err != nil {
		return err
	}
	return npy.WriteArchive(j.out, list, true)
}

// writeSafetensors writes every array as a tensor. Text and pickled objects have no place in one.
func writeSafetensors(ctx context.Context, j *job) error {
	if j.kind.Name == "safetensors" {
		return j.copyTensors()
	}
	list, err := j.readArrays(ctx)
	if err != nil {
		return err
	}
	var inputs []safetensors.Input
	for _, a := range list {
		i := slices.IndexFunc(types, func(p pair) bool {
			return p.numpy.Kind == a.Array.DType.Kind && p.numpy.Size == a.Array.DType.Size
		})
		if i < 0 {
			j.note("%s is left out: a tensor cannot hold %s", a.Name, map[byte]string{'U': "text", 'O': "pickled objects"}[a.Array.DType.Kind])
			continue
		}
		plain, err := a.Array.Plain()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", j.in, a.Name, err)
		}
		inputs = append(inputs, safetensors.Input{Name: a.Name, DType: types[i].tensor, Shape: plain.Shape, Data: bytes.NewReader(plain.Data)})
	}
	return safetensors.Write(j.out, inputs, nil)
}

// copyTensors writes a checkpoint as one file: it may have been in shards.
func (j *job) copyTensors() error {
	f, err := safetensors.Open(j.in)
	if err != nil {
		return err
	}
	defer f.Close()
	var inputs []safetensors.Input
	for _, t := range f.Tensors {
		inputs = append(inputs, safetensors.Input{Name: t.Name, DType: t.DType, Shape: t.Shape, Data: &tensorReader{tensor: t}})
	}
	return safetensors.Write(j.out, inputs, f.Metadata)
}

// tensorReader reads the bytes of a tensor one after the other.
type tensorReader struct {
	tensor safetensors.Tensor
	at     int64
}

func (r *tensorReader) Read(p []byte) (int, error) {
	p = p[:min(int64(len(p)), r.tensor.Bytes-r.at)]
	if len(p) == 0 {
		return 0, io.EOF
	}
	err := r.tensor.ReadAt(p, r.at)
	if err != nil {
		return 0, err
	}
	r.at += int64(len(p))
	return len(p), nil
}
