package table

import "github.com/seraph-ml/seraph/format"

// Describe tells what a CSV file holds; it reads all of it, in constant memory but for its dictionaries.
func Describe(path string) (format.Description, error) {
	f, err := OpenCSV(path, Options{})
	if err != nil {
		return format.Description{}, err
	}
	return f.Describe(), nil
}

// Check reads a CSV file twice: what its columns are, and every value.
func Check(path string) error {
	f, err := OpenCSV(path, Options{})
	if err != nil {
		return err
	}
	for _, err := range f.Blocks(1 << 16) {
		if err != nil {
			return err
		}
	}
	return nil
}
