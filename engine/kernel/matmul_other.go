//go:build !amd64

package kernel

// blocked is empty where every level is the portable one.
type blocked struct{}

func (p *product) blockedBytes(Level, int) int { return 0 }

func (p *product) runBlocked(pool *Pool, _ Level) { pool.For(p.batch*p.m, 1, (*portable)(p)) }
