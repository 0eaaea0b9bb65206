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
// k has at most k neighbours among those that are left: so none is too small. Where a shell has no room in a part, an order of all
// is found by passes, see [Store.Place], and judged by [Store.VerifyOrder].
//
// The estimates of the store become the claims; claims may be overwritten.
func (s *Store) Verify(ctx context.Context, claims []int32, bytes int64, pool *kernel.Pool) error {
	if err := s.claim(claims); err != nil {
		return err
	}
	err := s.divideBy(ctx, claims, bytes, pool)
	if !errors.Is(err, errNoRoom) {
		return err
	}
	place := claims
	if err := s.Place(ctx, place, bytes, pool); err != nil {
		return err
	}
	return s.bearOut(ctx, place, pool)
}

// divideBy divides by the estimates, which are the claims, and looks at what every part comes to. Where it is errNoRoom, they still are.
func (s *Store) divideBy(ctx context.Context, claims []int32, bytes int64, pool *kernel.Pool) (err error) {
	p, err := newPart(s.Core, bytes, pool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for above := slices.Max(s.Core); above >= 0; above = p.t {
		if err := p.load(ctx, s.Rows, -1, above); err != nil {
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

// claim makes the estimates of a store, which are bounds, the claims. Vertices without neighbours are in no part: of them this is the proof.
func (s *Store) claim(claims []int32) error {
	for v, e := range s.Core {
		if k := claims[v]; k > e && (e >= 0 || k > 0) {
			return &WrongError{s.Label(v), k, fmt.Sprintf("of at most %d: too large", max(e, 0))}
		}
		if e >= 0 {
			s.Core[v] = claims[v]
		}
	}
	return nil
}
