package npy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// Archive is an open .npz archive. Members that are not .npy files are ignored.
type Archive struct {
	Names []string // array names without ".npy", in the order of the archive

	zip     *format.Zip
	members map[string]format.ZipMember
}

// OpenArchive opens a .npz archive. Close it after use.
func OpenArchive(path string) (*Archive, error) {
	z, err := format.OpenZip(path)
	if err != nil {
		return nil, err
	}
	return NewArchive(z), nil
}

// NewArchive makes an archive of a zip that is open already; Close closes it.
func NewArchive(z *format.Zip) *Archive {
	a := &Archive{zip: z, members: map[string]format.ZipMember{}}
	for _, m := range z.Members {
		if name, ok := strings.CutSuffix(m.Name, ".npy"); ok {
			a.Names = append(a.Names, name)
			a.members[name] = m
		}
	}
	return a
}

// Path returns the name that errors use for the archive.
func (a *Archive) Path() string { return a.zip.Path }

// MemberPath returns the name that errors use for an array of the archive.
func (a *Archive) MemberPath(name string) string { return a.zip.Path + "!" + name + ".npy" }

// Has says whether the archive holds an array of that name.
func (a *Archive) Has(name string) bool {
	_, ok := a.members[name]
	return ok
}

// Close closes the archive's file.
func (a *Archive) Close() error { return a.zip.Close() }

// Header reads the header of one array, and the array's size in the archive with it.
func (a *Archive) Header(name string) (h Header, size int64, err error) {
	m, err := a.member(name)
	if err != nil {
		return Header{}, 0, err
	}
	prefix, err := a.zip.Prefix(m, maxHeader+12)
	if err != nil {
		return Header{}, 0, err
	}
	path := a.zip.MemberPath(m)
	h, err = parseHead(format.NewSource(path, bytes.NewReader(prefix), int64(len(prefix))))
	if err == nil && h.DType.Kind != 'O' && h.Bytes() != m.Size-h.Offset {
		err = format.CorruptAt(path, h.Offset, "array data", fmt.Sprintf("%d bytes", m.Size-h.Offset), fmt.Sprintf("%d for shape %v of %s", h.Bytes(), h.Shape, h.DType))
	}
	return h, m.Size, err
}

// Read reads one array and verifies its checksum. Objects (|O) come back as their pickle.
func (a *Archive) Read(name string) (*Array, error) {
	m, err := a.member(name)
	if err != nil {
		return nil, err
	}
	content, err := a.zip.Read(m)
	if err != nil {
		return nil, err
	}
	return Parse(a.zip.MemberPath(m), content)
}

func (a *Archive) member(name string) (format.ZipMember, error) {
	m, ok := a.members[name]
	if !ok {
		return m, format.CorruptAt(a.zip.Path, -1, "npz archive", "arrays "+strings.Join(a.Names, " "), "an array "+name)
	}
	return m, nil
}

// Named is an array with its name in an archive.
type Named struct {
	Name  string
	Array *Array
}

// WriteArchive writes a .npz archive atomically, deflated where compress is set. The same arrays give the same bytes.
func WriteArchive(path string, arrays []Named, compress bool) error {
	return format.WriteFile(path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		seen := map[string]bool{}
		for _, n := range arrays {
			if n.Name == "" || seen[n.Name] {
				return fmt.Errorf("npz archive: array name %q is empty or used twice", n.Name)
			}
			seen[n.Name] = true
			head := zip.FileHeader{Name: n.Name + ".npy"}
			if compress {
				head.Method = zip.Deflate
			}
			m, err := z.CreateHeader(&head)
			if err != nil {
				return err
			}
			if err := n.Array.write(m); err != nil {
				return fmt.Errorf("array %s: %w", n.Name, err)
			}
		}
		return z.Close()
	})
}
