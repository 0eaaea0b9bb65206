// Package recorded reads the tensors that other implementations left in bench/oracle/testdata for tests to agree with.
package recorded

import (
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/safetensors"
)

// Open opens a safetensors file until the test is over.
func Open(t testing.TB, path string) *safetensors.File {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Values returns a tensor of a file, row-major. T must be the type that it has there.
func Values[T format.Number](t testing.TB, f *safetensors.File, name string) []T {
	t.Helper()
	x, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %s", name)
	}
	values := make([]T, x.Len())
	if err := x.ReadAt(format.Bytes(values), 0); err != nil {
		t.Fatal(err)
	}
	return values
}
