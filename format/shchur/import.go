package shchur

import (
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// ImportBytes returns a bound on the memory that Read allocates in all, garbage included, from the archive's directory
// alone: Read refuses a file whose members do not have the sizes that the directory declares.
func ImportBytes(path string) (int64, error) {
	z, err := format.OpenZip(path)
	if err != nil {
		return 0, err
	}
	defer z.Close()
	var content int64
	for _, m := range z.Members {
		if strings.HasSuffix(m.Name, ".npy") || strings.HasSuffix(m.Name, ".npz") {
			content += m.Size
		}
	}
	return 1<<20 + 6*content, nil
}
