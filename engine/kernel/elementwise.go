package kernel

import "fmt"

// elementGrain is the least number of elements of an elementwise kernel worth a hand-over to another worker: 16 KiB of
// each operand, so that workers do not share pages.
const elementGrain = 4096

// operandLength is the length of an operand of an elementwise kernel, and what an error message calls it.
type operandLength struct {
	name string
	n    int
}

// checkLengths says which operand of the kernel has not the length of the first.
func checkLengths(kernel string, operands ...operandLength) error {
	first := operands[0]
	for _, o := range operands[1:] {
		if o.n != first.n {
			return fmt.Errorf("%s: %s has %d elements, %s has %d; they must be equal", kernel, o.name, o.n, first.name, first.n)
		}
	}
	return nil
}

// checkRows says what is wrong when n elements of the operand called name are no whole rows of cols columns.
func checkRows(kernel, name string, n, cols int) error {
	if cols < 1 || n%cols != 0 {
		return fmt.Errorf("%s: %s has %d elements, which are no whole rows of %d columns", kernel, name, n, cols)
	}
	return nil
}

// rowGrain is elementGrain in rows of cols columns.
func rowGrain(cols int) int { return max(1, elementGrain/max(cols, 1)) }
