package program

import (
	"slices"

	"github.com/seraph-ml/seraph/engine/tensor"
)

// Scratchy is an operation whose kernel borrows working memory from the pool.
type Scratchy interface {
	// ScratchBytes is the memory for operands and results of these sizes.
	ScratchBytes(in, out []tensor.Type, workers int) int
}

// scratch is the most working memory that an operation takes, whatever the values of symbolic sizes. Kernels cut their work by
// the sizes at hand, and a product of fewer rows may take more: it packs what a larger one reads where it lies. So values
// on a ladder are looked at; between two rungs it is at most an eighth more.
func scratch(op Operation, in, out []tensor.Type, sizes []tensor.Dim, workers int) int64 {
	s, ok := op.(Scratchy)
	if !ok {
		return 0
	}
	most := s.ScratchBytes(in, out, workers)
	for _, d := range sizes {
		if !depend(in, d.Symbol) && !depend(out, d.Symbol) {
			continue
		}
		top := most
		smallIn, smallOut := copyTypes(in), copyTypes(out)
		for value := d.Size * 15 / 16; value > 0; value = value * 15 / 16 {
			resize(smallIn, in, d.Symbol, value)
			resize(smallOut, out, d.Symbol, value)
			top = max(top, s.ScratchBytes(smallIn, smallOut, workers))
		}
		most = top + top/8
	}
	return int64(most)
}

// depend says whether some size of the types depends on a symbol.
func depend(types []tensor.Type, symbol string) bool {
	for _, t := range types {
		for _, d := range t.Shape {
			if d.Symbol == symbol {
				return true
			}
		}
	}
	return false
}

func copyTypes(types []tensor.Type) []tensor.Type {
	list := slices.Clone(types)
	for i := range list {
		list[i].Shape = slices.Clone(list[i].Shape)
	}
	return list
}

// resize sets the sizes in list that depend on a symbol, as types has them, to those for a value of it.
func resize(list, types []tensor.Type, symbol string, value int) {
	for i, t := range types {
		for j, d := range t.Shape {
			if d.Symbol == symbol {
				list[i].Shape[j] = tensor.Fixed(d.At(value))
			}
		}
	}
}
