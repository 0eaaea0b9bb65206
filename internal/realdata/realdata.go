// Package realdata finds the real data and the recorded oracles that some tests hold Seraph against. They are not part
// of the repository: they lie in a folder beside it, or where SERAPH_TEST_DATA says.
package realdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of name below the shared folder, for example "data/graph/planetoid/ind.cora.x". When it is
// missing the test is skipped, or fails where SERAPH_TEST_STRICT=1 (as in continuous integration).
func Path(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(root(), filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("SERAPH_TEST_STRICT") == "1" {
			t.Fatalf("test data missing: %v (SERAPH_TEST_DATA names the folder that holds data/ and oracles/)", err)
		}
		t.Skipf("needs test data that is not here: %v (SERAPH_TEST_DATA names the folder that holds data/ and oracles/)", err)
	}
	return path
}

// root is $SERAPH_TEST_DATA, or the folder "shared" beside the repository that the working directory lies in.
func root() string {
	if dir := os.Getenv("SERAPH_TEST_DATA"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		return "shared"
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared")
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "shared"
		}
		dir = parent
	}
}
