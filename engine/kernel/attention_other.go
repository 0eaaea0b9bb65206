//go:build !amd64

package kernel

// attentionRun is empty where every level is the portable one.
type attentionRun struct{}

func (a *Attention) scratchBytes(Level, int) int { return 0 }

func (a *Attention) runAt(p *Pool, _ Level) { p.For(a.Batch*a.Heads, 1, (*attentionTask)(a)) }

func (g *AttentionGrad) scratchBytes(Level, int) int { return 0 }

func (g *AttentionGrad) runAt(p *Pool, _ Level) { p.For(g.Batch*g.KVHeads, 1, (*attentionGradTask)(g)) }
