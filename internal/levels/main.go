// Command levels prints the processor levels that this machine has kernels for, lowest first, one a line: the values of
// SERAPH_CPU that continuous integration runs the numeric tests under.
package main

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
)

func main() {
	for level := kernel.Generic; level <= kernel.HardwareLevel(); level++ {
		fmt.Println(level)
	}
}
