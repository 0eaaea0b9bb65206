package npy

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// addGolden seeds f with the golden files that match pattern.
func addGolden(f *testing.F, pattern string) {
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("seeds %s: %v", pattern, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
}

func FuzzNpy(f *testing.F) {
	addGolden(f, "*.npy")
	f.Add(header("{'descr': '>U2', 'fortran_order': True, 'shape': (1, 1), }\n\x00\x00\x00A\x00\x00\x00B"))
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := Parse("x.npy", content)
		hostile.Judge(t, err, "x.npy")
		if err == nil {
			convert(a)
		}
	})
}

func FuzzNpz(f *testing.F) {
	addGolden(f, "*.npz")
	f.Fuzz(func(t *testing.T, content []byte) {
		z, err := format.NewZip(format.NewSource("x.npz", bytes.NewReader(content), int64(len(content))))
		hostile.Judge(t, err, "x.npz")
		if err != nil {
			return
		}
		z.Budget = 1 << 20
		a := NewArchive(z)
		_, err = a.Describe()
		hostile.Judge(t, err, "x.npz")
		for _, name := range a.Names {
			array, err := a.Read(name)
			hostile.Judge(t, err, "x.npz")
			if err == nil {
				convert(array)
			}
		}
	})
}

// convert calls every conversion; each either works or gives an error.
func convert(a *Array) {
	a.Float32s()
	a.Float64s()
	a.Int32s()
	a.Int64s()
	a.Bools()
	a.Strings()
	a.check("x.npy")
}
