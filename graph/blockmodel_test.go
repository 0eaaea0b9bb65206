package graph

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/run"
)

func generate(t *testing.T, m *BlockModel, pool *kernel.Pool) *format.Graph {
	t.Helper()
	g, err := m.Generate(pool)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Validate("generated"); err != nil {
		t.Fatal(err)
	}
	return g
}

// near checks that a count is within five standard deviations of its expectation.
func near(t *testing.T, what string, got, want, variance float64) {
	t.Helper()
	if z := (got - want) / math.Sqrt(variance); !(math.Abs(z) < 5) {
		t.Errorf("%s: %.6g, expected %.6g ± %.3g: %.1f standard deviations", what, got, want, math.Sqrt(variance), z)
	}
}

var testModel = BlockModel{
	Nodes: 20_011, Classes: 7, Degree: 12, Homophily: 0.6, Exponent: 2.5, SparseShare: 0.3, SparseDegree: 3,
	Features: 24, Signal: 2, LabelNoise: 0.1, Train: 0.1, Val: 0.05, Seed: 3,
}

// Degrees are Poisson numbers with the expectations of the power law, in each region.
func TestDegreesFollowThePowerLaw(t *testing.T) {
	for _, exponent := range []float64{0, 2.2, 2.5, 4} {
		m := testModel
		m.Exponent, m.Features = exponent, 0
		raw := generate(t, &m, nil)
		degree := make([]float64, m.Nodes)
		for i := range raw.Src {
			if raw.Src[i] == raw.Dst[i] {
				t.Fatalf("edge %d is a self-loop", i)
			}
			degree[raw.Src[i]]++
			degree[raw.Dst[i]]++
		}
		g := newGenerator(&m, nil)
		for sparse, regions := range g.regions {
			// Ranks in bins that double in width: totals, then the spread within.
			for lo := 0; lo < regions[0].size; lo = 2*lo + 1 {
				var sum, expected, spread, terms, variance float64
				for _, r := range regions {
					for rank := lo; rank < min(2*lo+1, r.size); rank++ {
						k, e := degree[g.place.inverse(r.first+rank)], r.expected(rank)
						sum += k
						expected += e
						spread += (k - e) * (k - e) / e
						terms++
						variance += 2 + 1/e
					}
				}
				near(t, "degrees of a bin", sum, expected, expected)
				near(t, "spread of a bin", spread, terms, variance) // (k − λ)²/λ has the mean 1 and the variance 2 + 1/λ
			}
			if mean := regions[0].mass / float64(regions[0].size); mean != []float64{12, 3}[sparse] {
				t.Errorf("mean degree %v", mean)
			}
		}
	}
}

// The tail of the degree distribution has the exponent: the maximum-likelihood estimate of Clauset, Shalizi and Newman (2009).
func TestTheTailHasItsExponent(t *testing.T) {
	m := BlockModel{Nodes: 200_000, Classes: 2, Degree: 20, Homophily: 0.5, Exponent: 3, Train: 0.1}
	r := m.region(0, false)
	const least = 60.0
	sum, n := 0.0, 0.0
	for rank := 0; rank < r.size && r.expected(rank) >= least; rank++ {
		sum += math.Log(r.expected(rank) / least)
		n++
	}
	if estimate := 1 + n/sum; math.Abs(estimate-m.Exponent) > 0.1 {
		t.Errorf("exponent %.3f over %.0f nodes, want %v", estimate, n, m.Exponent)
	}
	if most := r.expected(0); most > math.Sqrt(20*200_000)*1.001 {
		t.Errorf("the greatest expected degree is %v", most)
	}
}

// Edges between classes and between regions are as many as the model says.
func TestBlocksAreJoinedAsTheModelSays(t *testing.T) {
	m := testModel
	m.Features, m.SparseHomophily = 0, 0.8
	raw := generate(t, &m, nil)
	g := newGenerator(&m, nil)
	var within [2]float64 // edges within a class, by the region of their first end
	var classes [7][7]float64
	var regions [2][2]float64
	for i := range raw.Src {
		u, v := g.place.forward(int(raw.Src[i])), g.place.forward(int(raw.Dst[i]))
		a, b := m.class(u), m.class(v)
		classes[a][b]++
		sparse := func(place, class int) int {
			if place >= g.regions[1][class].first {
				return 1
			}
			return 0
		}
		regions[sparse(u, a)][sparse(v, b)]++
		if a == b {
			within[sparse(u, a)]++
		}
	}
	edges := float64(m.Edges())
	if len(raw.Src) != m.Edges() {
		t.Fatalf("%d edges, want %d", len(raw.Src), m.Edges())
	}
	if want := math.Round(20_011 * (0.7*12 + 0.3*3) / 2); math.Abs(edges-want) > 100 {
		t.Errorf("%v edges, expected about %v", edges, want)
	}
	share := [2]float64{1 - g.sparse, g.sparse}
	homophily := share[0]*m.Homophily + share[1]*m.SparseHomophily
	near(t, "edges of the dense region within a class", within[0], edges*share[0]*m.Homophily, edges*share[0]*m.Homophily)
	near(t, "edges of the sparse region within a class", within[1], edges*share[1]*m.SparseHomophily, edges*share[1]*m.SparseHomophily)
	for a := range classes {
		for b := range classes {
			p := homophily / 7
			if a != b {
				p = (1 - homophily) / 7 / 6
			}
			near(t, "edges between classes", classes[a][b], edges*p, edges*p)
		}
	}
	for a := range regions {
		for b := range regions {
			p := share[a] * (1 - stay) * share[b]
			if a == b {
				p += share[a] * stay
			}
			near(t, "edges between regions", regions[a][b], edges*p, edges*p)
		}
	}
	clean := newGraph(t, raw, All)
	// Labels of which a tenth is wrong: both right, or both wrong and alike.
	h, q := homophily, m.LabelNoise
	sameFromSame := (1-q)*(1-q) + q*q/6
	sameFromOther := 2*q*(1-q)/6 + q*q*5/36
	near(t, "homophily", clean.Homophily()*edges, edges*(h*sameFromSame+(1-h)*sameFromOther), edges/4)
}

func TestGeneratedNodesHaveTheirFeaturesLabelsAndParts(t *testing.T) {
	m := testModel
	raw := generate(t, &m, nil)
	g := newGenerator(&m, nil)
	mu := g.centroids()
	n, d := float64(m.Nodes), m.Features
	wrong, sum, squares := 0.0, 0.0, 0.0
	counts := make([]int, m.Classes)
	means := make([]float64, m.Classes*d)
	for u, label := range raw.Labels {
		class := m.class(g.place.forward(u))
		counts[class]++
		if int(label) != class {
			wrong++
		}
		for j := range d {
			z := float64(raw.Features.Dense[u*d+j] - mu[class*d+j])
			sum += z
			squares += z * z
			means[class*d+j] += z
		}
	}
	if slices.Max(counts)-slices.Min(counts) > 1 {
		t.Errorf("classes of %d nodes", counts)
	}
	near(t, "wrong labels", wrong, n*m.LabelNoise, n*m.LabelNoise*(1-m.LabelNoise))
	near(t, "sum of the noise", sum, 0, n*float64(d))
	near(t, "squares of the noise", squares, n*float64(d), 2*n*float64(d))
	spread := 0.0
	for i, s := range means {
		spread += s * s / float64(counts[i/d])
	}
	near(t, "means of the classes", spread, float64(len(means)), 2*float64(len(means)))
	for class := range m.Classes {
		norm := 0.0
		for _, v := range mu[class*d : (class+1)*d] {
			norm += float64(v) * float64(v)
		}
		if math.Abs(math.Sqrt(norm)-m.Signal) > 1e-6 {
			t.Errorf("centroid %d has the length %v", class, math.Sqrt(norm))
		}
	}
	if got := [3]int{len(raw.Train), len(raw.Val), len(raw.Test)}; got != [3]int{2001, 1001, 17009} {
		t.Errorf("parts of %d nodes", got)
	}
	s := Split{Train: raw.Train, Val: raw.Val, Test: raw.Test}
	if err := s.check(newGraph(t, raw, All), "generated", ""); err != nil {
		t.Error(err)
	}
}

func TestThreadsDoNotChangeWhatIsGenerated(t *testing.T) {
	m := testModel
	m.Degree = 20 // more than one block of edges
	want := generate(t, &m, nil)
	if len(want.Src) <= edgeBlock || len(want.Features.Dense) <= featureBlock {
		t.Fatal("too small to be generated in blocks")
	}
	pool := kernel.NewPool(3)
	defer pool.Close()
	got := generate(t, &m, pool)
	if !slices.Equal(got.Src, want.Src) || !slices.Equal(got.Dst, want.Dst) || !slices.Equal(got.Features.Dense, want.Features.Dense) ||
		!slices.Equal(got.Labels, want.Labels) || !slices.Equal(got.Train, want.Train) || !slices.Equal(got.Val, want.Val) {
		t.Error("three threads generated another graph")
	}
	m.Seed++
	got = generate(t, &m, nil)
	if slices.Equal(got.Src, want.Src) || slices.Equal(got.Labels, want.Labels) || slices.Equal(got.Train, want.Train) {
		t.Error("another seed generated the same")
	}
}

func TestTheOGBWriterTakesAGeneratedGraph(t *testing.T) {
	m := BlockModel{Nodes: 500, Classes: 3, Degree: 4, Homophily: 0.9, Exponent: 3, Features: 2, Signal: 1, Train: 0.2, Val: 0.2}
	dir := filepath.Join(t.TempDir(), "set")
	w, err := ogb.NewWriter(dir, m.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(w, nil); err != nil {
		t.Fatal(err)
	}
	got, err := ogb.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := generate(t, &m, nil)
	want.Name, want.Format, got.Notes = got.Name, got.Format, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParametersOutOfRangeAreRefused(t *testing.T) {
	for i, change := range []func(m *BlockModel){
		func(m *BlockModel) { m.Nodes = 1 }, func(m *BlockModel) { m.Nodes = math.MaxInt32 + 1 },
		func(m *BlockModel) { m.Classes = 0 }, func(m *BlockModel) { m.Classes = m.Nodes },
		func(m *BlockModel) { m.Degree = -1 }, func(m *BlockModel) { m.Degree = math.NaN() }, func(m *BlockModel) { m.Degree = 1e9 },
		func(m *BlockModel) { m.Homophily = 1.1 }, func(m *BlockModel) { m.Classes = 1 },
		func(m *BlockModel) { m.Exponent = 2 }, func(m *BlockModel) { m.Exponent = math.Inf(1) },
		func(m *BlockModel) { m.SparseShare = 1 }, func(m *BlockModel) { m.SparseDegree = math.NaN() }, func(m *BlockModel) { m.SparseHomophily = 1.1 },
		func(m *BlockModel) { m.Features = -1 }, func(m *BlockModel) { m.Signal = math.NaN() },
		func(m *BlockModel) { m.LabelNoise = 2 }, func(m *BlockModel) { m.Train = 0 }, func(m *BlockModel) { m.Train, m.Val = 0.6, 0.6 },
	} {
		m := testModel
		change(&m)
		var usage *run.UsageError
		if _, err := m.Generate(nil); !errors.As(err, &usage) {
			t.Errorf("case %d: %v, want a usage error", i, err)
		}
	}
	for _, m := range []BlockModel{
		{Nodes: 2, Classes: 1, Homophily: 1, Degree: 1.5, Exponent: 2.1, Train: 1},
		{Nodes: 4, Classes: 2, Homophily: 1, Degree: 3, SparseShare: 0.9, Train: 0.01},
		{Nodes: 10, Classes: 5, Homophily: 0, Degree: 0, Features: 1, Train: 0.5, Val: 0.5},
	} {
		generate(t, &m, nil)
	}
}

func TestPermutationsAreBijections(t *testing.T) {
	for _, n := range append([]int{1000, 4096, 4097}, []int{1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65}...) {
		p := newPermutation(n, 5, 1)
		seen := make([]bool, n)
		for i := range n {
			j := p.forward(i)
			if j < 0 || j >= n || seen[j] || p.inverse(j) != i {
				t.Fatalf("n = %d: %d goes to %d and back to %d", n, i, j, p.inverse(j))
			}
			seen[j] = true
		}
	}
	// Where a number goes is uniform over the seeds, and independent of where its neighbour goes.
	const n, seeds = 10, 20_000
	var one [n]float64
	var two [n][n]float64
	for seed := range uint64(seeds) {
		p := newPermutation(n, seed, 2)
		one[p.forward(3)]++
		two[p.forward(3)][p.forward(4)]++
	}
	for i := range n {
		near(t, "images", one[i], seeds/n, seeds/n)
		for j := range n {
			if i != j {
				near(t, "pairs of images", two[i][j], seeds/(n*(n-1.)), seeds/(n*(n-1.)))
			}
		}
	}
}
