package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestRegeneratingGivesTheFilesThatAreCheckedIn(t *testing.T) {
	var names []string
	for _, f := range files {
		names = append(names, f.name)
		have, err := os.ReadFile(filepath.Join("..", f.name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(have, f.write()) {
			t.Errorf("engine/kernel/%s is not what its generator writes; run go generate ./engine/kernel", f.name)
		}
	}
	found, err := filepath.Glob("../*.s")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if !slices.Contains(names, filepath.Base(path)) {
			t.Errorf("%s has no generator", filepath.Base(path))
		}
	}
}
