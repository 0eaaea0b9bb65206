package kernel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Task is work over a range of units that can be cut anywhere without changing a bit of the result.
type Task interface {
	// Do works on units lo ≤ i < hi as worker number worker (0 ≤ worker < Pool.Workers()).
	Do(worker, lo, hi int)
}

// spin is how long a worker without work, and a caller without its result, watches for it before parking: longer than a
// unit of a kernel, so that whoever finished first is awake when the next kernel of a step begins (waking takes about 100 µs
// on a virtual machine, and a worker that comes late to one kernel has nothing to do at its end and parks again), short
// enough that an idle pool costs nothing.
const spin = 200 * time.Microsecond

// Pool runs tasks on a fixed number of workers: the caller's goroutine, which is worker 0, and goroutines that live as
// long as the pool. Calls of For that follow each other closely cost about a microsecond, so phases separated by barriers
// are simply several calls. One For runs at a time, and a task does not call For.
//
// A nil Pool runs everything on the caller.
type Pool struct {
	workers int
	busy    atomic.Bool // a For is running
	closed  bool

	// The work at hand, written by the caller while the gate is closed and nobody is inside.
	task  Task
	n     int
	grain int

	_      [64]byte
	next   atomic.Int64 // first unit that nobody has taken
	_      [64]byte
	inside atomic.Int32 // helpers that work, or are about to look whether the gate is open
	open   atomic.Bool  // the gate: there is work at hand
	_      [64]byte

	caller mailbox // wakes the caller when nobody is inside any more
	crew   []mailbox
	alive  atomic.Int32 // helpers that have not ended
	failed atomic.Pointer[taskPanic]

	scratch scratch
}

// mailbox is how one goroutine is told that there is something to do. The count is watched for a while; a sleeper is woken
// through the channel.
type mailbox struct {
	posted   atomic.Uint32
	sleeping atomic.Bool
	wake     chan struct{}
	_        [64]byte
}

// post tells the owner of the mailbox.
func (m *mailbox) post() {
	m.posted.Add(1)
	if m.sleeping.CompareAndSwap(true, false) {
		m.wake <- struct{}{}
	}
}

// wait returns the count once it differs from seen.
func (m *mailbox) wait(seen uint32, patience time.Duration) uint32 {
	if patience > 0 {
		start := time.Now()
		for {
			for range 100 {
				if now := m.posted.Load(); now != seen {
					return now
				}
			}
			if time.Since(start) > patience {
				break
			}
		}
	}
	m.sleeping.Store(true)
	if now := m.posted.Load(); now != seen && m.sleeping.CompareAndSwap(true, false) {
		return now
	}
	<-m.wake
	return m.posted.Load()
}

// taskPanic is a panic inside a task, on its way to the caller.
type taskPanic struct {
	worker int
	value  any
	stack  []byte
}

// NewPool starts a pool of the given number of workers (at least one, the caller).
func NewPool(workers int) *Pool {
	workers = max(workers, 1)
	p := &Pool{workers: workers, crew: make([]mailbox, workers-1)}
	p.alive.Store(int32(len(p.crew)))
	p.caller.wake = make(chan struct{}, 1)
	for i := range p.crew {
		p.crew[i].wake = make(chan struct{}, 1)
		go p.serve(i + 1)
	}
	return p
}

// Workers is the number of workers, 1 for a nil pool.
func (p *Pool) Workers() int {
	if p == nil {
		return 1
	}
	return p.workers
}

// For calls t.Do on ranges that together are the n units, each once, and returns when all are done. Ranges begin at
// multiples of grain, the least number of units worth a hand-over, and workers take them as they get free.
// n ≤ grain runs on the caller alone. A panic inside t surfaces on the caller. For allocates nothing.
func (p *Pool) For(n, grain int, t Task) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	if p == nil || p.workers == 1 || n <= grain {
		t.Do(0, 0, n)
		return
	}
	if !p.busy.CompareAndSwap(false, true) {
		panic("kernel: Pool.For while another For of the same pool runs")
	}
	if p.closed {
		panic("kernel: Pool.For after Close")
	}
	p.task, p.n, p.grain = t, n, grain
	p.next.Store(0)
	p.open.Store(true)
	for i := range min(p.workers, ceil(n, grain)) - 1 {
		p.crew[i].post()
	}
	p.work(0)
	p.finish()
	p.task = nil
	p.busy.Store(false)
	if f := p.failed.Swap(nil); f != nil {
		panic(fmt.Sprintf("kernel: worker %d: %v\n\n%s", f.worker, f.value, f.stack))
	}
}

// finish closes the gate and waits for the helpers that are inside. Those still on their way are not waited for: a helper
// that the system is slow to wake would hold up small tasks for much longer than they take.
func (p *Pool) finish() {
	seen := p.caller.posted.Load()
	p.open.Store(false)
	for p.inside.Load() != 0 {
		seen = p.caller.wait(seen, p.patience())
	}
}

// Close ends the workers. The pool cannot be used afterwards. Closing twice, or a nil pool, is allowed.
func (p *Pool) Close() {
	if p == nil || p.closed {
		return
	}
	p.closed = true
	seen := p.caller.posted.Load()
	p.open.Store(true) // with no task: the end
	for i := range p.crew {
		p.crew[i].post()
	}
	for p.alive.Load() != 0 {
		seen = p.caller.wait(seen, 0)
	}
	p.scratch.free()
}

// serve is the life of worker number worker.
func (p *Pool) serve(worker int) {
	box := &p.crew[worker-1]
	seen := uint32(0)
	for {
		seen = box.wait(seen, p.patience())
		// Inside first, then the look at the gate: finish closes the gate first, then looks who is inside.
		p.inside.Add(1)
		open := p.open.Load()
		last := open && p.task == nil
		if open && !last {
			p.work(worker)
		}
		if p.inside.Add(-1) == 0 && !p.open.Load() {
			p.caller.post()
		}
		if last {
			if p.alive.Add(-1) == 0 {
				p.caller.post()
			}
			return
		}
	}
}

// patience is how long to spin: not at all when workers outnumber the processors they may run on.
func (p *Pool) patience() time.Duration {
	if p.workers > runtime.GOMAXPROCS(0) {
		return 0
	}
	return spin
}

// work takes pieces until none is left.
func (p *Pool) work(worker int) {
	defer func() {
		if v := recover(); v != nil {
			p.failed.CompareAndSwap(nil, &taskPanic{worker, v, debug.Stack()})
			p.next.Store(int64(p.n))
		}
	}()
	for {
		lo := int(p.next.Load())
		if lo >= p.n {
			return
		}
		hi := min(lo+p.piece(p.n-lo), p.n)
		if p.next.CompareAndSwap(int64(lo), int64(hi)) {
			p.task.Do(worker, lo, hi)
		}
	}
}

// piece is how many units a worker takes when so many are left: fewer and fewer, as large pieces save hand-overs and small
// ones let all workers end together.
func (p *Pool) piece(left int) int { return p.grain * max(1, left/(4*p.workers*p.grain)) }
