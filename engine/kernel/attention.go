package kernel

import (
	"fmt"
	"math"
)

// attentionTile is how many keys, and how many queries, attention works on at a time: tiles begin at multiples of it in
// the sequence. The order of every sum follows from it, see Attention.
const attentionTile = 64

// Attention is scaled dot-product attention with grouped key-value heads. For query head h of a sequence, which reads the
// head h / (Heads/KVHeads) of K and V,
//
//	s_ij  = Scale · q_i·k_j        for all j, or j ≤ i with Causal
//	P_ij  = e^s_ij / Σ_j e^s_ij
//	Out_i = Σ_j P_ij v_j
//	LSE_i = log Σ_j e^s_ij
//
// Token t of sequence b is row b·Seq + t of Q, K, V and Out; rows are QStride, … elements apart, so that the four may be
// column ranges of wider tensors, such as one (tokens, 3·width) tensor. Head h of a row is its elements h·HeadDim to
// (h+1)·HeadDim. Out overlaps none of the others.
//
// Nothing of size Seq × Seq is ever stored, and working memory does not grow with Seq: keys are taken in tiles of 64 that
// begin at multiples of 64, with a running maximum and sum (Milakov and Gimelshein 2018, Dao et al. 2022). Inside a tile,
// Σ_j P_ij v_j is one chain in increasing j and Σ_j e^s_ij is summed in 16 lanes; tiles follow in increasing order. So the bits
// of a row depend neither on workers nor on the rows and, with Causal, the tokens after it. With BF16 chains are those of
// bfloat16 products at the level, but AMX has those of AVX512BF16.
//
// With DropoutP, P_ij counts as 0 with that probability and as P_ij/(1−DropoutP) otherwise, in Out and in the gradients, as
// Dropout with the same Key decides for element (b·Heads + h)·2⁴⁰ + i·2²⁰ + j.
//
// Infinities and NaN behave as in the formulas, except that a token that Causal hides is never read into a sum: a NaN in
// k_j or v_j reaches the rows i ≥ j alone.
type Attention struct {
	Q, K, V, Out                         []float32
	QStride, KStride, VStride, OutStride int       // between tokens, in elements
	LSE                                  []float32 // (Batch, Heads, Seq), or nil when there is no backward pass

	Batch, Heads, KVHeads, Seq, HeadDim int
	Scale                               float32 // positive, usually 1/√HeadDim
	Causal                              bool
	DropoutP                            float64 // 0 ≤ DropoutP < 1
	Key                                 Key
	BF16                                bool // round Q, K, V and P to bfloat16 (to nearest even) before products, which add up in float32

	drop dropMask
	at   attentionRun
}

// AttentionGrad is the backward pass of an Attention, whose Q, K, V, Out and LSE it reads. With D_i = dOut_i·Out_i,
//
//	dV_j = Σ_i P_ij dOut_i
//	dS_ij = Scale · P_ij (dOut_i·v_j − D_i)
//	dQ_i = Σ_j dS_ij k_j
//	dK_j = Σ_i dS_ij q_i
//
// where P is computed anew from LSE. Sums over j, and over i, run in the tiles of the forward pass: a chain inside a tile,
// tiles in increasing order; the query heads of a group follow each other in increasing order.
//
// DQ, DK and DV are laid out as Q, K and V, with strides of their own, and overlap none of the others. They are
// overwritten. With BF16 dOut, in D, too, and dS are rounded as well. A NaN or an infinity in q_i or dOut_i may, with Causal,
// reach the gradients of the next few keys, which query i does not see.
type AttentionGrad struct {
	Attention
	DOut, DQ, DK, DV                         []float32
	DOutStride, DQStride, DKStride, DVStride int
}

// CheckSizes is Check for an attention that has no operands yet.
func (a *Attention) CheckSizes() error {
	switch {
	case a.Batch < 0 || a.Heads < 0 || a.Seq < 0:
		return fmt.Errorf("attention: a batch of %d, %d heads, %d tokens; none may be negative", a.Batch, a.Heads, a.Seq)
	case a.KVHeads < 1 || a.Heads%a.KVHeads != 0:
		return fmt.Errorf("attention: %d heads do not share %d key-value heads evenly", a.Heads, a.KVHeads)
	case a.HeadDim < 1 || a.HeadDim > Chunk:
		return fmt.Errorf("attention: head dimension %d, expected 1 to %d", a.HeadDim, Chunk)
	case !(a.Scale > 0) || math.IsInf(float64(a.Scale), 0):
		return fmt.Errorf("attention: the scale is %v, expected a positive number", a.Scale)
	case !(a.DropoutP >= 0 && a.DropoutP < 1):
		return fmt.Errorf("attention: DropoutP is %v, expected 0 ≤ DropoutP < 1", a.DropoutP)
	case a.DropoutP > 0 && (a.Seq > maxDropSeq || a.Batch*a.Heads > maxDropHeads):
		return fmt.Errorf("attention: dropout for %d tokens and %d heads of sequences, expected at most %d and %d", a.Seq, a.Batch*a.Heads, maxDropSeq, maxDropHeads)
	}
	return nil
}

// Check says what is wrong with the sizes. Run does not check.
func (a *Attention) Check() error {
	if err := a.CheckSizes(); err != nil {
		return err
	}
	if n := a.Batch * a.Heads * a.Seq; a.LSE != nil && len(a.LSE) != n {
		return fmt.Errorf("attention: LSE has %d elements, expected %d", len(a.LSE), n)
	}
	return firstError(
		a.checkRows("Q", a.Q, a.QStride, a.Heads),
		a.checkRows("K", a.K, a.KStride, a.KVHeads),
		a.checkRows("V", a.V, a.VStride, a.KVHeads),
		a.checkRows("Out", a.Out, a.OutStride, a.Heads),
	)
}

// Check says what is wrong with the sizes. Run does not check.
func (g *AttentionGrad) Check() error {
	if err := g.Attention.Check(); err != nil {
		return err
	}
	if g.LSE == nil {
		return fmt.Errorf("attention gradient: LSE is missing")
	}
	return firstError(
		g.checkRows("DOut", g.DOut, g.DOutStride, g.Heads),
		g.checkRows("DQ", g.DQ, g.DQStride, g.Heads),
		g.checkRows("DK", g.DK, g.DKStride, g.KVHeads),
		g.checkRows("DV", g.DV, g.DVStride, g.KVHeads),
	)
}

// checkRows says what is wrong with an operand of the given number of heads.
func (a *Attention) checkRows(name string, x []float32, stride, heads int) error {
	width := heads * a.HeadDim
	tokens := a.Batch * a.Seq
	switch {
	case tokens == 0 || width == 0:
		return nil
	case stride < width:
		return fmt.Errorf("attention: tokens of %s are %d elements apart, expected at least %d (%d heads of %d)", name, stride, width, heads, a.HeadDim)
	case len(x) < (tokens-1)*stride+width:
		return fmt.Errorf("attention: %s has %d elements, expected at least %d (%d tokens %d apart, the last of %d)",
			name, len(x), (tokens-1)*stride+width, tokens, stride, width)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ScratchBytes is the working memory that Run takes from a pool of the given number of workers.
func (a *Attention) ScratchBytes(workers int) int { return a.scratchBytes(active, workers) }

// Run computes Out and LSE on the pool's workers; a unit of work is 256 queries of a head. The sizes must pass Check.
func (a *Attention) Run(p *Pool) { a.run(p, active) }

func (a *Attention) run(p *Pool, level Level) {
	a.drop = newDropMask(a.Key, a.DropoutP)
	a.runAt(p, level)
}

// ScratchBytes is the working memory that Run takes from a pool of the given number of workers.
func (g *AttentionGrad) ScratchBytes(workers int) int { return g.scratchBytes(active, workers) }

// Run computes DQ, DK and DV on the pool's workers; a unit of work is a key-value head of a sequence. The sizes must pass
// Check.
func (g *AttentionGrad) Run(p *Pool) { g.run(p, active) }

func (g *AttentionGrad) run(p *Pool, level Level) {
	g.drop = newDropMask(g.Key, g.DropoutP)
	g.runAt(p, level)
}

// visible is how many keys query i sees.
func (a *Attention) visible(i int) int {
	if a.Causal {
		return i + 1
	}
	return a.Seq
}

// from returns the elements of x from a head of a token of a sequence on.
func (a *Attention) from(x []float32, stride, sequence, token, head int) []float32 {
	return x[(sequence*a.Seq+token)*stride+head*a.HeadDim:]
}

// lse returns where LSE is of the queries of a head.
func (a *Attention) lse(sequence, head int) []float32 {
	return a.LSE[(sequence*a.Heads+head)*a.Seq:][:a.Seq]
}

// The largest sizes that dropElement has room for.
const (
	maxDropSeq   = 1 << 20
	maxDropHeads = 1 << 24
)

// dropElement is the number that dropout counts P_ij of a head (sequence·Heads + head) as.
func dropElement(head, i, j int) uint64 { return uint64(head)<<40 | uint64(i)<<20 | uint64(j) }
