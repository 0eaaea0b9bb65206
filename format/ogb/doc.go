// Package ogb reads and writes node-classification data sets in the layout of the Open Graph Benchmark (Hu et al., "Open
// Graph Benchmark: Datasets for Machine Learning on Graphs", NeurIPS 2020), as its downloads unpack. Each file is CSV without a
// header, compressed (.csv.gz) or not (.csv):
//
//	raw/num-node-list   the number of nodes
//	raw/num-edge-list   the number of edges, each listed once
//	raw/edge            source, target: one line an edge
//	raw/node-feat       features: one line a node (may be absent)
//	raw/node-label      class of each node, nan where it has none (may be absent)
//	split/SCHEME/train, valid, test     node ids, one a line (may be absent)
//
// Other files, such as raw/node_year and raw/edge_reltype, are ignored with a note. Data sets of several graphs, with several
// labels a node (ogbn-proteins) or in binary (ogbn-papers100M) are refused.
//
// Data sets of several kinds of nodes and edges (ogbn-mag), of which one has labels, have these files instead:
//
//	raw/num-node-dict          a line of the kinds' names and a line of their numbers of nodes
//	raw/triplet-type-list      KIND,RELATION,KIND: one line a kind of edges
//	raw/relations/KIND___RELATION___KIND/num-edge-list, edge      as above; the nodes of each kind are numbered from 0
//	raw/node-feat/KIND/node-feat        as above, or node-feat.npy, an array of a row a node (may be absent)
//	raw/node-label/KIND/node-label      as above, of the kind that has labels
//	split/SCHEME/KIND/train, valid, test      as above, of that kind (may be absent)
//
// [ReadHetero] reads them.
//
// Features may be larger than memory: Open reads only the small files, Set.Graph everything but features, and Set.Features
// reads these in blocks of rows. Read puts it all together. A Writer writes the layout in blocks too. See the Example.
package ogb
