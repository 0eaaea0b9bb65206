package sgap

import "github.com/seraph-ml/seraph/run"

// presets are the models. The grids of the newer ones span what their papers and authors' programs use; none was drawn up by
// looking at test nodes.
var presets = []preset{
	{
		name:     "mlp",
		title:    "multi-layer perceptron on the features alone: what a graph or a table gives without edges",
		paper:    "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986",
		messages: Last,
		settings: ofRows("24", head("2", "64", "0.5", "0.01", "5e-4")),
		tuned: []axis{
			{"scaling", []string{"l1", "l2", "rms", "none"}},
			{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
			{"dropout", []string{"0", "0.5"}},
			{"lr", []string{"0.01", "0.003"}},
		},
		use: "A baseline that ignores the edges of a graph, and a classifier for plain tables.",
	},
	{
		name:     "logistic",
		title:    "logistic regression on the features alone: a linear model",
		paper:    "Cox, The regression analysis of binary sequences, Journal of the Royal Statistical Society B 1958",
		messages: Last,
		settings: ofRows("24", rates("0.05", "1e-5", "")),
		tuned: []axis{
			{"scaling", []string{"l1", "l2", "rms", "none"}},
			{"weight-decay", []string{"1e-2", "1e-3", "1e-4", "1e-5", "1e-6"}},
			{"lr", []string{"0.2", "0.05", "0.01"}},
		},
		use: "The first thing to try, and what more is to be measured against: on a graph without its edges, on a table with --target.",
	},
	{
		name:     "sgc",
		title:    "simple graph convolution: a linear model on the features K hops away",
		paper:    "Wu et al., Simplifying Graph Convolutional Networks, ICML 2019",
		messages: Last,
		settings: settings("32", propagation("2"), head("1", "64", "0", "0.2", "5e-6")),
		tuned: []axis{
			{"scaling", []string{"l1", "rms", "l2", "none"}},
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
		settings: settings("64", propagation("3"), head("1", "64", "0.5", "0.01", "5e-4")),
		tuned: []axis{
			{"scaling", []string{"l2", "rms", "l1", "none"}},
			{"r", []string{"0.5", "0"}},
			{"hops", []string{"2", "3", "5"}},
			{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
			{"input-dropout", []string{"0", "0.3", "0.6"}},
			{"dropout", []string{"0.5", "0.8"}},
			{"lr", []string{"0.01", "0.003"}},
		},
		use: "Classification of the nodes of one graph, where the right number of hops differs from node to node.",
	},
	{
		name:     "s2gc",
		title:    "simple spectral graph convolution: a linear model on the mean of all hops, a share of the features kept in each",
		paper:    "Zhu and Koniusz, Simple Spectral Graph Convolution, ICLR 2021",
		messages: Weighted,
		settings: settings("48", propagation("16"), alpha("0.05", "0", "share of the node's own features in every term"), head("1", "64", "0", "0.2", "1e-5")),
		tuned: []axis{
			{"scaling", []string{"l1", "rms", "l2", "none"}},
			{"hops", []string{"2", "5", "10", "16"}},
			{"alpha", []string{"0.05", "0.1", "0.3"}},
			{"weight-decay", []string{"1e-3", "1e-4", "1e-5", "1e-6"}},
			{"lr", []string{"0.2", "0.05"}},
		},
		use: "Like sgc, where neighbourhoods of very different sizes matter: more hops do not wash the features out.",
	},
	{
		name:     "gbp",
		title:    "graph neural network via bidirectional propagation: an MLP on hops that count less the further away they are",
		paper:    "Chen et al., Scalable Graph Neural Networks via Bidirectional Propagation, NeurIPS 2020",
		messages: Weighted,
		settings: settings("64", propagation("10"), decay("0.1"), head("2", "64", "0.5", "0.01", "5e-4")),
		tuned: []axis{
			{"scaling", []string{"l1", "rms", "l2", "none"}},
			{"r", []string{"0.5", "0"}},
			{"hops", []string{"4", "10", "15"}},
			{"alpha", []string{"0.1", "0.2", "0.3"}},
			{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
			{"input-dropout", []string{"0", "0.5", "0.8"}},
			{"dropout", []string{"0.5", "0.8"}},
			{"lr", []string{"0.01", "0.003"}},
		},
		use: "Classification of the nodes of one graph with an MLP that costs no more to train than one without edges.",
	},
	{
		name:     "gmlp",
		title:    "graph MLP: every node weighs its hops, guided by a branch that learns the classes from all of them",
		paper:    "Zhang et al., GMLP: Building Scalable and Flexible Graph Neural Networks with Feature-Message Passing, 2021",
		messages: SelfGuided,
		settings: settings("64", propagation("10"), teleport(), aggregator("all hops through the guiding branch, each hop alone, or not at all, the last hop being the message", SelfGuided, Gate, Last), attentionSettings(), labelUse(), relationSettings(), head("2", "64", "0.5", "0.01", "5e-4")),
		tuned:    attentionAxes,
		use:      "Classification of the nodes of one graph with dense and sparse regions, where the right number of hops differs from node to node.",
	},
	{
		name:     "gamlp-jk",
		title:    "graph attention MLP: every node weighs its hops against a network's view of all of them",
		paper:    "Zhang et al., Graph Attention Multi-Layer Perceptron, KDD 2022",
		messages: JK,
		settings: settings("64", propagation("5"), aggregator("a network's view of all hops", JK), attentionSettings(), networkOfHops(), referenceLayers(), labelUse(), relationSettings(), head("2", "64", "0.5", "0.01", "5e-4")),
		tuned:    attentionAxes,
		use:      "Classification of the nodes of one graph with dense and sparse regions; the weights of the hops are shown in the report.",
	},
	{
		name:     "gamlp-r",
		title:    "graph attention MLP, recursive: every node weighs a hop by what it adds to those before",
		paper:    "Zhang et al., Graph Attention Multi-Layer Perceptron, KDD 2022",
		messages: Recursive,
		settings: settings("64", propagation("5"), aggregator("what was combined of the hops before", Recursive), attentionSettings(), networkOfHops(), labelUse(), relationSettings(), head("2", "64", "0.5", "0.01", "5e-4")),
		tuned:    attentionAxes,
		use:      "Classification of the nodes of one graph with dense and sparse regions; the weights of the hops are shown in the report.",
	},
	{
		name:     "gamlp-smooth",
		title:    "graph attention MLP, smoothing: every node weighs a hop by how far it is from what all hops tend to",
		paper:    "Zhang et al., Graph Attention Multi-Layer Perceptron, KDD 2022",
		messages: Smoothing,
		settings: settings("64", propagation("5"), aggregator("what the hops tend to, the mean of the component by degree", Smoothing), attentionSettings(), networkOfHops(), labelUse(), head("2", "64", "0.5", "0.01", "5e-4")),
		tuned:    attentionAxes,
		use:      "Classification of the nodes of one graph with dense and sparse regions; the weights of the hops are shown in the report.",
	},
	{
		name:     "ndls-f",
		title:    "node-dependent local smoothing of the features, each node's over as many hops as it needs, then an MLP",
		paper:    ndlsPaper,
		messages: Last,
		settings: rowScaled(settings("48", localSettings(true, false), dropped(head("2", "64", "0.5", "0.1", "5e-4")))),
		tuned:    localAxes,
		use:      "Classification of the nodes of one graph with dense and sparse regions, with an MLP that costs no more to train than one without edges.",
	},
	{
		name:     "ndls-l",
		title:    "an MLP on the features alone whose predictions are smoothed, each node's over as many hops as it needs",
		paper:    ndlsPaper,
		messages: Last,
		settings: settings("24", localSettings(false, true), dropped(head("2", "64", "0.5", "0.1", "5e-4"))),
		tuned: []axis{
			{"scaling", []string{"l1", "l2", "rms", "none"}},
			{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
			{"dropout", []string{"0.5", "0.8"}},
			{"lr", []string{"0.1", "0.01"}},
		},
		tunedLabels: localLabelAxes,
		use:         "Adding the edges of a graph to a model that knows none; seraph smooth does it for predictions of any model.",
	},
	{
		name:        "ndls",
		title:       "node-dependent local smoothing of features and predictions around an MLP",
		paper:       ndlsPaper,
		messages:    Last,
		settings:    rowScaled(settings("48", localSettings(true, true), dropped(head("2", "64", "0.5", "0.1", "5e-4")))),
		tuned:       localAxes,
		tunedLabels: localLabelAxes,
		use:         "Classification of the nodes of one graph with dense and sparse regions, with an MLP that costs no more to train than one without edges.",
	},
	{
		name:     "gcn",
		title:    "graph convolutional network, full batch: every layer adds up the neighbours of every node",
		paper:    "Kipf and Welling, Semi-Supervised Classification with Graph Convolutional Networks, ICLR 2017",
		messages: Passing,
		settings: wholeGraph("24", network("16", "0.5", "0.01", "5e-4", " of the first layer")),
		tuned: []axis{
			{"scaling", []string{"l1", "rms", "l2"}},
			{"hidden", []string{"16", "64"}},
			{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
			{"dropout", []string{"0.5", "0.8"}},
			{"lr", []string{"0.01", "0.003"}},
		},
		use: "A baseline that shows what scalability costs: classification of the nodes of a graph that fits in memory with all its activations.",
	},
	{
		name:     "gat",
		title:    "graph attention network, full batch: every layer weighs the neighbours of every node",
		paper:    "Veličković et al., Graph Attention Networks, ICLR 2018",
		messages: Passing,
		settings: wholeGraph("24", network("8", "0.6", "0.005", "5e-4", ""), edgeAttention()),
		tuned: []axis{
			{"scaling", []string{"l1", "rms", "l2"}},
			{"out-heads", []string{"1", "8"}},
			{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
			{"dropout", []string{"0.4", "0.6", "0.8"}},
			{"lr", []string{"0.005", "0.01"}},
		},
		use: "A baseline that shows what scalability costs: classification of the nodes of a graph that fits in memory with all its activations.",
	},
}

// attentionAxes are what tuning chooses for the models that weigh hops. A single layer is a linear model on the weighed hops:
// with twenty nodes a class to learn from it may be all that can be learned. The mean of hops stands in for most of the candidates,
// so that the grid may be as large as that of gbp.
var attentionAxes = []axis{
	{"scaling", []string{"l2", "rms", "l1"}},
	{"r", []string{"0.5", "0"}},
	{"hops", []string{"3", "5", "10"}},
	{"layers", []string{"2", "1"}},
	{"weight-decay", []string{"5e-3", "5e-4", "5e-5"}},
	{"input-dropout", []string{"0", "0.3", "0.6", "0.8"}},
	{"dropout", []string{"0.5", "0.8"}},
	{"lr", []string{"0.03", "0.01", "0.003"}},
	{"attention-on", []string{string(OnHidden), string(OnFeatures)}},
	{"attention-dropout", []string{"0", "0.5"}},
}

// alpha is the setting of a share.
func alpha(value, least, doc string) []run.Setting {
	return []run.Setting{{Key: "alpha", Type: run.Float, Default: value, Min: least, Max: "1", Doc: doc}}
}

// teleport is the setting of personalised PageRank as the graph aggregator: GMLP-GU(PPR) takes its last step as the message.
func teleport() []run.Setting {
	return []run.Setting{{Key: "teleport", Type: run.Float, Default: "0", Min: "0", Max: "1", Doc: "α of H_k = (1−α) Â H_{k−1} + α X, steps of personalised PageRank; 0: powers of Â"}}
}

// decay are the settings of weights that fall with distance. Within their ranges some weight is above zero.
func decay(value string) []run.Setting {
	return append([]run.Setting{
		{Key: "decay", Type: run.Choice, Choices: []string{string(PPR), string(Heat)}, Default: string(PPR), Doc: "weights of the hops: personalised PageRank alpha·(1−alpha)^k, or heat kernel e^(−t)·t^k/k!"},
		{Key: "t", Type: run.Float, Default: "4", Min: "0", Max: "50", Doc: "time of the heat kernel"},
	}, alpha(value, "1e-6", "decay of personalised PageRank: 1 stays with the node's own features")...)
}

// aggregator is the setting of the message aggregator of a model that learns weights: those of the model, or their ablation.
func aggregator(doc string, choices ...Messages) []run.Setting {
	var names []string
	for _, m := range append(choices, Mean) {
		names = append(names, string(m))
	}
	return []run.Setting{{Key: "messages", Type: run.Choice, Choices: names, Default: names[0], Doc: "what the weights of hops are learned from: " + doc + "; mean: equal weights, nothing is learned"}}
}

// attentionSettings are the settings of learned weights of hops.
func attentionSettings() []run.Setting {
	return []run.Setting{
		{Key: "attention-on", Type: run.Choice, Choices: []string{string(OnHidden), string(OnFeatures)}, Default: string(OnHidden), Doc: "what scores are made of: hops after the first layer of the MLP, brought to a root mean square of 1, or features, as in the paper"},
		{Key: "attention-activation", Type: run.Choice, Choices: []string{string(ScoreSigmoid), string(ScoreReLU), string(ScoreLeaky)}, Default: string(ScoreSigmoid), Doc: "of scores, before the softmax; the slope of leaky-relu is 0.2"},
		{Key: "attention-dropout", Type: run.Float, Default: "0", Min: "0", Max: "0.99", Doc: "rate on the weights of hops"},
	}
}

// networkOfHops are the settings of GAMLP's network as its authors build it for large graphs; without them it is an MLP on the
// message.
func networkOfHops() []run.Setting {
	return []run.Setting{
		{Key: "hop-layers", Type: run.Int, Default: "0", Min: "0", Max: "100", Doc: "linear layers of a network that each hop goes through before it is weighed; 0: none. The authors have 2 on OGB's graphs"},
		{Key: "residual", Type: run.Bool, Default: "false", Doc: "add a linear layer of the node's own features to the message"},
		{Key: "initial-residual", Type: run.Bool, Default: "false", Doc: "build the MLP, and the network that views all hops, of layers normalised over the batch, each taking half of what the first gives"},
	}
}

// referenceLayers is the setting of the network behind the JK reference.
func referenceLayers() []run.Setting {
	return []run.Setting{{Key: "reference-layers", Type: run.Int, Default: "1", Min: "1", Max: "100", Doc: "linear layers of the network that views all hops"}}
}
