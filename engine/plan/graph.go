package plan

// Kind says what a tensor is to the program, which decides what a policy may do with it.
type Kind uint8

// The kinds of tensors.
const (
	Transient Kind = iota // born and dead within one pass
	Skeletal              // made by the forward pass, needed by the backward pass
	Input                 // filled by the caller before each run
	Constant              // filled once, never written by the program
	Parameter             // trained weights
	Gradient              // of a parameter
	Optimizer             // optimizer state: momenta, second moments
	State                 // other state that lives across runs: running statistics, step counters
)

// Persistent reports whether a tensor of this kind keeps its contents between runs.
func (k Kind) Persistent() bool { return k >= Constant && k != Gradient }

// Tensor describes one tensor of a program.
type Tensor struct {
	Name     string
	Kind     Kind
	Bytes    int64 // at the upper bound of every symbolic size
	Producer int   // index of the operation that makes it, -1 for inputs and persistent tensors
	Uses     []int // indices of the operations that read it, ascending
	Alias    int   // index of the tensor whose storage it shares (an in-place result, a reshape), or -1
	RowWise  bool  // each row can be recomputed from the same row of the producer's inputs
	Keep     bool  // read by the caller after the run: lives to the end
}

// Op describes one operation of a program.
type Op struct {
	Name    string
	In, Out []int   // tensors
	Flops   float64 // floating-point operations
	Traffic float64 // bytes read and written
	Scratch int64   // bytes needed only while it runs
}

// Graph describes a program: operations in the order in which they run.
type Graph struct {
	Ops     []Op
	Tensors []Tensor
}
