package sgap

import (
	"errors"
	"sync"
	"time"

	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/search"
)

// messages are the hops that the designs of a search share. One pass of the most steps that any design has serves all designs
// of an aggregator, whatever they make of the messages; it is made when the first of them is tried.
type messages struct {
	work      *work
	scaling   graph.Scaling
	adjacency map[graph.Norm]*graph.Adjacency // for features and predictions

	mu     sync.Mutex
	stores map[messageKey]*store
	step   map[messageKey]float64 // seconds of a step
}

// messageKey is what the messages of a design depend on; zero where it has no steps.
type messageKey struct {
	norm     graph.Norm
	teleport float64
}

func keyOf(d *Design) messageKey {
	if d.Hops == 0 {
		return messageKey{}
	}
	return messageKey{d.Norm, d.Teleport}
}

// deepest describes the messages of a key, of which the designs of PaSca's space read what they need.
func (k messageKey) deepest(scaling graph.Scaling) Design {
	d := Design{Norm: k.norm, Teleport: k.teleport, Scaling: scaling, Messages: Joined}
	if k != (messageKey{}) {
		d.Hops = search.PaSca().Parameters()[0].Max
	}
	return d
}

// normalize makes the adjacency matrices of all aggregators.
func (m *messages) normalize() error {
	m.adjacency, m.stores, m.step = map[graph.Norm]*graph.Adjacency{}, map[messageKey]*store{}, map[messageKey]float64{}
	for _, norm := range pascaNorms() {
		a, err := m.work.data.Normalize(norm)
		if err != nil {
			return err
		}
		m.adjacency[norm] = a
	}
	return nil
}

// pascaNorms are the adjacency matrices of PaSca's space.
func pascaNorms() []graph.Norm {
	var list []graph.Norm
	seen := map[graph.Norm]bool{}
	for _, name := range search.GraphAggregators {
		if norm, _ := pascaGraph(name); !seen[norm] {
			seen[norm] = true
			list = append(list, norm)
		}
	}
	return list
}

// of returns the messages of a design, and what a step of them took. Several workers may ask.
func (m *messages) of(d *Design) (*store, float64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := keyOf(d)
	if s := m.stores[k]; s != nil {
		return s, m.step[k], nil
	}
	deepest := k.deepest(m.scaling)
	p := m.work.propagation(deepest, nil)
	p.Adjacency = m.adjacency[k.norm]
	began := time.Now()
	s, err := m.work.propagate(&deepest, p, nil)
	if err != nil {
		return nil, 0, err
	}
	m.stores[k], m.step[k] = s, time.Since(began).Seconds()/float64(max(deepest.Hops, 1))
	return s, m.step[k], nil
}

// close gives the memory back.
func (m *messages) close() error {
	var errs []error
	for _, s := range m.stores {
		errs = append(errs, s.Close())
	}
	for _, a := range m.adjacency {
		errs = append(errs, a.Close())
	}
	return errors.Join(errs...)
}
