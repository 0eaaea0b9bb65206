// Package program is a training or inference step as data: a static graph of operations over named tensors.
//
//	build -> differentiate -> plan -> run
//
// A [Program] is built by applying operations to values. Shapes are known while building, so a mistake surfaces there: the
// first error sticks to the program, names the layer path and both shapes, and [Program.Err] or [Compile] returns it.
// [Program.Differentiate] appends the operations of the backward pass. [Compile] rewrites what pays (bias and activation
// into products, sums of gradients into the product that makes the last of them), orders updates as early as they may run,
// and asks engine/plan for the address of every tensor; nothing is allocated. [Start] gives one or several compiled
// programs their memory and shares persistent tensors (parameters, optimizer state) among them by name.
// [Execution.Run] plays a program without allocating on the Go heap.
//
// An operation is one file: an [Operation] with its name, shape rule, gradient, cost, kernel, and a float64 reference that
// reads like the formula. Operations from outside of this package are applied with [Program.Apply] and are equal to the
// built-in ones.
//
// Sizes may be symbolic with an upper bound ([Program.Size]); a plan holds for all values within the bounds, and
// [Execution.SetSize] chooses one without planning again. Randomness is keyed by (seed, operation, step, index).
package program
