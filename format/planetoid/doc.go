// Package planetoid reads the citation graphs of Planetoid (Yang, Cohen, Salakhutdinov, "Revisiting Semi-Supervised
// Learning with Graph Embeddings", ICML 2016) as most papers on graph neural networks use them. A data set is eight files
// with a common prefix such as "…/ind.cora":
//
//	.x .y            features (CSR) and one-hot labels of the training nodes, the first nodes of all
//	.allx .ally      features and labels of all nodes but the test nodes; .x and .y are their first rows
//	.tx .ty          features and labels of the test nodes, in the order of .test.index
//	.graph           dict: node → list of neighbours
//	.test.index      text: the node ids of the rows of .tx and .ty, one per line
//
// The public split: the rows of .x train, the next 500 validate, the ids of .test.index test. Ids that are missing from
// .test.index between its least and its greatest (15 in Citeseer) are nodes without features and without a label.
package planetoid
