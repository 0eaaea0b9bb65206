package kernel

// Gather copies rows: Dst[i, ·] = Table[IDs[i], ·], with rows of Cols elements. A negative id gives a row of zeros; one
// beyond the table panics: who takes ids from a file checks them there.
type Gather struct {
	Dst   []float32 // len(IDs) × Cols
	Table []float32 // any rows × Cols
	IDs   []int32
	Cols  int
}

// Check says what is wrong with the sizes.
func (g *Gather) Check() error {
	const name = "gather"
	if err := checkShape(name, len(g.IDs), g.Cols); err != nil {
		return err
	}
	return checkSizes(name, length{"Dst", len(g.Dst), len(g.IDs) * g.Cols})
}

// Run copies on the pool's workers.
func (g *Gather) Run(p *Pool) { p.For(len(g.IDs), rowGrain(g.Cols), (*gatherRows)(g)) }

// gatherRows is a Gather as a task: a unit is a row of Dst.
type gatherRows Gather

// Do copies rows lo to hi.
func (g *gatherRows) Do(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		dst := g.Dst[i*g.Cols:][:g.Cols]
		if id := int(g.IDs[i]); id >= 0 {
			copy(dst, g.Table[id*g.Cols:][:g.Cols])
		} else {
			clear(dst)
		}
	}
}

// ScatterAdd adds rows: Dst[IDs[i], ·] += Src[i, ·] for i = 0, 1, …, with rows of Cols elements. It is the gradient of
// Gather. A row of Dst takes its addends in one chain of increasing i, so Src may be split anywhere, and the order does
// not depend on the workers. Rows with a negative id are skipped; an id of DstRows or more panics.
type ScatterAdd struct {
	Dst     []float32 // DstRows × Cols
	Src     []float32 // len(IDs) × Cols
	IDs     []int32
	DstRows int
	Cols    int

	level         Level
	colParts      int // the columns are cut into so many parts, whole cache lines each,
	rowParts      int // and the rows of Dst into so many, by the remainder of the id
	columnsOfPart int
}

// Check says what is wrong with the sizes.
func (s *ScatterAdd) Check() error {
	const name = "scatter-add"
	if err := checkShape(name, s.DstRows, s.Cols); err != nil {
		return err
	}
	return checkSizes(name, length{"Dst", len(s.Dst), s.DstRows * s.Cols}, length{"Src", len(s.Src), len(s.IDs) * s.Cols})
}

// Run adds on the pool's workers.
func (s *ScatterAdd) Run(p *Pool) { s.run(p, active) }

func (s *ScatterAdd) run(p *Pool, level Level) {
	s.level = level
	workers := p.Workers()
	if len(s.IDs)*s.Cols < elementGrain {
		workers = 1
	}
	// Parts of the columns are equal work whatever the ids are. Parts of the rows, which each cost a look at every id, are
	// for narrow rows.
	s.columnsOfPart = max(ceil(ceil(s.Cols, workers), line), 1) * line
	s.colParts = ceil(s.Cols, s.columnsOfPart)
	s.rowParts = ceil(workers, max(s.colParts, 1))
	p.For(s.colParts*s.rowParts, 1, (*scatterParts)(s))
}

// scatterParts is a ScatterAdd as a task: a unit is a part of the columns of a part of the rows of Dst.
type scatterParts ScatterAdd

// Do adds parts lo to hi.
func (s *scatterParts) Do(_, lo, hi int) {
	for u := lo; u < hi; u++ {
		j0, part := u%s.colParts*s.columnsOfPart, u/s.colParts
		s.add(j0, min(j0+s.columnsOfPart, s.Cols), part)
	}
}

// add adds columns j0 to j1 of the rows that go to a part of Dst.
func (s *scatterParts) add(j0, j1, part int) {
	dst := s.Dst[:s.DstRows*s.Cols]
	for i, id := range s.IDs {
		if id < 0 || int(id)%s.rowParts != part {
			continue
		}
		to := dst[int(id)*s.Cols+j0:][:j1-j0]
		binaryRow(s.level, Add, to, to, s.Src[i*s.Cols+j0:][:j1-j0])
	}
}
