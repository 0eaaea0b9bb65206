package kernel

//go:noescape
func scatterAddFMA(y *float32, lo int, columns *int32, x *float32, n int, a float32)

// scatterAdd adds a·x to the elements of y, which begins with column lo. There is at least one.
func scatterAdd(level Level, y []float32, lo int, columns []int32, x []float32, a float32) {
	if level == Generic {
		portableScatterAdd(y, lo, columns, x, a)
		return
	}
	scatterAddFMA(&y[0], lo, &columns[0], &x[0], len(columns), a)
}
