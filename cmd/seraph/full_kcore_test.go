package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A disk that is really full, at whatever file of a decomposition, is exit code 1; with more room it goes on to the same core numbers.
func TestFullDiskLeavesADecompositionToResume(t *testing.T) {
	if testing.Short() {
		t.Skip("mounts a file system")
	}
	dir := t.TempDir()
	disk, image := filepath.Join(dir, "disk"), filepath.Join(dir, "image")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(image, make([]byte, 2<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"mkfs.ext4", "-q", "-m", "0", image}, {"mount", "-o", "loop", image, disk}} {
		if output, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Skipf("needs to mount a small file system: %v: %v\n%s", c, err, output)
		}
	}
	defer exec.Command("umount", disk).Run()
	// fill leaves so much room on the disk.
	ballast := filepath.Join(disk, "ballast")
	fill := func(kib int) {
		if err := os.Remove(ballast); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		var fs unix.Statfs_t
		if err := unix.Statfs(disk, &fs); err != nil {
			t.Fatal(err)
		}
		if n := int(fs.Bavail)*int(fs.Bsize) - kib<<10; n > 0 {
			if err := os.WriteFile(ballast, make([]byte, n), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	succeeds(t, dir, "make", "graph", "--rmat", "11", "--edge-factor", "16", "--seed", "1", "--out", "edges.txt")
	succeeds(t, dir, "kcore", "edges.txt", "--out", "want.tsv")
	refused, full := 0, 0 // before rows are written that have no room, and in the middle of a file
	for kib := 16; ; kib += 8 {
		fill(kib)
		output, err := seraphIn(dir, "kcore", "edges.txt", "--engine", "divide", "--disk", "disk:1GiB", "--resume", "--out", "cores.tsv", "--quiet").CombinedOutput()
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != exitFailed || kib > 1<<10 {
			t.Fatalf("with %d KiB: %v\n%s", kib, err, output)
		}
		switch {
		case strings.Contains(string(output), "give it more, then --resume"):
			refused++
		case strings.Contains(string(output), "no space left on device"):
			full++
		default:
			t.Fatalf("with %d KiB: %s", kib, output)
		}
	}
	want, err := os.ReadFile(filepath.Join(dir, "want.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "cores.tsv")); err != nil || string(got) != string(want) {
		t.Errorf("other core numbers: %v", err)
	}
	if refused == 0 || full == 0 {
		t.Errorf("%d times there was no room, and %d times the disk was full", refused, full)
	}
}
