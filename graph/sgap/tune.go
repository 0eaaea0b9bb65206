package sgap

import (
	"cmp"
	"errors"
	"maps"
	"os"
	"slices"

	"github.com/seraph-ml/seraph/run"
)

// tuning is the search for settings on validation, by successive halving (Jamieson and Talwalkar, AISTATS 2016) over the
// seeds of the job: all candidates are trained on the first seed, the best third of them (at least three) on the first three,
// the best third of those on ten, as far as the job has so many. After each round the mean over all seeds so far counts.
//
// Where the candidates learn weights of hops, the mean of hops stands in for them in a round before, on three seeds: it costs a
// small part of the time, for the hops are added up as they are made, and what suits the one mostly suits the other. The best sixth
// (at least eight) go on.
//
// Candidate 0 is the settings as they are; the others are drawn without replacement from the grid of the preset's axes, by
// the job's seed. Settings that the user gave stay as given.
//
// The candidate with the best steady validation accuracy wins (ties: the lower validation loss, then the earlier candidate).
// A candidate stops after 60 epochs without a better one. Test nodes are not looked at.
type tuning struct {
	work       *work
	candidates []candidate
	rounds     []round
	trainings  int // of all rounds
	seeds      int // of the last round
	log        *lineFile
	before     map[string]trainedLine // an interruption, by what they are of
}

// round is so many candidates on the seeds from lo to hi.
type round struct {
	candidates, lo, hi int
	standIn            bool // in their place, the mean of hops
}

// trainings is how many trainings the round has.
func (r round) trainings() int { return r.candidates * (r.hi - r.lo) }

// candidate is settings to try, and how they fared.
type candidate struct {
	Settings map[string]string `json:"settings"`
	trials

	// Smoothed are the ways to smooth predictions that were tried on each of its trainings: what they add counts.
	Smoothed []smoothed `json:"smoothed,omitempty"`

	// MeanOfHops is how the mean of hops fared in place of learned weights; nil where none are learned.
	MeanOfHops *trials `json:"mean_of_hops,omitempty"`

	own, standIn choice
}

// trials are what came of trainings.
type trials struct {
	Accuracy []float64 `json:"val_accuracy"` // of each seed tried: steady
	Loss     []float64 `json:"val_loss"`     // of the best epoch
}

// entrant is a candidate in a round: what is trained of it, and where it is written what came of it.
type entrant struct {
	choice
	*trials
	candidate *candidate
}

const (
	tuneName     = "tune.json"
	tunePatience = 60
	tuneStream   = 0x74756e65 // "tune"
)

// largestGrid bounds the points of a space, all of which are put in an order.
const largestGrid = 1 << 24

// newTuning draws n candidates from a space; nil where there is nothing to choose.
func (w *work) newTuning(n int, space []axis) (*tuning, error) {
	t := &tuning{work: w}
	var axes []axis
	size := 1
	for _, a := range space {
		if !w.job.Given(a.key) {
			axes = append(axes, a)
			size *= len(a.values)
		}
		if size > largestGrid {
			return nil, run.Usagef("the space has more than %d points; give it fewer values", largestGrid)
		}
	}
	if (len(axes) == 0 || n < 1) && !w.choosesSmoothing() {
		return nil, nil
	}
	first := map[string]string{}
	for _, a := range axes {
		first[a.key] = w.job.Lookup(a.key).Text
	}
	if err := t.add(first); err != nil {
		return nil, err
	}
	order := make([]int32, size)
	shuffle(order, w.job.Seed^tuneStream, 0)
	for _, point := range order[:min(n-1, size)] {
		texts := map[string]string{}
		for _, a := range axes {
			texts[a.key] = a.values[int(point)%len(a.values)]
			point /= int32(len(a.values))
		}
		if err := t.add(texts); err != nil {
			return nil, err
		}
	}
	if err := t.addSmoothed(); err != nil {
		return nil, err
	}
	t.halve()
	return t, nil
}

// halve lays out the rounds.
func (t *tuning) halve() {
	left := len(t.candidates)
	lay := func(r round) {
		t.rounds = append(t.rounds, r)
		t.trainings += r.trainings()
	}
	if t.standsIn() {
		for i := range t.candidates {
			t.candidates[i].MeanOfHops = &trials{}
		}
		lay(round{left, 0, min(3, t.work.job.Seeds), true})
		left = min(left, max(8, (left+5)/6))
	}
	for _, seeds := range []int{1, 3, 10} {
		if hi := min(seeds, t.work.job.Seeds); hi > t.seeds {
			lay(round{left, t.seeds, hi, false})
			t.seeds = hi
		}
		left = min(left, max(3, (left+2)/3))
	}
}

// standsIn says whether the mean of hops can stand in for every candidate, and differs from some.
func (t *tuning) standsIn() bool {
	learns := false
	for i := range t.candidates {
		c := &t.candidates[i]
		if c.standIn.design.Messages != Mean {
			return false
		}
		learns = learns || c.own.design.Messages != Mean
	}
	return learns
}

func (t *tuning) add(texts map[string]string) error {
	job := t.work.job
	choose := func(texts map[string]string) (choice, run.Values, error) {
		values, err := job.Values.With(texts)
		if err != nil {
			return choice{}, nil, err
		}
		c := t.work.choiceOf(values)
		return c, values, c.design.checkSubsets()
	}
	own, values, err := choose(texts)
	if err != nil {
		return err
	}
	c := candidate{Settings: texts, own: own, standIn: own}
	if own.design.Messages.attends() && own.design.Subsets == 0 && values.Lookup("messages") != nil && slices.Contains(values.Lookup("messages").Choices, string(Mean)) {
		with := maps.Clone(texts)
		with["messages"] = string(Mean)
		mean, values, err := choose(with)
		if err != nil {
			return err
		}
		if t.work.preset.check(values) == nil {
			c.standIn = mean
		}
	}
	t.candidates = append(t.candidates, c)
	return nil
}

// entrants are the candidates (indices) in a round.
func (t *tuning) entrants(chosen []int, r round) []entrant {
	list := make([]entrant, len(chosen))
	for i, k := range chosen {
		c := &t.candidates[k]
		list[i] = entrant{c.own, &c.trials, c}
		if r.standIn {
			list[i] = entrant{c.standIn, c.MeanOfHops, c}
		}
	}
	return list
}

// final are the candidates as they are trained in the end.
func (t *tuning) final() []entrant { return t.entrants(t.all(), round{}) }

func (t *tuning) all() []int {
	all := make([]int, len(t.candidates))
	for i := range all {
		all[i] = i
	}
	return all
}

// run searches and makes what it finds the settings of the job.
func (t *tuning) run() (err error) {
	job := t.work.job
	job.Stage(stageTune, "trainings", t.trainings)
	if err := t.goOn(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.log.close()) }()
	chosen, done := t.all(), 0
	for _, r := range t.rounds {
		chosen = chosen[:r.candidates]
		if err := t.round(chosen, r, &done); err != nil {
			return err
		}
		t.rank(chosen)
	}
	best := &t.candidates[chosen[0]]
	if err := t.write(chosen); err != nil {
		return err
	}
	settings := best.settings()
	job.Notef("tuned on validation, %d settings tried: %s (validation accuracy %.4f)", len(t.candidates), describe(settings), best.score())
	return errors.Join(job.Tune(settings), os.Remove(t.log.path)) // what was tried is in the record
}

// round trains the chosen candidates on the seeds of a round.
func (t *tuning) round(chosen []int, r round, done *int) error {
	list, of := variants(t.entrants(chosen, r))
	for _, v := range list {
		if err := t.variant(v, of[v], r, done); err != nil {
			return err
		}
	}
	return nil
}

// variant propagates once and trains the entrants that share the hops.
func (t *tuning) variant(v variant, members []entrant, r round, done *int) (err error) {
	w := t.work
	if t.take(members, r.hi) {
		*done += len(members) * (r.hi - r.lo)
		return nil
	}
	design, nodes := t.hops(v, members, r.hi)
	if err := w.normalize(&design); err != nil {
		return err
	}
	s, err := w.propagate(&design, t.propagation(design, members, nodes), nodes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.learner = w.newLearner(&design, firstHop(design, members))
	if err := w.connect(s, &design); err != nil {
		return err
	}
	for _, e := range members {
		if err := t.try(e, s, r.hi); err != nil {
			return err
		}
		*done += r.hi - r.lo
		w.job.Advance(*done)
	}
	return nil
}

// try trains an entrant on the seeds up to hi that it has not been trained on. One that diverges is as good as its best epoch.
func (t *tuning) try(e entrant, st *store, hi int) (err error) {
	w, first := t.work, e.firstStage()
	sizes := t.sizes(first, w.chosen)
	spill, err := w.shelfDisk(&sizes)
	if err != nil {
		return err
	}
	shop, err := newWorkshop(w.data, first, sizes, len(e.candidate.Smoothed) > 0, w.pool, spill)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.close()) }()
	for seed := len(e.Accuracy); seed < hi; seed++ { // some may have been before an interruption
		if err := w.tellLabels(st, &first.design, w.data.splits[seed]); err != nil {
			return err
		}
		if err := shop.open(st, w.data.splits[seed]); err != nil {
			return err
		}
		shop.begin(w.job.Seed + uint64(seed))
		var s steady
		for !shop.finished() && s.stale < tunePatience {
			_, val, err := shop.runEpoch()
			if errors.Is(err, errDiverged) {
				break
			}
			if err != nil {
				return err
			}
			s.add(val.Accuracy())
			if err := w.job.Interrupted(); err != nil {
				return err
			}
		}
		e.Accuracy = append(e.Accuracy, s.best)
		e.Loss = append(e.Loss, shop.best.Loss)
		if err := t.trySmoothed(e.candidate, shop, st, w.data.splits[seed]); err != nil {
			return err
		}
		if err := t.record(e); err != nil {
			return err
		}
	}
	return nil
}

// steady is the best mean validation accuracy of ten epochs in a row. A few hundred validation nodes rate an epoch to a point
// or two, and the best of hundreds of epochs is mostly a lucky one: by means, settings compare better.
type steady struct {
	recent []float64
	best   float64
	stale  int // epochs since it was reached
}

// add takes the accuracy of the next epoch.
func (s *steady) add(accuracy float64) {
	s.recent = append(s.recent[max(0, len(s.recent)-9):], accuracy)
	s.stale++
	if m := mean(s.recent); m > s.best {
		s.best, s.stale = m, 0
	}
}

// rank sorts candidates, the best first.
func (t *tuning) rank(chosen []int) {
	slices.SortStableFunc(chosen, func(a, b int) int {
		x, y := &t.candidates[a], &t.candidates[b]
		return cmp.Or(cmp.Compare(y.score(), x.score()), cmp.Compare(mean(x.tried().Loss), mean(y.tried().Loss)), cmp.Compare(a, b))
	})
}

// tried is what came of a candidate: of itself, or as long as it has not been trained of what stands in for it.
func (c *candidate) tried() *trials {
	if len(c.Accuracy) == 0 && c.MeanOfHops != nil {
		return c.MeanOfHops
	}
	return &c.trials
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(len(x), 1))
}
