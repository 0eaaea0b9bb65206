// Package optim appends optimizer steps to programs: [Minimize] differentiates a loss and updates groups of parameters, each
// with a learning rate and weight decay of its own, after clipping all gradients by their common norm where asked. The
// learning rate is an input of the program; a [Schedule] says what it is at each step.
package optim
