package kcore

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// WrongError says that a core number is not that of the graph, or that of a neighbour is not, and how that shows.
type WrongError struct {
	ID      string
	Claimed int32
	Why     string
}

func (e *WrongError) Error() string {
	return fmt.Sprintf("vertex %s: core number %d, %s", e.ID, e.Claimed, e.Why)
}

// Verify proves that claimed core numbers c are those of a store: divided by them, with parts of the given bytes, every part must
// come to what was claimed of it. That is the proof of [Verify] for an order that is found on the way. When the vertices of c ≥ k are
// what is left, each has k neighbours among them, or peeling would have gone on: so no c is too large; and whoever goes at level
// k has at most k neighbours among those that are left: so none is too small. The estimates of the store become the claims.
func (s *Store) Verify(ctx context.Context, claims []int32, bytes int64, pool *kernel.Pool) (err error) {
	if err := s.claim(claims); err != nil {
		return err
	}
	p, err := newPart(s.Core, bytes, pool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for above := slices.Max(s.Core); above >= 0; above = p.t {
		switch err := p.load(ctx, s.Rows, -1, above); {
		case errors.Is(err, errNoRoom):
			return fmt.Errorf("the vertices of core number %d do not fit in %d bytes together; give a larger --memory", above, bytes)
		case err != nil:
			return err
		}
		p.peel()
		for i, word := range p.members {
			for ; word != 0; word &= word - 1 {
				if v := 64*i + bits.TrailingZeros64(word); s.Core[v] != claims[v] {
					return &WrongError{s.Label(v), claims[v], fmt.Sprintf("with those of its neighbours as they are, expected %d", s.Core[v])}
				}
			}
		}
	}
	return nil
}

// claim makes the estimates of a store the claims. Vertices without neighbours are in no part: they are looked at here.
func (s *Store) claim(claims []int32) error {
	for v, e := range s.Core {
		if e == 0 && claims[v] != 0 {
			return &WrongError{s.Label(v), claims[v], "and no neighbours: expected 0"}
		}
		if e >= 0 {
			s.Core[v] = claims[v]
		}
	}
	return nil
}
