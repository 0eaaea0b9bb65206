package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// benchCase is a kernel whose operands lie in an arena, as they do in a program.
type benchCase struct {
	arena  *memory.Arena
	used   int64
	kernel interface {
		Check() error
		Run(*kernel.Pool)
	}
}

// build makes the case that the words of a request describe.
func build(words []string) (*benchCase, error) {
	name, words := words[0], words[1:]
	numbers := words
	if name == "matmul" || name == "spmm" {
		if len(words) == 0 {
			return nil, fmt.Errorf("%s lacks its first word", name)
		}
		numbers = words[1:]
	}
	var n []int
	for _, word := range numbers {
		x, err := positive(word)
		if err != nil {
			return nil, err
		}
		n = append(n, x)
	}
	c := &benchCase{}
	var err error
	switch {
	case name == "matmul" && len(n) == 3:
		err = c.matmul(words[0], n[0], n[1], n[2])
	case name == "spmm" && len(n) == 1:
		err = c.spmm(words[0], n[0])
	case name == "adamw" && len(n) == 1:
		err = c.adamw(n[0])
	case name == "softmax" && len(n) == 2:
		err = c.softmax(n[0], n[1])
	case name == "layernorm" && len(n) == 2:
		err = c.layerNorm(n[0], n[1])
	default:
		err = fmt.Errorf("%s with %d numbers is not known", name, len(n))
	}
	if err != nil && c.arena != nil {
		c.arena.Close()
	}
	return c, err
}

// reserve makes an arena for the given number of tensors, which together have the given number of bytes.
func (c *benchCase) reserve(tensors, bytes int) (err error) {
	c.arena, err = memory.NewArena(int64(bytes + tensors*memory.Align))
	return err
}

// place returns where a tensor of the given bytes begins.
func (c *benchCase) place(bytes int) int64 {
	at := c.used
	c.used += (int64(bytes) + memory.Align - 1) / memory.Align * memory.Align
	return at
}

// normal returns n normal numbers.
func (c *benchCase) normal(n int) []float32 {
	x := c.arena.Float32s(c.place(4*n), n)
	r := rand.New(rand.NewPCG(uint64(n), uint64(c.used)))
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// constant returns n times a number.
func (c *benchCase) constant(n int, value float32) []float32 {
	x := c.arena.Float32s(c.place(4*n), n)
	for i := range x {
		x[i] = value
	}
	return x
}

func (c *benchCase) matmul(precision string, m, n, k int) error {
	if err := c.reserve(5, 6*(m*k+k*n)+4*m*n); err != nil {
		return err
	}
	a, b, y := c.normal(m*k), c.normal(k*n), kernel.RowMajor(c.constant(m*n, 0), m, n)
	switch precision {
	case "f32":
		c.kernel = &kernel.MatMul{A: kernel.RowMajor(a, m, k), B: kernel.RowMajor(b, k, n), C: y}
	case "bf16":
		c.kernel = &kernel.MatMulBF16{A: kernel.RowMajorBF16(c.bf16(a), m, k), B: kernel.RowMajorBF16(c.bf16(b), k, n), C: y}
	default:
		return fmt.Errorf("precision %q is neither f32 nor bf16", precision)
	}
	return nil
}

// bf16 returns x in bfloat16.
func (c *benchCase) bf16(x []float32) []uint16 {
	h := c.arena.Uint16s(c.place(2*len(x)), len(x))
	(&kernel.F32ToBF16{Dst: h, X: x}).Run(nil)
	return h
}

func (c *benchCase) spmm(folder string, width int) error {
	indptr, err := readNumbers[int64](folder, "indptr")
	if err != nil {
		return err
	}
	indices, err := readNumbers[int32](folder, "indices")
	if err != nil {
		return err
	}
	values, err := readNumbers[float32](folder, "values")
	if err != nil {
		return err
	}
	nodes := len(indptr) - 1
	if err := c.reserve(2, 8*nodes*width); err != nil {
		return err
	}
	c.kernel = &kernel.SpMM{
		A: kernel.CSR{Indptr: indptr, Indices: indices, Values: values, Rows: nodes, Cols: nodes},
		X: c.normal(nodes * width), Y: c.constant(nodes*width, 0), XStride: width, YStride: width, Width: width,
	}
	return nil
}

// readNumbers reads a file of little-endian numbers.
func readNumbers[T int32 | int64 | float32](folder, name string) ([]T, error) {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	var zero T
	numbers := make([]T, len(data)/binary.Size(zero))
	_, err = binary.Decode(data, binary.LittleEndian, numbers)
	return numbers, err
}

func (c *benchCase) adamw(n int) error {
	if err := c.reserve(4, 16*n); err != nil {
		return err
	}
	c.kernel = &kernel.AdamW{
		Param: c.normal(n), Grad: c.normal(n), M: c.constant(n, 0), V: c.constant(n, 0),
		LR: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01, Decoupled: true, Correct1: 0.1, Correct2: 0.001, GradScale: 1,
	}
	return nil
}

func (c *benchCase) softmax(rows, cols int) error {
	if err := c.reserve(2, 8*rows*cols); err != nil {
		return err
	}
	c.kernel = &kernel.Softmax{X: c.normal(rows * cols), Dst: c.constant(rows*cols, 0), Rows: rows, Cols: cols}
	return nil
}

func (c *benchCase) layerNorm(rows, cols int) error {
	if err := c.reserve(6, 8*(rows*cols+rows+cols)); err != nil {
		return err
	}
	c.kernel = &kernel.LayerNorm{
		X: c.normal(rows * cols), Dst: c.constant(rows*cols, 0), Gain: c.constant(cols, 1), Bias: c.constant(cols, 0),
		Mean: c.constant(rows, 0), RStd: c.constant(rows, 0), Rows: rows, Cols: cols, Eps: 1e-5,
	}
	return nil
}
