package memory

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// ways opens a file past the page cache and through it; tests do the same under both.
var ways = map[string]func(*File){
	"direct": func(f *File) {},
	"cached": func(f *File) { f.refused.Store(true) },
}

func mustCreate(t *testing.T, path string, way func(*File)) *File {
	t.Helper()
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	way(f)
	t.Cleanup(func() { f.Close() })
	return f
}

// Any sequence of reads and writes at any positions must do what it does to a slice of bytes.
func TestFileIsLikeBytes(t *testing.T) {
	arena := newArena(t, 4<<20)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			rapid.Check(t, func(rt *rapid.T) {
				f, err := Create(filepath.Join(dir, "f"))
				if err != nil {
					rt.Fatal(err)
				}
				defer f.Close()
				way(f)
				var model []byte
				position := rapid.Custom(func(rt *rapid.T) int {
					n := rapid.IntRange(0, 300).Draw(rt, "blocks") * BlockSize
					return max(0, n+rapid.SampledFrom([]int{0, 0, -1, 1, 511, 512, 77}).Draw(rt, "more"))
				})
				for range rapid.IntRange(1, 12).Draw(rt, "operations") {
					off, n := position.Draw(rt, "offset"), position.Draw(rt, "length")
					p := arena.Bytes(int64(rapid.SampledFrom([]int{0, 0, 64, 1}).Draw(rt, "address")), n)
					if rapid.Bool().Draw(rt, "write") {
						fill(p, byte(off+n))
						if got, err := f.WriteAt(p, int64(off)); got != n || err != nil {
							rt.Fatalf("write of %d at %d: %d, %v", n, off, got, err)
						}
						if n > 0 {
							model = append(model, make([]byte, max(0, off+n-len(model)))...)
							copy(model[off:], p)
						}
					} else {
						fill(p, 0xaa)
						got, err := f.ReadAt(p, int64(off))
						want := model[min(off, len(model)):min(off+n, len(model))]
						if got != len(want) || (err == io.EOF) != (got < n) || (err != nil && err != io.EOF) || !bytes.Equal(p[:got], want) {
							rt.Fatalf("read of %d at %d of %d: %d, %v, or other bytes", n, off, len(model), got, err)
						}
					}
					if size, err := f.Size(); size != int64(len(model)) || err != nil {
						rt.Fatalf("size %d, %v; want %d", size, err, len(model))
					}
				}
				if name == "direct" && f.refused.Load() {
					rt.Fatal("fell back to the page cache")
				}
			})
		})
	}
}

func fill(p []byte, seed byte) {
	for i := range p {
		p[i] = seed + byte(i) + byte(i>>8)
	}
}

func TestFileIsSharedByGoroutines(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			f := mustCreate(t, filepath.Join(t.TempDir(), "f"), way)
			const workers, piece = 8, 100_003 // ends share blocks, and each needs a bounce buffer
			var wait sync.WaitGroup
			for w := range workers {
				wait.Go(func() {
					p, back := make([]byte, piece), make([]byte, piece)
					fill(p, byte(w))
					for range 3 {
						if _, err := f.WriteAt(p, int64(w*piece)); err != nil {
							t.Error(err)
						}
						if _, err := f.ReadAt(back, int64(w*piece)); err != nil || !bytes.Equal(p, back) {
							t.Errorf("worker %d reads other bytes than it wrote (%v)", w, err)
						}
					}
				})
			}
			wait.Wait()
			if got := f.Traffic().Written.Load(); got != 3*workers*piece {
				t.Errorf("%d bytes written are counted as %d", 3*workers*piece, got)
			}
			if got := f.Traffic().Read.Load(); got != 3*workers*piece {
				t.Errorf("%d bytes read are counted as %d", 3*workers*piece, got)
			}
		})
	}
}

func TestFilesOfOtherKindsAreRefused(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, word := range map[string]string{dir: "a directory", pipe: "a pipe", "/dev/null": "a device"} {
		if f, err := Open(path); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("open %s: %v, %v; want an error with %q", path, f, err, word)
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open of a missing file: %v", err)
	}
}

func TestFileErrorsNameTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights")
	f := mustCreate(t, path, ways["direct"])
	for what, err := range map[string]error{
		"read before the beginning":  second(f.ReadAt(make([]byte, 1), -1)),
		"write before the beginning": second(f.WriteAt(make([]byte, 1), -1)),
	} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	readOnly, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	for _, n := range []int{1, BlockSize} {
		if _, err := readOnly.WriteAt(make([]byte, n), 0); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("write of %d bytes to a file opened for reading: %v", n, err)
		}
	}
}

func second(_ int, err error) error { return err }

func BenchmarkFile(b *testing.B) {
	const size, piece = 64 << 20, 4 << 20
	arena, err := NewArena(piece + BlockSize)
	if err != nil {
		b.Fatal(err)
	}
	defer arena.Close()
	for _, c := range []struct {
		name          string
		way           string
		address, from int64
	}{{"direct/aligned", "direct", 0, 0}, {"direct/bounced", "direct", 64, 0}, {"direct/odd", "direct", 0, 100}, {"cached", "cached", 0, 0}} {
		f, err := Create(filepath.Join(b.TempDir(), "f"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		ways[c.way](f)
		p := arena.Bytes(c.address, piece)
		fill(p, 1)
		through := func(b *testing.B, transfer func([]byte, int64) (int, error)) {
			b.SetBytes(size)
			for b.Loop() {
				for off := c.from; off < c.from+size; off += piece {
					if _, err := transfer(p, off); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		b.Run(c.name+"/write", func(b *testing.B) { through(b, f.WriteAt) })
		b.Run(c.name+"/read", func(b *testing.B) { through(b, f.ReadAt) })
	}
}
