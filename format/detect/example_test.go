package detect_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/format/detect"
)

func Example() {
	path := filepath.Join(os.TempDir(), "friends.txt")
	defer os.Remove(path)
	if err := os.WriteFile(path, []byte("# two friends of 7\n7 3\n7 4\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	kind, err := detect.Recognise(path)
	if err != nil {
		log.Fatal(err)
	}
	g, err := detect.ReadGraph(path, detect.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d nodes, %d edges\n", kind.Title, g.Nodes, len(g.Src))
	// Output: edge list: 3 nodes, 2 edges
}
