package run

// Section is a part of the report that a model adds: a title, some text, and figures below it.
type Section struct {
	Title   string
	Text    string // paragraphs, separated by empty lines
	Figures []Figure
}

// Figure is one of Table, Lines, Histogram, HeatMap.
type Figure interface{ draw() drawing }

// Table is rows of text below heads. Columns that hold nothing but numbers are set to the right.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]string
}

// Lines is a line chart. X is shared; a NaN in a series leaves a gap.
type Lines struct {
	Caption        string
	XLabel, YLabel string
	X              []float64
	Series         []Series
	LogX, LogY     bool
}

// Series is one line of a chart, as long as its X.
type Series struct {
	Name   string
	Y      []float64
	Points bool // dots without a line between them
}

// Histogram is counts between edges: Counts[i] lies between Edges[i] and Edges[i+1].
type Histogram struct {
	Caption string
	XLabel  string
	Edges   []float64
	Counts  []int
}

// HeatMap is a matrix of values drawn as colours: Values[row][column], as a confusion matrix or attention is.
type HeatMap struct {
	Caption       string
	Rows, Columns []string // labels
	Values        [][]float64
}
