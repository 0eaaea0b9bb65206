// Package gnn is message passing: networks whose every layer adds up what the neighbours of a node have, so that a step of the
// training takes all nodes and all edges of a graph.
//
//	GCN   X′ = Â X W + b                                 Kipf and Welling, ICLR 2017
//	GAT   X′_u = Σ_v α_uv X_v W + b, α by softmax over   Veličković et al., ICLR 2018
//	      the neighbours v of u
//
// They are what scalable models are compared with: package sgap carries them through plan, training and prediction, with the
// nodes of a graph as the rows of its one step.
package gnn
