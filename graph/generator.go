package graph

import (
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// Streams of the generator.
const (
	edgeStream     = 0x65646765 // "edge"
	featureStream  = 0x66656174 // "feat"
	centroidStream = 0x63656e74 // "cent"
	labelStream    = 0x6c616265 // "labe"
	placeStream    = 0x706c6163 // "plac"
	partStream     = 0x70617274 // "part"
	edgeBlock      = 1 << 16    // edges that are emitted together
	featureBlock   = 1 << 18    // values of features that are emitted together, at least one row
	edgeTries      = 8          // second ends that are drawn before a self-loop is mended
)

// generator is a block model at work.
type generator struct {
	*BlockModel
	pool    *kernel.Pool
	regions [2][]region // by sparse, class
	mass    []float64   // running sums over the classes, the dense region's first
	sparse  float64     // share of the sparse region in the mass
	place   permutation // of a node
	words   kernel.Sequence
	noise   kernel.Sequence
}

func newGenerator(m *BlockModel, pool *kernel.Pool) *generator {
	g := &generator{BlockModel: m, pool: pool, place: newPermutation(m.Nodes, m.Seed, placeStream)}
	g.words = kernel.Key{Seed: m.Seed, Stream: edgeStream}.Sequence()
	g.noise = kernel.Key{Seed: m.Seed, Stream: labelStream}.Sequence()
	sum := 0.0
	for sparse := range g.regions {
		for class := range m.Classes {
			r := m.region(class, sparse == 1)
			g.regions[sparse] = append(g.regions[sparse], r)
			sum += r.mass
			g.mass = append(g.mass, sum)
		}
	}
	if sum > 0 {
		g.sparse = (sum - g.mass[m.Classes-1]) / sum
	}
	return g
}

// edges emits all edges in blocks.
func (g *generator) edges(emit func(src, dst []int32) error) error {
	total := g.Edges()
	src, dst := make([]int32, min(edgeBlock, total)), make([]int32, min(edgeBlock, total))
	for first := 0; first < total; first += edgeBlock {
		n := min(edgeBlock, total-first)
		g.pool.For(n, 256, &edgeTask{g, first, src, dst})
		if err := emit(src[:n], dst[:n]); err != nil {
			return err
		}
	}
	return nil
}

// edgeTask draws edges, as a task: a unit is an edge.
type edgeTask struct {
	*generator
	first    int
	src, dst []int32
}

// Do draws edges lo to hi of the block.
func (t *edgeTask) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		t.src[i], t.dst[i] = t.edge(uint64(t.first + i))
	}
}

// edge draws edge number e: its words are blocks 2·edgeTries·e and following of the sequence, two for each try.
func (g *generator) edge(e uint64) (u, v int32) {
	at := 2 * edgeTries * e
	a, b := g.words.Block(at), g.words.Block(at+1)
	sparse, class := g.block(fraction(a[0]))
	from := g.regions[sparse][class].at(wide(a[1], a[2]))
	for try := uint64(1); ; try++ {
		to := g.other(sparse, class, a[3], b)
		if to != from {
			return int32(g.place.inverse(from)), int32(g.place.inverse(to))
		}
		if try == edgeTries { // a region of one heavy node, say
			return int32(g.place.inverse(from)), int32(g.place.inverse((to + 1) % g.Nodes))
		}
		a, b = g.words.Block(at+2*try), g.words.Block(at+2*try+1)
	}
}

// block returns the region and class that a number in [0, 1) falls on, in proportion to their masses.
func (g *generator) block(u float64) (sparse, class int) {
	x := u * g.mass[len(g.mass)-1]
	lo, hi := 0, len(g.mass)-1
	for lo < hi {
		if mid := (lo + hi) / 2; g.mass[mid] > x {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo / g.Classes, lo % g.Classes
}

// other draws the second end of an edge that begins in the given block.
func (g *generator) other(sparse, class int, w uint32, b [4]uint32) int {
	homophily := g.Homophily
	if sparse == 1 && g.SparseHomophily > 0 {
		homophily = g.SparseHomophily
	}
	if fraction(w) >= homophily {
		other := int(fraction(b[0]) * float64(g.Classes-1))
		if other >= class {
			other++
		}
		class = min(other, g.Classes-1)
	}
	if u := fraction(b[1]); u >= stay {
		sparse = 0
		if (u-stay)/(1-stay) < g.sparse {
			sparse = 1
		}
	}
	return g.regions[sparse][class].at(wide(b[2], b[3]))
}

// features emits all rows in blocks.
func (g *generator) features(emit func(block []float32) error) error {
	d := g.Features
	centroids := g.centroids()
	rows := max(1, featureBlock/d)
	block := make([]float32, min(rows, g.Nodes)*d)
	for first := 0; first < g.Nodes; first += rows {
		x := block[:min(rows, g.Nodes-first)*d]
		noise := kernel.Normal{Dst: x, Std: 1, Key: kernel.Key{Seed: g.Seed, Stream: featureStream}, Offset: uint64(first) * uint64(d)}
		noise.Run(g.pool)
		for i := range len(x) / d {
			class := g.class(g.place.forward(first + i))
			for j, mu := range centroids[class*d : (class+1)*d] {
				x[i*d+j] += mu
			}
		}
		if err := emit(x); err != nil {
			return err
		}
	}
	return nil
}

// centroids are the classes' means: vectors of random directions and the length Signal, classes × columns.
func (g *generator) centroids() []float32 {
	d := g.Features
	mu := make([]float32, g.Classes*d)
	normal := kernel.Normal{Dst: mu, Std: 1, Key: kernel.Key{Seed: g.Seed, Stream: centroidStream}}
	normal.Run(g.pool)
	for class := range g.Classes {
		row := mu[class*d : (class+1)*d]
		norm := 0.0
		for _, v := range row {
			norm += float64(float64(v) * float64(v))
		}
		for j, v := range row {
			row[j] = float32(float64(v) * g.Signal / math.Sqrt(norm))
		}
	}
	return mu
}

// labels returns the label of every node.
func (g *generator) labels() []int32 {
	labels := make([]int32, g.Nodes)
	for u := range labels {
		class := g.class(g.place.forward(u))
		if w := g.noise.Block(uint64(u)); fraction(w[0]) < g.LabelNoise {
			class = (class + 1 + int(fraction(w[1])*float64(g.Classes-1))) % g.Classes
		}
		labels[u] = int32(class)
	}
	return labels
}

// split returns the nodes of each part, ascending.
func (g *generator) split() (train, val, test []int32) {
	order := newPermutation(g.Nodes, g.Seed, partStream)
	first := max(1, int(g.Train*float64(g.Nodes)+0.5))
	second := first + min(int(g.Val*float64(g.Nodes)+0.5), g.Nodes-first)
	for u := range g.Nodes {
		switch at := order.forward(u); {
		case at < first:
			train = append(train, int32(u))
		case at < second:
			val = append(val, int32(u))
		default:
			test = append(test, int32(u))
		}
	}
	return train, val, test
}

// fraction maps a word to the middle of one of 2³² parts of (0, 1).
func fraction(w uint32) float64 { return (float64(w) + 0.5) / (1 << 32) }

// wide makes a number in [0, 1) of 53 bits.
func wide(a, b uint32) float64 { return float64(uint64(a)<<21|uint64(b)>>11) / (1 << 53) }
