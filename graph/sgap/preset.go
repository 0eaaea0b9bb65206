package sgap

import (
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// preset is a published model as a point of the paradigm: what is fixed, and the settings with their defaults.
type preset struct {
	name, title, paper string
	messages           Messages
	settings           []run.Setting
	tuned              []axis
	tunedLabels        []axis // of the smoothing of predictions, tried on every training of a candidate
	use                string
}

// axis is a setting that tuning chooses, with the values it may take.
type axis struct {
	key    string
	values []string
}

// Models returns the presets as models.
func Models() []run.Model {
	var list []run.Model
	for i := range presets {
		list = append(list, Model{&presets[i]})
	}
	for _, p := range pascaPresets() {
		list = append(list, Model{&p})
	}
	return list
}

// wholeGraph is settings for models whose only batch is all nodes.
func wholeGraph(tune string, groups ...[]run.Setting) []run.Setting {
	return slices.DeleteFunc(settings(tune, groups...), func(s run.Setting) bool { return s.Key == "batch" })
}

// ofRows are settings for models that look at one row at a time: of those no other is seen anyhow.
func ofRows(tune string, groups ...[]run.Setting) []run.Setting {
	return slices.DeleteFunc(settings(tune, groups...), func(s run.Setting) bool { return s.Key == inductiveKey })
}

// settings puts the groups of settings together, with how many settings tuning tries: more where the grid is larger and a
// training may end in several ways.
func settings(tune string, groups ...[]run.Setting) []run.Setting {
	var list []run.Setting
	for _, g := range groups {
		list = append(list, g...)
	}
	return append(list, training(tune)...)
}

// propagation are the settings of the graph aggregator.
func propagation(hops string) []run.Setting {
	return []run.Setting{
		{Key: "hops", Type: run.Int, Default: hops, Min: "0", Max: "1000", Doc: "K, how far features travel"},
		{Key: "r", Type: run.Float, Default: "0.5", Min: "0", Max: "1", Doc: "normalisation D^(r-1) A D^(-r): 0.5 symmetric, 0 random walk"},
		{Key: "self-loops", Type: run.Bool, Default: "true", Doc: "add the identity to the adjacency matrix"},
		ranksSetting(),
	}
}

// ranksKey is the setting that divides propagations among ranks.
const ranksKey = "ranks"

func ranksSetting() run.Setting {
	return run.Setting{Key: ranksKey, Type: run.Int, Default: "1", Min: "1", Max: "1024", Scope: run.OfMachine,
		Doc: "ranges of nodes that features and labels are propagated in, each getting rows of hops from the others: in this process, with the same bits"}
}

// ranks is how many a job asks for.
func ranks(job *run.Job) int {
	if job.Lookup(ranksKey) == nil {
		return 1
	}
	return job.Int(ranksKey)
}

// head are the settings of the transformation and its training.
func head(layers, hidden, dropout, lr, weightDecay string) []run.Setting {
	return append([]run.Setting{
		{Key: "layers", Type: run.Int, Default: layers, Min: "1", Max: "100", Doc: "linear layers of the MLP"},
		{Key: "hidden", Type: run.Int, Default: hidden, Min: "1", Max: "65536", Doc: "width of its hidden layers"},
		{Key: "activation", Type: run.Choice, Choices: []string{"relu", "prelu", "gelu", "tanh", "sigmoid"}, Default: "relu", Doc: "between layers"},
		{Key: "dropout", Type: run.Float, Default: dropout, Min: "0", Max: "0.99", Doc: "rate before the layers but the first"},
		{Key: "input-dropout", Type: run.Float, Default: "0", Min: "0", Max: "0.99", Doc: "rate on the input"},
		{Key: "batch-norm", Type: run.Bool, Default: "false", Doc: "normalise hidden layers over the batch"},
	}, rates(lr, weightDecay, "")...)
}

// rates are the settings of the optimizer that every model has its own defaults for.
func rates(lr, weightDecay, decayed string) []run.Setting {
	return []run.Setting{
		{Key: "lr", Type: run.Float, Default: lr, Min: "0", Doc: "learning rate"},
		{Key: "weight-decay", Type: run.Float, Default: weightDecay, Min: "0", Doc: "L2 added to the gradients" + decayed},
	}
}

// training are the settings that all presets share.
func training(tune string) []run.Setting {
	list := []run.Setting{
		{Key: "scaling", Type: run.Choice, Choices: scalings(), Default: "l1", Doc: "rows of features: as they are, divided by their L1 or L2 norm, or L1 and then hops brought to a root mean square norm of 1"},
		{Key: "optimizer", Type: run.Choice, Choices: []string{"adam", "adamw", "sgd", "adagrad"}, Default: "adam", Doc: "the optimizer"},
		{Key: "epochs", Type: run.Int, Default: "200", Min: "1", Max: "1000000", Doc: "passes over the training nodes"},
		{Key: "patience", Type: run.Int, Default: "0", Min: "0", Doc: "epochs without a better validation score after which a seed stops; 0: never"},
		{Key: "batch", Type: run.Int, Default: "4096", Min: "1", Max: "1000000", Doc: "most nodes of a step"},
		{Key: "tune", Type: run.Int, Default: tune, Min: "0", Max: "100000", Doc: "settings to try on validation before training; 0: train with the settings as given"},
	}
	list = append(append(list, ofGraph()...), inductiveSetting())
	return append(list, run.Setting{Key: "target", Type: run.String, Scope: run.OfData, Doc: "column of a table that holds the class"})
}

// ofGraph are the settings of every model that looks at a graph.
func ofGraph() []run.Setting {
	return []run.Setting{
		{Key: "split", Type: run.String, Scope: run.OfData, Check: checkSplit, Doc: "nodes that train and validate: public, per-class:TRAIN/VAL, ratio:TRAIN/VAL/TEST or file:PATH; none: public where there is one, else per-class:20/30 (tables: ratio:60/20/20)"},
		{Key: "component", Type: run.Choice, Choices: []string{"auto", "all", "largest"}, Default: "auto", Scope: run.OfData, Doc: "the nodes that are kept; auto: the largest connected component for the sets of Shchur et al., else all"},
		{Key: "weights", Type: run.String, Scope: run.OfData, Doc: "column of an edge list that holds weights; none: weights are ignored"},
	}
}

func scalings() []string {
	var list []string
	for _, s := range graph.Scalings {
		list = append(list, string(s))
	}
	return list
}

func checkSplit(text string) error {
	if text == "" {
		return nil
	}
	_, err := graph.ParseSplit(text)
	return err
}

// Spec implements run.Model.
func (m Model) Spec() run.Spec {
	return run.Spec{
		Name: m.preset.name, Title: m.preset.title, Paper: m.preset.paper,
		Data:     m.preset.data(),
		Settings: m.preset.settings,
		Use:      m.preset.use,
		Limits:   "Its predictions follow the features and edges that it was trained on; nodes of another graph need the same features.",
	}
}

// data says what the preset is trained on: one that does not look at edges takes tables too.
func (p *preset) data() string {
	const graphs = "a graph with features and labels (.sgraph, planetoid, npz of Shchur et al., OGB folder)"
	if slices.ContainsFunc(p.settings, func(s run.Setting) bool { return s.Key == relationsKey }) {
		return strings.TrimSuffix(graphs, ")") + " with one kind of nodes or several)"
	}
	if p.propagates() {
		return graphs
	}
	return graphs + ", or a table (CSV, Parquet) with --target"
}

// takes refuses a table where edges are needed, and a column of classes where the input is not a table.
func (p *preset) takes(job *run.Job) error {
	kind, err := detect.Recognise(job.Data)
	switch {
	case err != nil:
		return err
	case kind.Class == detect.Table && p.propagates():
		return run.Usagef("%s is a %s; %s takes %s", job.Data, kind.Title, p.name, p.data())
	case kind.Class == detect.Graph && job.Lookup("target") != nil && job.String("target") != "":
		return run.Usagef("--target names a column of a table; %s is a %s", job.Data, kind.Title)
	}
	return nil
}

// propagates says whether the preset looks at edges.
func (p *preset) propagates() bool {
	return p.messages == Passing || slices.ContainsFunc(p.settings, func(s run.Setting) bool { return s.Key == "hops" || s.Key == "averaging" })
}

// check refuses settings that do not go together.
func (p *preset) check(v run.Values) error {
	if v.Lookup("hop-layers") != nil && !Messages(v.String("messages")).attends() && (v.Int("hop-layers") > 0 || v.Bool("residual") || v.Bool("initial-residual")) {
		return run.Usagef("messages=%s adds up hops as they are made: hop-layers, residual and initial-residual are of networks that weigh them", v.String("messages"))
	}
	return nil
}

// choice is what settings describe.
func (p *preset) choice(v run.Values, bf16 bool) choice {
	c := choice{
		design: Design{
			Messages: p.messages,
			Scaling:  graph.Scaling(v.String("scaling")),
			Head:     nn.MLP{Layers: 1, BF16: bf16},
		},
		training: Training{
			Epochs: v.Int("epochs"), LR: v.Float("lr"), WeightDecay: v.Float("weight-decay"), Patience: v.Int("patience"),
			Optimizer: v.String("optimizer"),
		},
	}
	if p.messages == Passing {
		c.design.Norm, c.design.Network = graph.Symmetric, networkOf(v, bf16)
		return c
	}
	c.training.Batch = v.Int("batch")
	if v.Lookup("layers") != nil {
		c.design.Head = nn.MLP{
			Hidden: v.Int("hidden"), Layers: v.Int("layers"), Activation: v.String("activation"), Dropout: v.Float("dropout"),
			InputDropout: v.Float("input-dropout"), BatchNorm: v.Bool("batch-norm"), BF16: bf16,
		}
	}
	if v.Lookup("post-hops") != nil {
		pascaDesign(&c.design, v.Int("hops"), v.String("aggregator"), v.String("messages"), v.Int("post-hops"), v.String("post-aggregator"))
		return c
	}
	if v.Lookup("hops") != nil {
		c.design.Hops = v.Int("hops")
		c.design.Norm = graph.Norm{R: v.Float("r"), SelfLoops: v.Bool("self-loops")}
	}
	if c.design.Local, c.design.Post.Local = localOf(v); c.design.Local.acts() {
		c.design.Norm = localNorm
	}
	if c.design.Post.Local.acts() {
		c.design.Post.Norm = localNorm
	}
	if v.Lookup("teleport") != nil {
		c.design.Teleport = v.Float("teleport")
	}
	if v.Lookup("messages") != nil {
		c.design.Messages = Messages(v.String("messages"))
	}
	switch {
	case v.Lookup("decay") != nil:
		c.design.Weighting = Weighting{Kind: WeightingKind(v.String("decay")), Alpha: v.Float("alpha"), T: v.Float("t")}
	case v.Lookup("alpha") != nil:
		c.design.Weighting = Weighting{Kind: S2GC, Alpha: v.Float("alpha")}
	}
	if v.Lookup("attention-dropout") != nil {
		c.design.Attention = Attention{
			On: AttentionInput(v.String("attention-on")), Dropout: v.Float("attention-dropout"), Activation: ScoreActivation(v.String("attention-activation")),
		}
	}
	if v.Lookup("hop-layers") != nil && c.design.Messages.attends() {
		c.design.Attention.HopLayers, c.design.Attention.Residual = v.Int("hop-layers"), v.Bool("residual")
		c.design.Head.InitialResidual = v.Bool("initial-residual")
	}
	c.design.Labels, c.training.Reliable = labelUseOf(v), reliableOf(v)
	if v.Lookup("reference-layers") != nil {
		c.design.Attention.Layers = v.Int("reference-layers")
	}
	return c
}
