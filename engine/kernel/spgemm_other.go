//go:build !amd64

package kernel

func scatterAdd(_ Level, y []float32, lo int, columns []int32, x []float32, a float32) {
	portableScatterAdd(y, lo, columns, x, a)
}
