// Package table holds tables of numbers and categories as a classifier needs them, and reads and writes CSV. Package parquet reads the
// same types from Parquet.
//
// A *File is a table on disk whose columns are known: names, kinds, how many values are missing, and the dictionary of every
// text column. Its rows are read in blocks, as often as wanted, in memory proportional to a block. A *Table is such a block,
// or all of it.
//
// A *Layout turns tables into Samples: a matrix of the numeric columns, the codes of the categorical ones, and class ids. It
// is made once, from the table a model is trained on, and kept with the model, so that other tables are read the same way.
//
// In a CSV file a column holds numbers if all its cells are numbers, over the whole file, and text (categories) otherwise. An
// empty cell is missing; NA, N/A, NaN, null, None and ? are missing among numbers and values like any other among text.
package table
