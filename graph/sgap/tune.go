package sgap

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph"
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

// kinds are the entrants that plans tell apart, with how many of each there are: neither rates nor r change what a training
// holds.
func kinds(entrants []entrant) (list []choice, count []int) {
	at := map[string]int{}
	for _, e := range entrants {
		c := e.choice
		c.design.Norm.R, c.training.LR, c.training.WeightDecay = 0, 0, 0
		c.design.Weighting.Alpha, c.design.Weighting.T, c.design.Local.Epsilon = 0, 0, 0
		for _, rate := range []*float64{&c.design.Head.Dropout, &c.design.Head.InputDropout, &c.design.Attention.Dropout, &c.design.Network.Dropout, &c.design.Network.AttentionDropout} {
			*rate = math.Ceil(*rate) // 0, or dropout of some kind
		}
		key := fmt.Sprintf("%+v", c)
		k, known := at[key]
		if !known {
			k = len(list)
			at[key] = k
			list, count = append(list, e.choice), append(count, 0)
		}
		count[k]++
	}
	return list, count
}

// variant is what the hops depend on: candidates of one variant share them.
type variant struct {
	norm      graph.Norm
	teleport  float64
	scaling   graph.Scaling
	weighting Weighting
	local     Local
	hops      int // where they are added up; else a candidate takes as many as it needs
}

// variantOf is the variant of a design.
func variantOf(d *Design) variant {
	v := variant{norm: d.Norm, teleport: d.Teleport, scaling: d.Scaling, local: d.Local}
	if d.Messages.sums() {
		v.weighting, v.hops = d.Weighting, d.Hops
	}
	return v
}

// variants groups entrants by their hops.
func variants(entrants []entrant) (list []variant, of map[variant][]entrant) {
	of = map[variant][]entrant{}
	for _, e := range entrants {
		v := variantOf(&e.design)
		if of[v] == nil {
			list = append(list, v)
		}
		of[v] = append(of[v], e)
	}
	return list, of
}

// hops describes the hops that the members of a variant need together, for the nodes that train and validate.
func (t *tuning) hops(v variant, members []entrant, seeds int) (design Design, nodes []int32) {
	design = Design{Norm: v.norm, Teleport: v.teleport, Scaling: v.scaling, Local: v.local, Subsets: len(t.work.data.subsets), Messages: members[0].design.Messages, Weighting: v.weighting}
	for _, e := range members {
		design.Hops = max(design.Hops, e.design.Hops)
	}
	if design.passes() || len(members[0].candidate.Smoothed) > 0 {
		return design, nil
	}
	return design, t.work.data.wanted(t.work.data.splits[:seeds], false)
}

// propagation is graph.Propagation for hops; Last needs them from the first that any member reads.
func (t *tuning) propagation(design Design, members []entrant, nodes []int32) *graph.Propagation {
	p := t.work.propagation(design, nodes)
	p.First = firstHop(design, members)
	return p
}

// firstHop is the first hop that any of the members reads.
func firstHop(design Design, members []entrant) int {
	first := design.Hops
	for _, e := range members {
		first = min(first, e.design.FirstHop())
	}
	return first
}

// stage is the plan of the search, but for graph and adjacency matrix: the largest hops beside the largest training.
func (t *tuning) stage(pl *planner, w way) (plan.Stage, error) {
	s := plan.Stage{Name: stageTune}
	var hops, shop plan.Stage
	for _, r := range t.rounds {
		entrants := t.entrants(t.all(), r)
		each := float64(r.trainings()) / float64(len(entrants)) // trainings of an entrant, on average
		list, of := variants(entrants)
		for _, v := range list {
			design, nodes := t.hops(v, of[v], r.hi)
			h := pl.hopStage(&design, t.propagation(design, of[v], nodes), w)
			h.Items = append(h.Items, positionItems(nodes, pl.data.Nodes)...)
			addStage(&h, pl.learnStage(&design, firstHop(design, of[v]), w), each*float64(len(of[v])))
			if h.Peak() > hops.Peak() {
				hops.Items = h.Items
			}
			h.Items = nil
			addStage(&s, h, 1)
		}
		choices, count := kinds(entrants)
		for k, c := range choices {
			one, err := t.training(pl, w, c.firstStage(), each*float64(count[k]))
			if err != nil {
				return s, err
			}
			if one.Peak() > shop.Peak() {
				shop.Items = one.Items
			}
			one.Items = nil
			addStage(&s, one, 1)
		}
	}
	s.Items = append(hops.Items, shop.Items...)
	return s, nil
}

// training is the plan of so many trainings of a choice.
func (t *tuning) training(pl *planner, w way, c choice, trainings float64) (plan.Stage, error) {
	sizes := t.sizes(c, w)
	if err := sizes.check(&c.design); err != nil {
		return plan.Stage{}, err
	}
	ends, err := sizes.compileEnds(c)
	if err != nil {
		return plan.Stage{}, err
	}
	smoothing := smoothedStage(t.candidates[0].Smoothed, pl.data, pl.job.Threads)
	s := plan.Stage{Items: pl.data.workItems(&c.design, ends, sizes, len(smoothing.Items) > 0)}
	addStage(&s, smoothing, trainings)
	addTraining(&s, trainings*float64(c.training.Epochs), &sizes, ends[0])
	addStage(&s, pl.labelStage(&c.design, w, sizes.train, pl.data.wanted(pl.data.splits[:t.seeds], false)), trainings)
	return s, nil
}

// sizes are those of every training of a candidate.
func (t *tuning) sizes(c choice, w way) sizes {
	d := t.work.data
	return d.sizesOf(c, d.splits[:t.seeds], w, t.work.job.Threads)
}

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

// describe writes settings in the order of their names: "hops=2 lr=0.2".
func describe(settings map[string]string) string {
	text := ""
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if text != "" {
			text += " "
		}
		text += key + "=" + settings[key]
	}
	return text
}

// record is tune.json: all candidates, the winner first.
type record struct {
	Version    int         `json:"version"`
	Chosen     int         `json:"chosen"`
	Candidates []candidate `json:"candidates"`
}

func (t *tuning) write(chosen []int) error {
	text, err := json.MarshalIndent(record{1, chosen[0], t.candidates}, "", "  ")
	if err != nil {
		return err
	}
	return memory.WriteAtomic(t.work.job.Dir.File(tuneName), append(text, '\n'))
}

// readTuning reads what a search wrote; nil when there was none.
func readTuning(job *run.Job) (*record, error) {
	path := job.Dir.File(tuneName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	r := &record{}
	if err == nil {
		err = json.Unmarshal(text, r)
	}
	if err == nil && (r.Chosen < 0 || r.Chosen >= len(r.Candidates)) {
		err = fmt.Errorf("candidate %d of %d was chosen", r.Chosen, len(r.Candidates))
	}
	if err != nil {
		return nil, format.CorruptAt(path, -1, "record of the search", "", "").WithCause(err)
	}
	return r, nil
}

// ranked are the candidates (indices), those of the last round first, the best of each round first.
func (r *record) ranked() []int {
	order := make([]int, len(r.Candidates))
	for i := range order {
		order[i] = i
	}
	t := &tuning{candidates: r.Candidates}
	t.rank(order)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(r.Candidates[b].Accuracy), len(r.Candidates[a].Accuracy)) })
	return order
}

// tuningSection is the search as a section of the report, from what it wrote; nil when there was none.
func tuningSection(job *run.Job) (*run.Section, error) {
	r, err := readTuning(job)
	if r == nil {
		return nil, err
	}
	table := run.Table{Caption: "Settings tried, the best first", Head: []string{"settings", "seeds", "validation accuracy", "validation loss"}}
	text := "Every candidate was trained on the first seed, where the run has several the best third on three, of those the best third on ten; the best on validation was taken. The accuracy is the best mean of ten epochs in a row. Test nodes were not looked at."
	standsIn := r.Candidates[r.Chosen].MeanOfHops != nil
	if standsIn {
		table.Head = append(table.Head, "mean of hops")
		text = "Before, every candidate was trained with the mean of its hops in place of learned weights, and the best sixth (at least eight) went on. Of these: " + text
	}
	for _, i := range r.ranked() {
		c := &r.Candidates[i]
		row := []string{describe(c.settings()), fmt.Sprint(len(c.Accuracy)), "", ""}
		if len(c.Accuracy) > 0 {
			row[2], row[3] = fmt.Sprintf("%.4f", c.score()), fmt.Sprintf("%.4f", mean(c.Loss))
		}
		if standsIn {
			row = append(row, fmt.Sprintf("%.4f", mean(c.MeanOfHops.Accuracy)))
		}
		table.Rows = append(table.Rows, row)
	}
	return &run.Section{Title: "Tuning", Text: text, Figures: []run.Figure{table}}, nil
}
