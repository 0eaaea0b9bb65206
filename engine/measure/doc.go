// Package measure finds out how fast a machine is: products, memory and disk. seraph doctor prints the figures, and the
// planner predicts times with them (plan.SaveRates).
//
// Every figure is the best of the repeats that fit into a given time, as other processes can only make a repeat slower.
// Rates are per second, in floating-point operations or bytes.
package measure
