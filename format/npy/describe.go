package npy

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// Describe tells what a .npy file or a .npz archive holds, from headers alone.
func Describe(path string) (format.Description, error) {
	if !strings.HasSuffix(path, ".npz") {
		f, err := Open(path)
		if err != nil {
			return format.Description{}, err
		}
		defer f.Close()
		d := format.Description{Format: "npy", Path: path, Title: "NumPy array"}
		d.Add("shape", ShapeString(f.Shape))
		d.Add("type", f.DType)
		d.Add("order", f.order())
		d.Add("bytes", f.source.Size)
		d.Add("version", fmt.Sprintf("%d.0", f.Major))
		return d, nil
	}
	a, err := OpenArchive(path)
	if err != nil {
		return format.Description{}, err
	}
	defer a.Close()
	return a.Describe()
}

// Describe tells what the archive holds, from headers alone.
func (a *Archive) Describe() (format.Description, error) {
	d := format.Description{Format: "npz", Path: a.zip.Path, Title: fmt.Sprintf("NumPy archive of %d arrays", len(a.Names))}
	d.Columns = []string{"array", "shape", "type", "order", "bytes"}
	for _, name := range a.Names {
		h, size, err := a.Header(name)
		if err != nil {
			return d, err
		}
		d.Rows = append(d.Rows, []string{name, ShapeString(h.Shape), h.DType.String(), h.order(), fmt.Sprint(size)})
	}
	if other := len(a.zip.Members) - len(a.Names); other > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d members that are not .npy files are ignored", other))
	}
	return d, nil
}

// Check reads the whole of a .npy file or .npz archive and verifies lengths, checksums and text.
func Check(path string) error {
	if !strings.HasSuffix(path, ".npz") {
		f, err := Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		a, err := f.readAll()
		if err != nil {
			return err
		}
		return a.check(path)
	}
	a, err := OpenArchive(path)
	if err != nil {
		return err
	}
	defer a.Close()
	for _, m := range a.zip.Members {
		content, err := a.zip.Read(m)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(m.Name, ".npy") {
			continue
		}
		array, err := Parse(a.zip.MemberPath(m), content)
		if err != nil {
			return err
		}
		if err := array.check(a.zip.MemberPath(m)); err != nil {
			return err
		}
	}
	return nil
}

// check verifies what headers and lengths do not: booleans are 0 or 1, text is Unicode.
func (a *Array) check(path string) error {
	switch a.DType.Kind {
	case 'b':
		for i, v := range a.Data {
			if v > 1 {
				return format.CorruptAt(path, -1, fmt.Sprintf("boolean %d", i), fmt.Sprint(v), "0 or 1")
			}
		}
	case 'U':
		if _, err := a.Strings(); err != nil {
			return format.CorruptAt(path, -1, "text array", "", "").WithCause(err)
		}
	}
	return nil
}

func (h Header) order() string {
	if h.Fortran {
		return "Fortran"
	}
	return "C"
}

// ShapeString writes a shape as "2708 × 1433", a scalar as "scalar".
func ShapeString(shape []int) string {
	if len(shape) == 0 {
		return "scalar"
	}
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = fmt.Sprint(d)
	}
	return strings.Join(parts, " × ")
}
