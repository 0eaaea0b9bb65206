// Package nn builds layers from the operations of engine/program. A layer is a function or a small description that takes a
// program and values and returns a value; its parameters are named after the program's current scope, stored as PyTorch
// stores them (matrices are (out, in)), and carry an initializer with the field's name.
package nn
