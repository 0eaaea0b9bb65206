package search

// Settings of the probabilistic random forest that PaSca's suggestion server uses (Hutter et al., Sequential model-based
// optimization for general algorithm configuration, 2011; the values are OpenBox's).
const (
	forestTrees = 10
	minSplit    = 3    // observations that a node must have to be split
	minLeaf     = 3    // observations that each side of a split must have
	pureEnough  = 1e-8 // variance up to which a node is not split
	minVariance = 1e-5 // of a prediction
)

// Forest predicts an objective over a space: mean and variance, over trees, of the means of the leaves that a design
// falls into. Each tree stands on a bootstrap sample of the observations, and each split on 5/6 of the parameters.
//
// Integers are split in two ranges and categories, which have no order, in two sets. Where the observations leave open
// on which side a value belongs (an integer between two observed ones, a category that none has), each tree draws: so
// trees disagree, and the variance is larger, where nothing was observed.
type Forest struct {
	space *Space
	trees [forestTrees]tree
}

// NewForest fits a forest to one value for each of the designs, which are of the space. The variance floor of 1e-5 suits
// values of about unit range. The forest depends on its arguments alone: tree t draws from its own random sequence, which
// the seed and step name. With no observation the forest is 0 everywhere, with less than 6 a constant.
func NewForest(space *Space, designs []Design, values []float64, seed, step uint64) *Forest {
	f := &Forest{space: space}
	d := len(space.sizes)
	positions := make([]int, len(designs)*d)
	for i, x := range designs {
		x.positions(positions[i*d : (i+1)*d])
	}
	for t := range f.trees {
		g := grower{
			space: space, positions: positions, values: values,
			random: newDraw(seed, forestStream, step*forestTrees+uint64(t)),
		}
		f.trees[t] = g.grow()
	}
	return f
}

// Predict returns mean and variance of the design's value.
func (f *Forest) Predict(d Design) (mean, variance float64) {
	v := make([]int, len(f.space.sizes))
	d.positions(v)
	return f.predict(v)
}

// predict is Predict of the design with the positions v. It does not allocate.
func (f *Forest) predict(v []int) (mean, variance float64) {
	var leaf [forestTrees]float64
	for t := range f.trees {
		leaf[t] = f.trees[t].value(v)
		mean += leaf[t]
	}
	mean /= forestTrees
	for _, x := range leaf {
		variance += (x - mean) * (x - mean)
	}
	return mean, max(variance/forestTrees, minVariance)
}

// tree is a regression tree; node 0 is the root.
type tree []node

// node sends a design on by the position of one parameter's value, or is a leaf.
type node struct {
	parameter   int32 // −1: a leaf
	left, right int32
	last        int     // the largest position that goes left, of an integer
	categories  uint64  // the set that goes left, of a parameter with categories
	value       float64 // the mean of a leaf
}

// value returns the mean of the leaf of a design.
func (t tree) value(v []int) float64 {
	n := &t[0]
	for n.parameter >= 0 {
		if n.goesLeft(v[n.parameter]) {
			n = &t[n.left]
		} else {
			n = &t[n.right]
		}
	}
	return n.value
}

// goesLeft says where position x of the node's parameter goes. Either last or categories is in use; the other one's
// resting value, −1 or no category, sends nothing to the left.
func (n *node) goesLeft(x int) bool {
	return x <= n.last || n.categories>>(uint(x)&63)&1 == 1
}
