// Package hostile holds what the tests of all readers share: a reader is given damaged copies of a good file and must
// answer each with a *format.CorruptError that names the file, without panicking and without allocating beyond reason.
package hostile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/internal/race"
)

// Reader is the reader under test. It reads the file at path, which keeps its name for the whole test.
type Reader func(path string) error

// allocFactor and allocBase bound what reading n bytes may allocate in all: factor·n + base. Deflate alone makes 1032
// bytes of one, so archives and compressed files get the larger factor.
const (
	allocFactor        = 64
	allocFactorArchive = 3000
	allocBase          = 4 << 20
)

// MustRefuse fails the test unless reading content gives a CorruptError naming the file, within the bound on memory.
func MustRefuse(t *testing.T, name string, content []byte, read Reader) {
	t.Helper()
	if try := attempt(t, name, read); try(content) == nil {
		t.Errorf("%s: %d damaged bytes were read without an error", name, len(content))
	}
}

// Truncations cuts content at every byte (at a sample of them where it is long) and expects a refusal of each.
func Truncations(t *testing.T, name string, content []byte, read Reader) {
	t.Helper()
	try := attempt(t, name, read)
	for _, n := range positions(len(content)) {
		if try(content[:n]) == nil {
			t.Errorf("%s cut to %d of %d bytes: read without an error", name, n, len(content))
		}
	}
}

// Cuts is Truncations for formats in which a part can be whole, for example where lines are not counted. It returns how
// many cuts were noticed.
func Cuts(t *testing.T, name string, content []byte, read Reader) (noticed, tried int) {
	t.Helper()
	try := attempt(t, name, read)
	for _, n := range positions(len(content)) {
		if try(content[:n]) != nil {
			noticed++
		}
		tried++
	}
	return noticed, tried
}

// BitFlips flips one bit at every byte (at a sample of them where content is long). A flip may go unnoticed where
// the format has no checksum; what is noticed must be a CorruptError. It returns how many flips were noticed.
func BitFlips(t *testing.T, name string, content []byte, read Reader) (noticed, tried int) {
	t.Helper()
	try := attempt(t, name, read)
	rng := rand.New(rand.NewPCG(1, 2))
	damaged := make([]byte, len(content))
	for _, at := range positions(len(content)) {
		copy(damaged, content)
		damaged[at] ^= 1 << rng.IntN(8)
		if try(damaged) != nil {
			noticed++
		}
		tried++
	}
	return noticed, tried
}

// positions returns every position below n, or where these are more than 4096 (256 in short tests), an eighth as many: the
// ends in full and a sample between.
func positions(n int) []int {
	most := 4096
	if testing.Short() {
		most = 256
	}
	var all []int
	if n <= most {
		for i := range n {
			all = append(all, i)
		}
		return all
	}
	for i := range most / 32 {
		all = append(all, i, n-1-i)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range most / 16 {
		all = append(all, rng.IntN(n))
	}
	return all
}

// attempt returns a function that writes content to a file called name, reads it, and returns the reader's error after
// judging it and what was allocated.
func attempt(t *testing.T, name string, read Reader) func(content []byte) error {
	path := filepath.Join(t.TempDir(), name)
	factor := uint64(allocFactor)
	if ext := filepath.Ext(name); ext == ".npz" || ext == ".zip" || ext == ".gz" {
		factor = allocFactorArchive
	}
	return func(content []byte) error {
		t.Helper()
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		before := allocated()
		err := read(path)
		got := allocated() - before
		if bound := factor*uint64(len(content)) + allocBase; got > bound && !race.Enabled {
			t.Errorf("%s: reading %d bytes allocated %d, expected at most %d (error: %v)", name, len(content), got, bound, err)
		}
		Judge(t, err, name)
		return err
	}
}

// allocated returns how many bytes have been allocated, short of what lies in blocks begun. Unlike Allocated it does not stop
// the world, which would take most of the time of thousands of attempts.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// Allocated returns how many bytes f allocates on the heap, garbage included. Nothing else may run meanwhile.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Bounded fails the test unless reading the file at path allocates at most what the reader's ImportBytes says.
func Bounded(t *testing.T, path string, importBytes func(path string) (int64, error), read Reader) {
	t.Helper()
	bound, err := importBytes(path)
	if err != nil {
		t.Fatal(err)
	}
	allocated := int64(Allocated(func() { err = read(path) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: allocated %d of at most %d", filepath.Base(path), allocated, bound)
	if allocated > bound {
		t.Errorf("%s: allocated %d, bound %d", path, allocated, bound)
	}
}

// Write writes a file of that name into a new folder and returns its path.
func Write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Gzip compresses content.
func Gzip(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Judge fails the test unless err is nil or a CorruptError whose text names the file.
func Judge(t testing.TB, err error, name string) {
	t.Helper()
	if err == nil {
		return
	}
	var corrupt *format.CorruptError
	if !errors.As(err, &corrupt) {
		t.Errorf("%s: error %q (%T), expected a *format.CorruptError", name, err, err)
	} else if !strings.Contains(err.Error(), name) {
		t.Errorf("error %q does not name %s", err, name)
	}
}
