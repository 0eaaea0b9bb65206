package program

import (
	"errors"
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Session gives compiled programs their memory: one arena for the persistent tensors, which programs share by name, and
// one for everything else, which they use in turns. One run goes on at a time.
type Session struct {
	Seed uint64 // of all random numbers
	Step uint64 // the current step: part of the key of random numbers, and what optimizers correct their moments by (from 1 on)

	pool       *kernel.Pool
	persistent []Persistent
	byName     map[string]int
	arenas     [2]*memory.Arena // persistent, shared
	executions map[*Compiled]*Execution
}

// Persistent is a tensor that lives across runs.
type Persistent struct {
	Name   string
	Kind   plan.Kind
	Tensor *tensor.Tensor
	init   Initializer
}

// Execution is a program with its memory.
type Execution struct {
	session *Session
	program *Compiled
	tensors []*tensor.Tensor // at the index of the plan
	steps   []step
}

type step struct {
	kernel Kernel
	call   Call
	node   *node
}

// Sizes returns the bytes that a session of the given programs takes: for persistent tensors, for all others, and what
// kernels borrow.
func Sizes(programs ...*Compiled) (persistent, shared, scratch int64) {
	seen := map[string]bool{}
	for _, c := range programs {
		shared = max(shared, c.Shared())
		scratch = max(scratch, c.Scratch)
		for i, v := range c.values {
			if v.Kind.Persistent() && !seen[v.Name] {
				seen[v.Name] = true
				persistent += alignUp(c.Graph.Tensors[i].Bytes)
			}
		}
	}
	return persistent, shared, scratch
}

func alignUp(n int64) int64 { return (n + memory.Align - 1) / memory.Align * memory.Align }

// Start reserves memory for the programs. Persistent tensors of the same name are one; all are zero until Initialize.
func Start(pool *kernel.Pool, programs ...*Compiled) (*Session, error) {
	s := &Session{pool: pool, byName: map[string]int{}, executions: map[*Compiled]*Execution{}}
	persistent, shared, scratch := Sizes(programs...)
	for i, size := range [2]int64{persistent, shared} {
		arena, err := memory.NewArena(size)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start program %s: %w", programs[0].Name, err), s.Close())
		}
		s.arenas[i] = arena
	}
	if err := pool.Reserve(int(scratch)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	var end int64
	for _, c := range programs {
		for i, v := range c.values {
			if !v.Kind.Persistent() {
				continue
			}
			if at, ok := s.byName[v.Name]; ok {
				have := &s.persistent[at]
				if have.Kind != v.Kind || !have.Tensor.Type.Equal(v.Type) {
					return nil, errors.Join(fmt.Errorf("program %s: %s is %s here and %s in another program", c.Name, v.Name, v.Type, have.Tensor.Type), s.Close())
				}
				if have.init == nil {
					have.init = v.Init
				}
				continue
			}
			t := tensor.New(v.Type)
			t.Place(s.arenas[0], end)
			end += alignUp(c.Graph.Tensors[i].Bytes)
			s.byName[v.Name] = len(s.persistent)
			s.persistent = append(s.persistent, Persistent{Name: v.Name, Kind: v.Kind, Tensor: t, init: v.Init})
		}
		s.executions[c] = s.place(c)
	}
	return s, nil
}

// place gives every tensor of a program its memory and every operation its kernel.
func (s *Session) place(c *Compiled) *Execution {
	e := &Execution{session: s, program: c, tensors: make([]*tensor.Tensor, len(c.values))}
	for i, v := range c.values {
		if v.Kind.Persistent() {
			e.tensors[i] = s.persistent[s.byName[v.Name]].Tensor
			continue
		}
		e.tensors[i] = tensor.New(v.Type)
		if !v.external {
			e.tensors[i].Place(s.arenas[1], c.Allocation.Offsets[i]-c.Allocation.Persistent)
		}
	}
	for i, n := range c.nodes {
		st := step{kernel: n.op.Kernel(), node: n}
		st.call.Pool = s.pool
		st.call.Key.Stream = n.stream()
		for _, t := range c.Graph.Ops[i].In {
			st.call.In = append(st.call.In, e.tensors[t])
		}
		for _, t := range c.Graph.Ops[i].Out {
			st.call.Out = append(st.call.Out, e.tensors[t])
		}
		e.steps = append(e.steps, st)
	}
	return e
}

// Initialize sets seed and step, fills parameters and other state by their initializers, each under a stream of its own
// name, and clears what has none, but for constants, which are the caller's.
func (s *Session) Initialize(seed uint64) {
	s.Seed, s.Step = seed, 0
	for _, t := range s.persistent {
		switch {
		case t.Kind == plan.Constant:
		case t.init != nil:
			t.init(t.Tensor.Float32s(), t.Tensor.Dims, kernel.Key{Seed: seed, Stream: stream(t.Name)})
		default:
			t.Tensor.Clear()
		}
	}
}

// Persistent lists the tensors that live across runs, in the order in which the programs declare them.
func (s *Session) Persistent() []Persistent { return s.persistent }

// Tensor returns the persistent tensor of a name, nil when there is none.
func (s *Session) Tensor(name string) *tensor.Tensor {
	if i, ok := s.byName[name]; ok {
		return s.persistent[i].Tensor
	}
	return nil
}

// Execution returns a program of the session, ready to run.
func (s *Session) Execution(c *Compiled) *Execution { return s.executions[c] }

// Close gives the memory back. Tensors of the session must not be used afterwards.
func (s *Session) Close() error {
	var errs []error
	for i, a := range s.arenas {
		if a != nil {
			errs = append(errs, a.Close())
		}
		s.arenas[i] = nil
	}
	return errors.Join(errs...)
}

// Tensor returns the memory of a value: an input to fill before a run, an output to read after it, or a persistent tensor.
// It is nil for a value that the rewritten program does not have.
func (e *Execution) Tensor(v *Value) *tensor.Tensor {
	if i, ok := e.program.index[v]; ok {
		return e.tensors[i]
	}
	return nil
}

// SetSize chooses the value of a symbolic size for the runs to come.
func (e *Execution) SetSize(symbol string, value int) error {
	for _, d := range e.program.program.sizes {
		if d.Symbol != symbol {
			continue
		}
		if value < 1 || value > d.Size {
			return fmt.Errorf("program %s: %s = %d, planned for 1 … %d", e.program.Name, symbol, value, d.Size)
		}
		for _, t := range e.tensors {
			t.SetSymbol(symbol, value)
		}
		return nil
	}
	return fmt.Errorf("program %s has no symbolic size %s", e.program.Name, symbol)
}

// Run plays the program once. It allocates nothing on the Go heap.
func (e *Execution) Run() error {
	for i := range e.steps {
		st := &e.steps[i]
		st.call.Key.Seed, st.call.Key.Step = e.session.Seed, e.session.Step
		if err := st.kernel.Run(&st.call); err != nil {
			return fmt.Errorf("program %s: %s: %w", e.program.Name, st.node.title(), err)
		}
	}
	return nil
}
