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
// Other files, such as raw/node_year and raw/edge_reltype, are ignored with a note. Data sets of several graphs, of several
// kinds of nodes (ogbn-mag), with several labels a node (ogbn-proteins) or in binary (ogbn-papers100M) are refused.
//
// Features may be larger than memory: Open reads only the small files, Set.Graph everything but features, and Set.Features
// reads these in blocks of rows. Read puts it all together. A Writer writes the layout in blocks too. See the Example.
package ogb
