package format

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/klauspost/compress/flate"
)

// maxInflation is the most that deflate can expand: 1032 bytes from one.
const maxInflation = 1032

// Zip reads the stored and deflated members of an archive, within bounds: a member yields exactly its declared size with
// the declared CRC-32, and all reads together yield at most Budget bytes.
type Zip struct {
	Path    string
	Members []ZipMember // in the order of the central directory, folders left out

	// Budget is what may still be inflated, in bytes: 256 MiB plus 100 times the archive's size at first.
	Budget int64

	source *Source
}

// ZipMember is one file in an archive.
type ZipMember struct {
	Name string
	Size int64 // uncompressed, as declared; verified when read

	file *zip.File
}

// OpenZip opens an archive; close it after use.
func OpenZip(path string) (*Zip, error) {
	s, err := Open(path)
	if err != nil {
		return nil, err
	}
	z, err := NewZip(s)
	if err != nil {
		s.Close()
	}
	return z, err
}

// NewZip reads the directory of an archive. Names that occur twice, other compression methods, encryption and sizes that
// cannot be true are refused.
func NewZip(s *Source) (*Zip, error) {
	r, err := zip.NewReader(s, s.Size)
	if err != nil {
		return nil, s.zipError(max(0, s.Size-22), "zip directory", err)
	}
	r.RegisterDecompressor(zip.Deflate, flate.NewReader)
	z := &Zip{Path: s.Path, source: s, Budget: 256<<20 + 100*s.Size}
	seen := make(map[string]bool, len(r.File))
	for _, f := range r.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if seen[f.Name] {
			return nil, s.Corrupt(-1, "zip directory", fmt.Sprintf("member %q twice", f.Name), "each name once")
		}
		seen[f.Name] = true
		if err := verifyMember(s, f); err != nil {
			return nil, err
		}
		z.Members = append(z.Members, ZipMember{Name: f.Name, Size: int64(f.UncompressedSize64), file: f})
	}
	return z, nil
}

// verifyMember compares what the directory declares with what the archive can hold.
func verifyMember(s *Source, f *zip.File) error {
	what := fmt.Sprintf("zip member %q", f.Name)
	offset, err := f.DataOffset()
	if err != nil {
		return s.zipError(-1, what, err)
	}
	size, packed := f.UncompressedSize64, f.CompressedSize64
	if packed > uint64(s.Size) || int64(packed) > s.Size-offset {
		return s.Corrupt(offset, what, fmt.Sprintf("%d compressed bytes, %d left", packed, s.Size-offset), "a size within the file")
	}
	if f.Flags&1 != 0 {
		return s.Corrupt(offset, what, "encryption", "a plain member").WithHint("unpack it and zip it again without a password")
	}
	switch f.Method {
	case zip.Store:
		if size != packed {
			return s.Corrupt(offset, what, fmt.Sprintf("%d bytes stored in %d", size, packed), "equal sizes")
		}
	case zip.Deflate:
		if size > maxInflation*packed {
			return s.Corrupt(offset, what, fmt.Sprintf("%d bytes deflated to %d", size, packed), fmt.Sprintf("at most %d times as many", maxInflation))
		}
	default:
		return s.Corrupt(offset, what, fmt.Sprintf("compression method %d", f.Method), "0 (stored) or 8 (deflated)").
			WithHint("unpack it and zip it again with deflate")
	}
	return nil
}

// Close closes the archive's file.
func (z *Zip) Close() error { return z.source.Close() }

// MemberPath is the name that errors use for a member: "archive.zip!name".
func (z *Zip) MemberPath(m ZipMember) string { return z.Path + "!" + m.Name }

// Read returns the whole content of a member, verified against its declared size and checksum. Memory grows with the
// bytes that are really produced, never with a declared size alone.
func (z *Zip) Read(m ZipMember) ([]byte, error) {
	if m.Size > z.Budget {
		return nil, CorruptAt(z.MemberPath(m), -1, "inflated size", fmt.Sprintf("%d bytes", m.Size), fmt.Sprintf("at most %d for an archive of %d", z.Budget, z.source.Size)).
			WithHint("this looks like a zip bomb; if it is not, unpack it first")
	}
	r, err := m.file.Open()
	if err != nil {
		return nil, z.source.zipError(-1, fmt.Sprintf("zip member %q", m.Name), err)
	}
	defer r.Close()
	// One byte more than declared, so that the reader below reaches the end and verifies the checksum.
	limit := m.Size + 1
	data := make([]byte, 0, min(limit, 4*int64(m.file.CompressedSize64)+4096))
	for {
		if len(data) == cap(data) {
			grown := make([]byte, len(data), min(limit, 2*int64(cap(data))))
			copy(grown, data)
			data = grown
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		z.Budget -= int64(n)
		if int64(len(data)) > m.Size {
			return nil, CorruptAt(z.MemberPath(m), m.Size, "inflated size", "more bytes than declared", fmt.Sprintf("%d bytes", m.Size))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, memberError(z.MemberPath(m), int64(len(data)), err)
		}
	}
	if int64(len(data)) != m.Size {
		return nil, CorruptAt(z.MemberPath(m), int64(len(data)), "inflated size", fmt.Sprintf("%d bytes", len(data)), fmt.Sprintf("%d as declared", m.Size))
	}
	return data, nil
}

// Prefix returns at most the first n bytes of a member, unverified: enough to describe what it holds.
func (z *Zip) Prefix(m ZipMember, n int) ([]byte, error) {
	r, err := m.file.Open()
	if err != nil {
		return nil, z.source.zipError(-1, fmt.Sprintf("zip member %q", m.Name), err)
	}
	defer r.Close()
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, io.LimitReader(r, int64(n))); err != nil {
		return nil, memberError(z.MemberPath(m), int64(buf.Len()), err)
	}
	return buf.Bytes(), nil
}

// zipError turns an error of archive/zip into one that names the place.
func (s *Source) zipError(offset int64, what string, err error) error {
	var system *fs.PathError
	if errors.As(err, &system) {
		return ReadError(s.Path, offset, what, err)
	}
	return s.Corrupt(offset, what, "", "").WithCause(err).WithHint("the archive is damaged or not a zip file; fetch it again")
}

// memberError turns an error in the middle of a member into one that names the place.
func memberError(path string, offset int64, err error) error {
	var system *fs.PathError
	if errors.As(err, &system) {
		return ReadError(path, offset, "zip member", err)
	}
	return CorruptAt(path, offset, "zip member", "", "").WithCause(err).WithHint("the archive is damaged; fetch it again")
}
