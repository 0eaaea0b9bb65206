package sgap

import (
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/run"
)

// preset is a published model as a point of the paradigm: what is fixed, and the settings with their defaults.
type preset struct {
	name, title, paper string
	messages           Messages
	settings           []run.Setting
	tuned              []axis
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
	return list
}

var presets = []preset{
	{
		name:     "mlp",
		title:    "multi-layer perceptron on the features alone: what a graph or a table gives without edges",
		paper:    "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986",
		messages: Last,
		settings: settings(nil, head("2", "64", "0.5", "0.01", "5e-4")),
		tuned: []axis{
			{"scaling", []string{"l1", "l2", "rms", "none"}},
			{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
			{"dropout", []string{"0", "0.5"}},
			{"lr", []string{"0.01", "0.003"}},
		},
		use: "A baseline that ignores the edges of a graph, and a classifier for plain tables.",
	},
	{
		name:     "sgc",
		title:    "simple graph convolution: a linear model on the features K hops away",
		paper:    "Wu et al., Simplifying Graph Convolutional Networks, ICML 2019",
		messages: Last,
		settings: settings(propagation("2"), head("1", "64", "0", "0.2", "5e-6")),
		tuned: []axis{
			{"scaling", []string{"l1", "rms", "l2"}},
			{"r", []string{"0.5", "0"}},
			{"hops", []string{"2", "3", "4", "5"}},
			{"weight-decay", []string{"1e-3", "1e-4", "1e-5", "1e-6"}},
			{"lr", []string{"0.2", "0.05"}},
		},
		use: "Classification of the nodes of one graph whose neighbours tend to share their class, when training must take seconds.",
	},
	{
		name:     "sign",
		title:    "scalable inception graph network: every hop through a layer of its own, then an MLP",
		paper:    "Frasca et al., SIGN: Scalable Inception Graph Neural Networks, 2020",
		messages: Concat,
		settings: settings(propagation("3"), head("1", "64", "0.5", "0.01", "5e-4")),
		tuned: []axis{
			{"scaling", []string{"l2", "rms", "l1"}},
			{"r", []string{"0.5", "0"}},
			{"hops", []string{"2", "3", "5"}},
			{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
			{"input-dropout", []string{"0", "0.3", "0.6"}},
			{"dropout", []string{"0.5", "0.8"}},
			{"lr", []string{"0.01", "0.003"}},
		},
		use: "Classification of the nodes of one graph, where the right number of hops differs from node to node.",
	},
}

// settings puts the groups of settings together.
func settings(groups ...[]run.Setting) []run.Setting {
	var list []run.Setting
	for _, g := range groups {
		list = append(list, g...)
	}
	return append(list, training()...)
}

// propagation are the settings of the graph aggregator.
func propagation(hops string) []run.Setting {
	return []run.Setting{
		{Key: "hops", Type: run.Int, Default: hops, Min: "0", Max: "1000", Doc: "K, how far features travel"},
		{Key: "r", Type: run.Float, Default: "0.5", Min: "0", Max: "1", Doc: "normalisation D^(r-1) A D^(-r): 0.5 symmetric, 0 random walk"},
		{Key: "self-loops", Type: run.Bool, Default: "true", Doc: "add the identity to the adjacency matrix"},
	}
}

// head are the settings of the transformation and its training.
func head(layers, hidden, dropout, lr, weightDecay string) []run.Setting {
	list := []run.Setting{
		{Key: "layers", Type: run.Int, Default: layers, Min: "1", Max: "100", Doc: "linear layers of the MLP"},
		{Key: "hidden", Type: run.Int, Default: hidden, Min: "1", Max: "65536", Doc: "width of its hidden layers"},
		{Key: "activation", Type: run.Choice, Choices: []string{"relu", "prelu", "gelu", "tanh", "sigmoid"}, Default: "relu", Doc: "between layers"},
		{Key: "dropout", Type: run.Float, Default: dropout, Min: "0", Max: "0.99", Doc: "rate before the layers but the first"},
		{Key: "input-dropout", Type: run.Float, Default: "0", Min: "0", Max: "0.99", Doc: "rate on the input"},
		{Key: "batch-norm", Type: run.Bool, Default: "false", Doc: "normalise hidden layers over the batch"},
		{Key: "lr", Type: run.Float, Default: lr, Min: "0", Doc: "learning rate"},
		{Key: "weight-decay", Type: run.Float, Default: weightDecay, Min: "0", Doc: "L2 added to the gradients"},
	}
	return list
}

// training are the settings that all presets share.
func training() []run.Setting {
	return []run.Setting{
		{Key: "scaling", Type: run.Choice, Choices: scalings(), Default: "l1", Doc: "rows of features: as they are, divided by their L1 or L2 norm, or L1 and then hops brought to a root mean square norm of 1"},
		{Key: "optimizer", Type: run.Choice, Choices: []string{"adam", "adamw", "sgd", "adagrad"}, Default: "adam", Doc: "the optimizer"},
		{Key: "epochs", Type: run.Int, Default: "200", Min: "1", Max: "1000000", Doc: "passes over the training nodes"},
		{Key: "patience", Type: run.Int, Default: "0", Min: "0", Doc: "epochs without a better validation score after which a seed stops; 0: never"},
		{Key: "batch", Type: run.Int, Default: "4096", Min: "1", Max: "1000000", Doc: "most nodes of a step"},
		{Key: "tune", Type: run.Int, Default: "24", Min: "0", Max: "100000", Doc: "settings to try on validation before training; 0: train with the settings as given"},
		{Key: "split", Type: run.String, Scope: run.OfData, Check: checkSplit, Doc: "public, per-class:TRAIN/VAL, ratio:TRAIN/VAL/TEST or file:PATH; none: public where there is one, else per-class:20/30 (tables: ratio:60/20/20)"},
		{Key: "component", Type: run.Choice, Choices: []string{"auto", "all", "largest"}, Default: "auto", Scope: run.OfData, Doc: "the nodes that are kept; auto: the largest connected component for the sets of Shchur et al., else all"},
		{Key: "weights", Type: run.String, Scope: run.OfData, Doc: "column of an edge list that holds weights; none: weights are ignored"},
		{Key: "target", Type: run.String, Scope: run.OfData, Doc: "column of a table that holds the class"},
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
		Data:     "a graph with features and labels (planetoid, npz of Shchur et al., OGB folder), or for mlp also a table (CSV, Parquet) with --target",
		Settings: m.preset.settings,
		Use:      m.preset.use,
		Limits:   "Its predictions follow the features and edges that it was trained on; nodes of another graph need the same features.",
	}
}

// choice is what settings describe.
func (p *preset) choice(v run.Values, bf16 bool) choice {
	c := choice{
		design: Design{
			Messages: p.messages,
			Scaling:  graph.Scaling(v.String("scaling")),
			Head: nn.MLP{
				Hidden: v.Int("hidden"), Layers: v.Int("layers"), Activation: v.String("activation"), Dropout: v.Float("dropout"),
				InputDropout: v.Float("input-dropout"), BatchNorm: v.Bool("batch-norm"), BF16: bf16,
			},
		},
		training: Training{
			Epochs: v.Int("epochs"), LR: v.Float("lr"), WeightDecay: v.Float("weight-decay"), Batch: v.Int("batch"), Patience: v.Int("patience"),
			Optimizer: v.String("optimizer"),
		},
	}
	if v.Lookup("hops") != nil {
		c.design.Hops = v.Int("hops")
		c.design.Norm = graph.Norm{R: v.Float("r"), SelfLoops: v.Bool("self-loops")}
	}
	return c
}
