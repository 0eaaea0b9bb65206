package memory

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseDisk(t *testing.T) {
	for _, c := range []struct {
		text string
		want Disk
	}{
		{"/scratch:100GiB", Disk{"/scratch", 100 << 30}}, {"/scratch", Disk{"/scratch", 0}}, {"spill:5MB", Disk{"spill", 5e6}},
		{"/a:b", Disk{"/a:b", 0}}, {"/a:b:1KiB", Disk{"/a:b", 1024}}, {"/a:1/b", Disk{"/a:1/b", 0}}, {"/a:", Disk{"/a:", 0}},
	} {
		if got, err := ParseDisk(c.text); err != nil || got != c.want {
			t.Errorf("ParseDisk(%q) = %+v, %v; want %+v", c.text, got, err, c.want)
		}
	}
	for text, word := range map[string]string{"": "expected a directory", ":5GiB": "expected a directory", "/x:5Gib2": "unknown unit", "/x:0": "no room"} {
		if got, err := ParseDisk(text); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("ParseDisk(%q) = %+v, %v; want an error with %q", text, got, err, word)
		}
	}
	if d := (Disk{"/x", 5 << 20}); d.String() != "/x:5MiB" {
		t.Errorf("written as %s", d)
	}
}

func TestDiskRoomIsTheSmallerOfSizeAndFree(t *testing.T) {
	dir := t.TempDir()
	free, err := Disk{Dir: filepath.Join(dir, "not", "made", "yet")}.Room()
	if err != nil {
		t.Fatal(err)
	}
	if room, err := (Disk{dir, free / 2}).Room(); room != free/2 || err != nil {
		t.Errorf("room %d, %v; want the size of %d", room, err, free/2)
	}
	if room, err := (Disk{dir, 1 << 62}).Room(); room > 2*free || err != nil {
		t.Errorf("room %d, %v; free are %d", room, err, free)
	}
}

func TestDiskInMemoryIsRefused(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err != nil {
		t.Skip(err)
	}
	if room, err := (Disk{Dir: "/dev/shm"}).Room(); err == nil || !strings.Contains(err.Error(), "lies in memory") {
		t.Errorf("room %d, %v", room, err)
	}
}

func TestSpillIsBoundedAndLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	s, err := OpenSpill(Disk{dir, 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, err := s.Create("hops", 700<<10)
	if err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("spill files have names: %v", left)
	}
	if size, err := a.Size(); size != 700<<10 || err != nil {
		t.Errorf("a spill file of 700 KiB has %d bytes, %v", size, err)
	}
	if _, err := s.Create("features", 400<<10); err == nil || !strings.Contains(err.Error(), "features needs 400KiB and 324KiB of 1MiB is left") || !strings.Contains(err.Error(), ":2MiB or more") {
		t.Errorf("beyond the bound: %v", err)
	}
	if _, err := s.Create("nonsense", -1); err == nil {
		t.Error("a negative size gave no error")
	}

	p := make([]byte, 700<<10)
	fill(p, 9)
	if _, err := a.WriteAt(p, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := a.WriteAt(p[:2], 700<<10-1); err == nil || !strings.Contains(err.Error(), "set aside") {
		t.Errorf("writing beyond the end of a spill file: %v", err)
	}
	back := make([]byte, len(p)+1)
	if n, err := a.ReadAt(back, 0); n != len(p) || err != io.EOF || !bytes.Equal(back[:n], p) {
		t.Errorf("read %d bytes, %v, or other ones", n, err)
	}
	if s.Used() != 700<<10 || s.Traffic().Written.Load() != 700<<10 || s.Traffic().Read.Load() != 700<<10 {
		t.Errorf("used %d, written %d, read %d", s.Used(), s.Traffic().Written.Load(), s.Traffic().Read.Load())
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if a.Close() == nil {
		t.Error("closing twice gave no error")
	}
	if s.Used() != 0 {
		t.Errorf("after closing its file, %d bytes are used", s.Used())
	}
	b, err := s.Create("empty", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.WriteAt(p[:1], 0); err == nil {
		t.Error("an empty spill file took a byte")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.ReadAt(back[:1], 0); err == nil {
		t.Error("a file can be read after its space was closed")
	}
}

func TestSpillNeedsADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSpill(Disk{Dir: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as directory: %v", err)
	}
}
