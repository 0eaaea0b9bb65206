package kernel

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// tally counts how often each unit was done, and by which worker.
type tally struct {
	done    []atomic.Int32
	workers int
	grain   int
	wrong   atomic.Bool
}

func (t *tally) Do(worker, lo, hi int) {
	if worker < 0 || worker >= t.workers || lo >= hi || lo%t.grain != 0 {
		t.wrong.Store(true)
	}
	for i := lo; i < hi; i++ {
		t.done[i].Add(1)
	}
}

func TestForDoesEveryUnitOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		p := NewPool(workers)
		for _, n := range []int{0, 1, 2, 7, 64, 1000} {
			for _, grain := range []int{1, 3, 64, 5000} {
				work := &tally{done: make([]atomic.Int32, n), workers: workers, grain: grain}
				p.For(n, grain, work)
				for i := range work.done {
					if c := work.done[i].Load(); c != 1 {
						t.Fatalf("%d workers, n %d, grain %d: unit %d was done %d times", workers, n, grain, i, c)
					}
				}
				if work.wrong.Load() {
					t.Errorf("%d workers, n %d, grain %d: a wrong range or worker number", workers, n, grain)
				}
			}
		}
		p.Close()
		p.Close()
	}
}

func TestWorkersWakeAfterParking(t *testing.T) {
	p := NewPool(4)
	defer p.Close()
	for round := range 20 {
		work := &tally{done: make([]atomic.Int32, 64), workers: 4, grain: 1}
		p.For(64, 1, work)
		for i := range work.done {
			if work.done[i].Load() != 1 {
				t.Fatalf("round %d: unit %d was done %d times", round, i, work.done[i].Load())
			}
		}
		time.Sleep(time.Duration(round) * 30 * time.Microsecond)
	}
}

// bomb panics in one unit.
type bomb struct{ unit int }

func (b *bomb) Do(_, lo, hi int) {
	if lo <= b.unit && b.unit < hi {
		panic(fmt.Sprintf("unit %d is bad", b.unit))
	}
	time.Sleep(50 * time.Microsecond)
}

func TestPanicInATaskSurfacesOnTheCaller(t *testing.T) {
	for _, workers := range []int{1, 2} {
		p := NewPool(workers)
		for unit := range 16 {
			func() {
				defer func() {
					if got := fmt.Sprint(recover()); !strings.Contains(got, fmt.Sprintf("unit %d is bad", unit)) {
						t.Errorf("%d workers: recovered %q", workers, got)
					}
				}()
				p.For(16, 1, &bomb{unit})
			}()
		}
		work := &tally{done: make([]atomic.Int32, 64), workers: workers, grain: 1}
		p.For(64, 1, work) // the pool goes on
		if work.done[63].Load() != 1 {
			t.Errorf("%d workers: the pool stopped after a panic", workers)
		}
		p.Close()
	}
}

func TestNestedForIsRefused(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "another For") {
			t.Errorf("recovered %q", got)
		}
	}()
	p.For(4, 1, nested{p})
}

type nested struct{ p *Pool }

func (n nested) Do(_, _, _ int) { n.p.For(4, 1, n) }

func TestForAllocatesNothing(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	var work nothing
	if n := testing.AllocsPerRun(100, func() { p.For(100, 1, work) }); n != 0 {
		t.Errorf("For allocated %v times", n)
	}
}

type nothing struct{}

func (nothing) Do(_, _, _ int) {}

func TestNilPoolRunsInline(t *testing.T) {
	var p *Pool
	work := &tally{done: make([]atomic.Int32, 10), workers: 1, grain: 1}
	p.For(10, 1, work)
	if p.Workers() != 1 || work.done[9].Load() != 1 {
		t.Error("the nil pool did not run its task as one worker")
	}
	p.Close()
}

func BenchmarkPoolFor(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			p := NewPool(workers)
			defer p.Close()
			var work nothing
			b.ReportAllocs()
			for b.Loop() {
				p.For(workers, 1, work)
			}
		})
	}
}

// A worker that takes its last piece while another begins one never waits for more than a grain or a share of what was left.
func TestPiecesGetSmaller(t *testing.T) {
	for _, workers := range []int{2, 3, 16} {
		for _, grain := range []int{1, 7} {
			p := &Pool{workers: workers, grain: grain}
			pieces := 0
			for left := 10_000 * grain; left > 0; pieces++ {
				piece := p.piece(left)
				if piece%grain != 0 || piece > max(grain, left/(4*workers)) {
					t.Fatalf("%d workers, grain %d: a piece of %d when %d are left", workers, grain, piece, left)
				}
				left -= piece
			}
			if most := 4 * workers * 12; pieces > most {
				t.Errorf("%d workers, grain %d: %d pieces, more than %d", workers, grain, pieces, most)
			}
		}
	}
}
