package main

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seraph-ml/seraph/run"
)

// checkOut says what is wrong with a place for a result before there is one. What is there will be replaced, but for what is read.
func checkOut(out string, read []string) error {
	info, err := os.Stat(out)
	clean := filepath.Clean(out)
	if err == nil && !info.Mode().IsRegular() || strings.HasPrefix(clean, "/dev/") && !strings.HasPrefix(clean, "/dev/shm/") {
		return run.Usagef("--out %s: there is something that is no file", out)
	}
	if err == nil {
		for _, path := range read {
			if other, err := os.Stat(path); err == nil && os.SameFile(info, other) {
				return run.Usagef("--out %s would replace what is read", out)
			}
		}
	}
	if dir := filepath.Dir(out); unix.Access(dir, unix.W_OK) != nil {
		return run.Usagef("--out %s: no file can be written in the folder %s, or there is none", out, dir)
	}
	return nil
}
