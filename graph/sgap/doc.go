// Package sgap is scalable graph learning as one paradigm (Zhang et al., PaSca, WWW 2022): the neighbourhood of every node is
// aggregated before training, so that training sees plain rows.
//
//	propagate   H_k = Â^k X for k = 0 … K            package graph
//	aggregate   messages of a node become one input   [Messages]
//	transform   an MLP predicts the class             [Design]
//
// A [Design] is a point in the space of these choices; a published model is a named preset of it ([Models]): mlp, sgc, s2gc,
// sign, gbp, gmlp, gamlp-jk, gamlp-r, gamlp-smooth. [Model] carries a preset through package run: plan, train, predict.
//
// Training never needs the graph, nor all rows at once: the rows of the split are gathered from the hops, which lie in
// memory or on disk. The epoch is chosen by validation accuracy (ties: the lower validation loss), and so are the settings
// that [Model] tunes; the test nodes are looked at once, with the weights of the best epoch.
package sgap
