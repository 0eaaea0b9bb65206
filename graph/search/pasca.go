package search

import "sync"

// PaSca returns the design space of PaSca: 181,500 raw points, 153,510 designs.
//
//	k_pre    0 … 10                steps of propagation before training
//	ga_pre   [GraphAggregators]    the operator of these steps
//	ma       [MessageAggregators]  how the messages of steps 0 … k_pre become one
//	k_trans  1 … 10                layers of the transformation
//	k_post   0 … 10                steps of propagation of the predictions
//	ga_post  [GraphAggregators]    the operator of these steps
//
// Without steps the operator means nothing and, before training, nor does the message aggregator: there is one message.
var PaSca = sync.OnceValue(func() *Space {
	noPre, noPost := []Setting{{"k_pre", "0"}}, []Setting{{"k_post", "0"}}
	s, err := NewSpace(
		Parameter{Name: "k_pre", Min: 0, Max: 10},
		Parameter{Name: "ga_pre", Values: GraphAggregators, UnusedIf: noPre},
		Parameter{Name: "ma", Values: MessageAggregators, UnusedIf: noPre},
		Parameter{Name: "k_trans", Min: 1, Max: 10},
		Parameter{Name: "k_post", Min: 0, Max: 10},
		Parameter{Name: "ga_post", Values: GraphAggregators, UnusedIf: noPost},
	)
	if err != nil {
		panic(err)
	}
	return s
})

// GraphAggregators are PaSca's: the normalised adjacency with self-loops, personalised PageRank with the teleport
// probabilities 0.1, 0.2, 0.3, and the adjacency of triangles.
var GraphAggregators = []string{"aug-na", "ppr-0.1", "ppr-0.2", "ppr-0.3", "triangle-ia"}

// MessageAggregators are PaSca's: the last message alone, mean, maximum, side by side, one weight for each step, and a
// gate for each node and step.
var MessageAggregators = []string{"none", "mean", "max", "concatenate", "weighted", "adaptive"}

// Published is a model from the literature as a region of PaSca's space.
type Published struct {
	Name   string
	Region Region
}

// PublishedModels returns the models that PaSca's authors place in their space, and the three that they found there.
// The published table leaves the number of steps free.
var PublishedModels = sync.OnceValue(func() []Published {
	const ppr = "ppr-0.1|ppr-0.2|ppr-0.3"
	var models []Published
	for _, m := range [][2]string{
		{"sgc", "k_pre=1..10,ga_pre=aug-na,ma=none,k_trans=1,k_post=0"},
		{"sign", "k_pre=1..10,ma=concatenate,k_trans=1,k_post=0"},
		{"s2gc", "k_pre=1..10,ga_pre=" + ppr + ",ma=mean,k_trans=1,k_post=0"},
		{"gbp", "k_pre=1..10,ga_pre=aug-na,ma=weighted,k_trans=2..10,k_post=0"},
		{"pasca-appnp", "k_pre=0,k_trans=2..10,k_post=1..10,ga_post=" + ppr},
		{"pasca-v1", "k_pre=3,ga_pre=ppr-0.1,ma=weighted,k_trans=2,k_post=0"},
		{"pasca-v2", "k_pre=6,ga_pre=aug-na,ma=adaptive,k_trans=2,k_post=0"},
		{"pasca-v3", "k_pre=6,ga_pre=aug-na,ma=adaptive,k_trans=3,k_post=4,ga_post=ppr-0.3"},
	} {
		r, err := PaSca().Region(m[1])
		if err != nil {
			panic(err)
		}
		models = append(models, Published{m[0], r})
	}
	return models
})
