package kernel

// tileArgs is the argument block of a micro-kernel; the offsets stand in gen/matmul.go. Distances are in bytes.
type tileArgs struct {
	a                *float32
	rsA, csA, panelA int // between rows, slots and row panels of A
	b                *float32
	ldB              int // between rows (slots) of B
	k                int // number of slots
	c                *float32
	ldC              int        // between rows of C
	bias             *float32   // nil, or one addend for every column
	mask             *[16]int32 // the lanes of the last vector that count
	panels           int        // at least 1, 0 afterwards
	adds             int
	add              [maxAdds]addend
	out              *float32 // where AMX tiles leave their sums: outSlots
	start            *float32 // nil, or where the sums of a single row start: whole vectors
	ahead, step      int      // from b to what is read next, which the cache is asked for, and how far to go each term
}

// addend is a matrix of the shape of C that is added to the sums.
type addend struct {
	p  *float32
	ld int
}

// outSlots are the sums of the largest micro-kernel of AMX.
const outSlots = 32 * 32

// maxAdds bounds the digits of the binary counter of chunks, and one for Accumulate.
const maxAdds = 40

//go:noescape
func runTileAVX2(kernel int, args *tileArgs)

//go:noescape
func sweepAVX2(y, a *float32, csA int, b *float32, ldB, k, vectors int, mask *[16]int32)

//go:noescape
func runTileAVX512(kernel int, args *tileArgs)

//go:noescape
func runTileBF16(kernel int, args *tileArgs)

//go:noescape
func runTileAMX(rows, vectors int, args *tileArgs, config *[64]byte, out *float32)

// kernelSet is what the blocked product needs to know of the micro-kernels of a level. They read packed operands in slots of
// four bytes: one float32 term, or two neighbouring bfloat16 terms.
type kernelSet struct {
	lanes   int   // columns of C in a vector
	perSlot int   // terms in a slot
	step    int   // terms that a kernel takes at once: packing fills k up with zeros to a multiple of it
	rows    []int // for each number of vectors side by side, the most rows of a micro-kernel; as in gen/matmul.go
	masks   [33][16]int32
	super   int // most terms that are worked through before partial sums leave the worker: a power of two of chunks
	block   int // bytes of a packed block of A: stays in the L2 cache
}

var (
	setAVX2   = newKernelSet(8, 1, 1, []int{1: 6, 2: 6, 3: 4, 4: 2, 8: 1})
	setAVX512 = newKernelSet(16, 1, 1, []int{1: 14, 2: 14, 3: 8, 4: 6, 6: 4, 8: 2, 12: 1})
	setBF16   = newKernelSet(16, 2, 2, []int{1: 14, 2: 14, 4: 3})
	setAMX    = newKernelSet(16, 2, 32, []int{1: 32, 2: 32})
)

// kernelsOf returns the set of a level for float32 or bfloat16 products. Levels without bfloat16 arithmetic multiply the
// rounded operands as float32.
func kernelsOf(level Level, bf16 bool) *kernelSet {
	switch {
	case bf16 && level == AMX:
		return setAMX
	case bf16 && level == AVX512BF16:
		return setBF16
	case level >= AVX512:
		return setAVX512
	}
	return setAVX2
}

// newKernelSet makes the masks: AVX2 takes the lanes from the sign bits of 8 numbers, AVX-512 from the bits of the first.
func newKernelSet(lanes, perSlot, step int, rows []int) *kernelSet {
	s := &kernelSet{lanes: lanes, perSlot: perSlot, step: step, rows: rows}
	for n := range s.masks {
		for i := range min(n, 16) {
			s.masks[n][i] = -1
		}
		if lanes == 16 {
			s.masks[n][0] = int32(1<<n - 1)
		}
	}
	s.super, s.block = 8*Chunk, 512<<10
	if lanes == 8 {
		// Processors with AVX2 alone have a small L2 cache: a block of A takes half of 512 KiB, and has enough rows if it is a
		// chunk wide.
		s.super, s.block = Chunk, 256<<10
	}
	return s
}

// slots is the number of slots that packing makes of the given number of terms.
func (s *kernelSet) slots(terms int) int { return ceil(terms, s.step) * s.step / s.perSlot }

// readsA says whether micro-kernels can read A, of k terms, where it lies: slots are neighbours there, and whole.
func (s *kernelSet) readsA(a *operand, k int) bool {
	if s.perSlot == 2 {
		return a.col == 1 && a.h != nil && k%s.step == 0
	}
	return a.col == 1 && a.h == nil && !a.round
}

// readsB says whether micro-kernels can read B where it lies.
func (s *kernelSet) readsB(b *operand) bool { return s.perSlot == 1 && s.readsA(b, 1) }

// width is the largest number of vectors for which there are micro-kernels of the given rows.
func (s *kernelSet) width(rows int) int {
	for nv := len(s.rows) - 1; nv > 1; nv-- {
		if s.rows[nv] >= rows {
			return nv
		}
	}
	return 1
}

// fit is the largest number of vectors up to nv that there are micro-kernels for and that cols columns fill, but for the
// last one.
func (s *kernelSet) fit(nv, cols int) int {
	nv = min(nv, ceil(cols, s.lanes))
	for s.rows[nv] == 0 {
		nv--
	}
	return nv
}

// tile runs the micro-kernel of mr rows and nv vectors; masked when not all of the last vector counts.
func (s *kernelSet) tile(mr, nv int, masked bool, args *tileArgs) {
	i := (16*nv + mr) * 2
	if masked {
		i++
	}
	switch s {
	case setAVX2:
		runTileAVX2(i, args)
	case setAVX512:
		runTileAVX512(i, args)
	case setBF16:
		runTileBF16(i, args)
	case setAMX:
		out := args.out
		if args.adds == 0 && args.bias == nil && !masked {
			out = nil
		}
		runTileAMX(mr, nv, args, &tileConfigs[mr], out)
	}
}

// tileConfigs are, for each number of rows of a micro-kernel, the sizes of the AMX tiles as LDTILECFG reads them: 16 slots
// wide all of them, the sums (0 to 3) and A (4, 5) as high as there are rows, B (6, 7) 16 slots high.
var tileConfigs = func() (configs [33][64]byte) {
	const palette, bytesPerRow, rows = 0, 16, 48 // offsets
	for mr := range configs {
		c := &configs[mr]
		c[palette] = 1
		for tile, n := range [8]int{0: min(mr, 16), 1: min(mr, 16), 2: mr - 16, 3: mr - 16, 4: min(mr, 16), 5: mr - 16, 6: 16, 7: 16} {
			if n > 0 {
				c[bytesPerRow+2*tile], c[rows+tile] = 64, byte(n)
			}
		}
	}
	return configs
}()
