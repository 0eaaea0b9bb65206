package search

// Random is random search: every design is drawn, each parameter uniform, without looking at what was told. It is the
// least that another strategy has to beat.
type Random struct{ History }

// NewRandom returns random search for the problem.
func NewRandom(p Problem) (*Random, error) {
	h, err := newHistory(p)
	return &Random{h}, err
}

// Ask returns the next design; see [Strategy].
func (r *Random) Ask() (Design, bool) {
	d, ok := r.fresh(newDraw(r.problem.Seed, randomStream, r.step()))
	if ok {
		r.start(d)
	}
	return d, ok
}
