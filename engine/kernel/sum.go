package kernel

// Chunk is the number of terms that a sum over k takes in one chain before chunk sums are combined by the binary tree.
// Every split of k (over threads, ranks, micro-batches, token blocks) must fall on a multiple of it.
const Chunk = 512

// laneCount is the number of interleaved chains of a sum along a contiguous axis.
const laneCount = 16

// sumRun is the number of consecutive elements that Sum adds in one go: a chunk in every lane.
const sumRun = laneCount * Chunk

// Sum is Dst[0] = Σ X. X is cut into runs of 16·Chunk elements; a run is a sum along a contiguous axis, and the sums of the
// runs are combined by the binary tree. So the bits depend on X alone, and X may be split at multiples of 16·Chunk.
type Sum struct {
	Dst []float32 // 1 element
	X   []float32

	runs sumRuns
}

// Check says what is wrong with the sizes.
func (s *Sum) Check() error { return checkSizes("sum", length{"Dst", len(s.Dst), 1}) }

// ScratchBytes is the working memory that Run takes from a pool.
func (s *Sum) ScratchBytes(int) int { return SumScratchBytes(len(s.X)) }

// Run computes the sum on the pool's workers.
func (s *Sum) Run(p *Pool) { s.run(p, active) }

func (s *Sum) run(p *Pool, level Level) {
	s.runs = sumRuns{level: level, x: s.X}
	s.Dst[0] = s.runs.run(p)
}

// SumSquares is Dst[0] = Σ X², in the order of Sum.
type SumSquares struct {
	Dst []float32 // 1 element
	X   []float32

	runs sumRuns
}

// Check says what is wrong with the sizes.
func (s *SumSquares) Check() error {
	return checkSizes("sum of squares", length{"Dst", len(s.Dst), 1})
}

// ScratchBytes is the working memory that Run takes from a pool.
func (s *SumSquares) ScratchBytes(int) int { return SumScratchBytes(len(s.X)) }

// Run computes the sum on the pool's workers.
func (s *SumSquares) Run(p *Pool) { s.run(p, active) }

func (s *SumSquares) run(p *Pool, level Level) {
	s.runs = sumRuns{level: level, x: s.X, squares: true}
	s.Dst[0] = s.runs.run(p)
}

// SumScratchBytes is the working memory that [Sum] and [SumSquares] take for n elements.
func SumScratchBytes(n int) int { return 4 * ceil(n, sumRun) }

// sumRuns is a long sum as a task: a unit is a run.
type sumRuns struct {
	level   Level
	x       []float32
	squares bool
	sums    []float32 // of the runs
}

func (s *sumRuns) run(p *Pool) float32 {
	n := ceil(len(s.x), sumRun)
	if n == 0 {
		return 0
	}
	mem, back := p.borrow(n)
	s.sums = mem
	p.For(n, rowGrain(sumRun), s)
	treeSum(s.sums, n, 1, 0, 1)
	total := s.sums[0]
	giveBack(back)
	s.sums = nil
	return total
}

// Do adds up runs lo to hi.
func (s *sumRuns) Do(_, lo, hi int) {
	if whole := len(s.x) / sumRun; s.level > Generic && lo < whole {
		s.vector(lo, min(hi, whole), sumRun)
		lo = whole
	}
	for i := lo; i < hi; i++ {
		x := s.x[i*sumRun : min((i+1)*sumRun, len(s.x))]
		switch {
		case s.level > Generic:
			s.vector(i, i+1, len(x))
		case s.squares:
			s.sums[i] = rowDot(x, x)
		default:
			s.sums[i] = rowSum(x)
		}
	}
}

// vector adds up runs lo to hi, which have n elements each.
func (s *sumRuns) vector(lo, hi, n int) {
	args := rowsArgs{b: &s.x[lo*sumRun], s: &s.sums[lo], rows: hi - lo, cols: n, stride: 4 * n}
	if s.squares {
		args.run(s.level, rowsSquares)
	} else {
		args.run(s.level, rowsSum)
	}
}

// treeSum combines columns lo to hi of n rows, stride elements apart, by the binary tree: the first row becomes the sum.
func treeSum(x []float32, n, stride, lo, hi int) {
	for step := 1; step < n; step *= 2 {
		for i := 0; i+step < n; i += 2 * step {
			a, b := x[i*stride:][lo:hi], x[(i+step)*stride:][lo:hi]
			for j := range a {
				a[j] += b[j]
			}
		}
	}
}
