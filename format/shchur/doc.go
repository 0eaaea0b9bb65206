// Package shchur reads graphs for node classification from npz archives, alone or inside a zip: the data sets of Shchur,
// Mumme, Bojchevski, Günnemann, "Pitfalls of Graph Neural Network Evaluation" (2018), such as Amazon Photo and Coauthor
// CS, and what others published in the same spirit. Three layouts are told apart by the names of the arrays:
//
//	gnn-benchmark  adj_data adj_indices adj_indptr adj_shape, attr_…, labels, class_names
//	ppnp           adj_matrix.data adj_matrix.indices …, attr_matrix.…, labels
//	GraphData      adj_matrix, node_attr: pickled csr_matrix (package pickle), node_label
//
// The adjacency matrix may be directed, its column indices unsorted; features may be absent or dense. These sets have no
// public split. Arrays of other names, and pickled objects where the layout has none, are ignored.
package shchur
