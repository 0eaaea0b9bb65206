// Package plan turns the description of a program and a memory budget into a schedule: the address of every tensor in
// one arena, and what a job keeps resident, streams or refuses. Everything here is a pure function over descriptions of
// its own, so that a policy can be tested without running anything; it imports no program.
//
//   - [Pack] is offline storage allocation: life-times in, addresses out (MEMO §4.1, bi-level planning's inner problem).
//   - [Graph] describes a program to the policies: tensors with kind, producer, uses, bytes; operations with their cost.
//     [Graph.Allocate] packs all of it.
//   - [Job] is the plan of a whole job: stages, what each holds in memory and moves through the disk, and how long it
//     should take at the machine's [Rates]. [Choose] takes the fastest that fits the budget or names the smallest budget
//     that would do. It is printed before the job starts, kept in plan.json, and compared with what happened.
//
// Sizes are bytes, times are seconds. Paging of parameters (Angel-PTM), swapping and recomputation of activations (MEMO)
// and parallel strategies (Hydraulis) are further policies over the same [Graph].
package plan
