package sgap

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/graph/search"
	"github.com/seraph-ml/seraph/run"
)

// PaScaSearch is PaSca's search (Zhang et al., WWW 2022, section 4) over its design space as a job: a suggestion server
// ([search.Strategy]) names designs, workers train them on messages that all share, and what counts is the error on
// validation against what a prediction costs. Test nodes are scored for the report alone.
type PaScaSearch struct{}

var _ run.Searcher = PaScaSearch{}

// pascaModel is the model that a design is trained as.
const pascaModel = "pasca"

// designKeys are the settings of the model that are the parameters of the space, in its order.
var designKeys = []string{"hops", "aggregator", "messages", "layers", "post-hops", "post-aggregator"}

// Spec implements run.Searcher: the settings are those of the search, and those of the model but for the design.
func (PaScaSearch) Spec() run.Spec {
	own := []run.Setting{
		{Key: "objectives", Type: run.String, Default: "error,cost", Check: checkObjectives, Doc: "what is minimised, two or three of error (on validation), cost (multiply-adds to predict all nodes), time (seconds of it, measured), memory (parameters and messages)"},
		{Key: "evaluations", Type: run.Int, Default: "150", Min: "1", Max: "153510", Doc: "designs to try"},
		{Key: "strategy", Type: run.Choice, Choices: []string{"bayes", "random", "nsga2"}, Default: "bayes", Doc: "what names the designs: Bayesian optimisation as in PaSca, random search, or the genetic algorithm NSGA-II"},
		{Key: "local-search", Type: run.Bool, Default: "false", Doc: "bayes: look for the next design by local search instead of in the whole space"},
		{Key: "population", Type: run.Int, Default: "20", Min: "2", Max: "10000", Doc: "nsga2: designs of a generation"},
		{Key: "finalists", Type: run.Int, Default: "8", Min: "1", Max: "153510", Doc: "with several seeds: designs of the lowest error that are trained on all of them, the others on the first alone"},
		{Key: "parallel", Type: run.Int, Default: "4", Min: "1", Max: "256", Doc: "designs that may be in work when the next is named; what is found depends on it, and not on --threads"},
	}
	for _, s := range pascaPreset().settings {
		switch {
		case s.Key == "tune" || s.Key == inductiveKey || strings.Contains(" "+strings.Join(designKeys, " ")+" ", " "+s.Key+" "):
		default:
			own = append(own, s)
		}
	}
	return run.Spec{
		Name: run.SearchName(pascaModel), Verb: "search " + pascaModel,
		Title: "search PaSca's space of 153,510 scalable graph models for those that trade accuracy on validation for cost best", Paper: pascaPaper,
		Data:     pascaPreset().data(),
		Settings: own,
	}
}

// pascaPreset is the preset of the model pasca.
func pascaPreset() *preset {
	for _, p := range pascaPresets() {
		if p.name == pascaModel {
			return &p
		}
	}
	panic("sgap: there is no preset pasca")
}

// settingsOf are the settings that make the model the design.
func settingsOf(d search.Design) map[string]string {
	texts := map[string]string{}
	for i, p := range d.Space().Parameters() {
		if d.Uses(p.Name) {
			texts[designKeys[i]] = d.Value(p.Name)
		}
	}
	return texts
}

// designChoice is the design with what all designs of the search are trained with.
func designChoice(base choice, d search.Design) choice {
	base.design.Head.Layers = d.Int("k_trans")
	pascaDesign(&base.design, d.Int("k_pre"), d.Value("ga_pre"), d.Value("ma"), d.Int("k_post"), d.Value("ga_post"))
	return base
}

// designSearch is a search in progress.
type designSearch struct {
	*work
	base       choice
	objectives []objective
	strategy   search.Strategy
	messages   *messages
	journal    *journal
	trials     []tried // in the order told
	finals     []tried // of the finalists, on all seeds
}

// Search implements run.Searcher.
func (PaScaSearch) Search(ctx context.Context, job *run.Job) (found *run.Found, err error) {
	w, err := Model{pascaPreset()}.open(ctx, job, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	s := &designSearch{work: w}
	if s.base, err = s.baseChoice(); err != nil {
		return nil, err
	}
	if err := s.plan(); err != nil {
		return nil, err
	}
	w.pool = kernel.NewPool(1) // each worker has one of its own
	s.messages = &messages{work: w, scaling: s.base.design.Scaling}
	defer func() { err = errors.Join(err, s.messages.close()) }()
	if err := s.messages.normalize(); err != nil {
		return nil, err
	}
	s.objectives = s.objectivesOf(job.String("objectives"))
	if s.strategy, err = s.newStrategy(); err != nil {
		return nil, err
	}
	if s.journal, err = openJournal(job.Dir.File(journalName)); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.journal.close()) }()
	if err := s.run(); err != nil {
		return nil, err
	}
	return s.result(), nil
}

// baseChoice is the model with the settings of the search, whatever the design.
func (s *designSearch) baseChoice() (choice, error) {
	given := map[string]string{}
	own := pascaPreset().settings
	for i := range own {
		if v := s.job.Lookup(own[i].Key); v != nil && v.Text != "" {
			given[v.Key] = v.Text
		}
	}
	given["data"], given["hops"], given["post-hops"] = s.job.Data, "0", "0"
	c, err := run.Resolve(Model{pascaPreset()}.Spec(), run.Sources{Flags: given})
	if err != nil {
		return choice{}, err
	}
	return s.preset.choice(c.Values, s.job.Precision == "bf16"), nil
}

// newStrategy makes what names the designs.
func (s *designSearch) newStrategy() (search.Strategy, error) {
	p := search.Problem{Space: search.PaSca(), Objectives: len(s.objectives), Seed: s.job.Seed}
	switch s.job.String("strategy") {
	case "random":
		return search.NewRandom(p)
	case "nsga2":
		return search.NewNSGA2(p, s.job.Int("population"))
	}
	return search.NewAdvisor(p, search.Options{LocalSearch: s.job.Bool("local-search")})
}

// run tries designs until there are enough, on the first seed, and then the best of them on all.
func (s *designSearch) run() error {
	running, err := s.replay()
	if err != nil {
		return err
	}
	c := s.hire()
	defer c.dismiss()
	s.job.Stage(stageSearch, "designs", s.job.Int("evaluations"))
	asked := len(s.trials)
	err = c.do(func() (*task, error) {
		if asked == s.job.Int("evaluations") {
			return nil, nil
		}
		asked++
		if len(running) > 0 {
			d := running[0]
			running = running[1:]
			return &task{design: d, seeds: 1}, nil
		}
		d, ok := s.strategy.Ask()
		if !ok {
			return nil, nil // the space is exhausted
		}
		return &task{design: d, seeds: 1}, s.journal.asked(d)
	}, s.told)
	if err != nil || s.job.Seeds == 1 {
		return err
	}
	finalists := s.finalists()
	s.job.Stage(stageFinal, "designs", len(finalists))
	at := len(s.finals)
	return c.do(func() (*task, error) {
		if at == len(finalists) {
			return nil, nil
		}
		at++
		return &task{design: finalists[at-1], seeds: s.job.Seeds}, nil
	}, s.confirmed)
}

// finalists are the designs with the lowest validation error, of equal ones the cheaper, then the earlier.
func (s *designSearch) finalists() []search.Design {
	order := make([]int, 0, len(s.trials))
	for i := range s.trials {
		if s.trials[i].Failed == "" {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.trials[b].Accuracy, s.trials[a].Accuracy), cmp.Compare(s.trials[a].Cost, s.trials[b].Cost))
	})
	var list []search.Design
	for _, i := range order[:min(len(order), s.job.Int("finalists"))] {
		list = append(list, s.trials[i].design)
	}
	return list
}

// confirmed records what came of a finalist.
func (s *designSearch) confirmed(e tried) error {
	if err := s.journal.confirmed(&e); err != nil {
		return err
	}
	s.finals = append(s.finals, e)
	s.job.Advance(len(s.finals))
	return nil
}

// told tells the strategy what came of a design, and records it.
func (s *designSearch) told(e tried) error {
	if err := s.strategy.Tell(e.design, e.values(s.objectives)); err != nil {
		return err
	}
	if err := s.journal.told(&e); err != nil {
		return err
	}
	s.trials = append(s.trials, e)
	s.job.Advance(len(s.trials))
	s.job.Show(run.Metric{Name: "hypervolume", Value: s.hypervolume(len(s.trials))}, s.bestAccuracy())
	return nil
}

// replay tells the strategy what the journal of an interrupted search holds, and returns the designs that were asked for and
// not told.
func (s *designSearch) replay() ([]search.Design, error) {
	var running []search.Design
	for n, line := range s.journal.lines {
		d, err := search.PaSca().Parse(line.Asked + line.Told + line.Final) // but one they are empty
		line.design = d
		switch {
		case err != nil:
		case line.Final != "":
			s.finals = append(s.finals, *line.tried)
		case line.Asked != "":
			running = append(running, d)
			err = s.strategy.Resume(d)
		case len(running) == 0 || running[0] != d:
			err = errors.New("the design was not asked for")
		default:
			running = running[1:]
			s.trials = append(s.trials, *line.tried)
			err = s.strategy.Tell(d, line.values(s.objectives))
		}
		if err != nil {
			return nil, s.journal.corrupt(n, err)
		}
	}
	if len(s.trials) > 0 {
		s.job.Progress.Infof("the search goes on after %d designs", len(s.trials))
	}
	if finalists := s.finalists(); len(s.finals) > len(finalists) || len(s.finals) > 0 && len(running) > 0 {
		return nil, s.journal.corrupt(len(s.journal.lines)-1, errors.New("there are more finalists than there may be"))
	}
	return running, nil
}
