package planetoid

import "os"

// ImportBytes is an upper bound on what Read allocates in all, from the sizes of the files: arrays are shared with the
// content of their files and copied once, neighbours are boxed numbers of at least two bytes in the file.
func ImportBytes(prefix string) (int64, error) {
	const array, boxed = 6, 64 // bytes allocated for one of the file
	sum := int64(1 << 20)
	for _, suffix := range []string{"x", "y", "tx", "ty", "allx", "ally", "graph", "test.index"} {
		info, err := os.Stat(prefix + "." + suffix)
		if err != nil {
			return 0, err
		}
		factor := int64(array)
		if suffix == "graph" || suffix == "test.index" {
			factor = boxed
		}
		sum += factor * info.Size()
	}
	return sum, nil
}
