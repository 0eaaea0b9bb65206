// Package search finds good designs by asking and telling: a strategy names the design to try next, the caller tries it
// however it likes (here or elsewhere, one at a time or many at once) and tells what came of it.
//
//	for range budget {
//		design, ok := advisor.Ask()
//		if !ok {
//			break // every design of the space was tried
//		}
//		advisor.Tell(design, []float64{trainAndValidate(design), cost(design)})
//	}
//
// A [Space] is a product of named integers and categories, of which some mean nothing beside certain values of others; a
// [Design] is a point of it in canonical form. [PaSca] is the space of scalable graph models of Zhang et al., PaSca: a
// graph neural architecture search system under the scalable paradigm, WWW 2022.
//
// Three strategies: [Advisor] is PaSca's, Bayesian optimisation of several objectives at once by a probabilistic random
// forest ([Forest]) and the expected improvement of the hypervolume ([Improvement]); [Random] and [NSGA2] are what it is to
// be compared with. Objectives are numbers to be minimised, each on its own scale.
//
// A strategy is a function of its settings, its seed, the trials told in their order and the designs still running in
// theirs, and of nothing else. So a search is resumed by telling a new strategy the old trials in order, and equal
// searches give equal designs on every machine that rounds alike. No strategy is safe for use by several goroutines: the
// one that owns it asks and tells for all workers.
package search
