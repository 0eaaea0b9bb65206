package kernel

import "fmt"

// ceil is n/d rounded up.
func ceil(n, d int) int { return (n + d - 1) / d }

// length is an operand's name, the elements it has and those it must have.
type length struct {
	name       string
	have, need int
}

// checkSizes says which operand of an operation is too short.
func checkSizes(operation string, operands ...length) error {
	for _, o := range operands {
		if o.need < 0 {
			return fmt.Errorf("%s: %s has a negative size", operation, o.name)
		}
		if o.have < o.need {
			return fmt.Errorf("%s: %s has %d elements, expected %d", operation, o.name, o.have, o.need)
		}
	}
	return nil
}

// checkShape says that a size is negative.
func checkShape(operation string, rows, cols int) error {
	if rows < 0 || cols < 0 {
		return fmt.Errorf("%s: the size is %d×%d", operation, rows, cols)
	}
	return nil
}

// optional is the length of an operand that may be nil.
func optional(name string, x []float32, need int) length {
	if x == nil {
		need = 0
	}
	return length{name, len(x), need}
}
