package main

import (
	"fmt"
	"math"
)

// constants are the numbers that the kernels of a file read from memory: each stands there eight times, as AVX2 reads a
// whole register; AVX-512 reads one and broadcasts.
type constants struct {
	bits []uint32
	tail bool              // the masks of AVX2 are needed
	held map[uint32]string // registers of AVX2 that hold a number at the moment
}

// constantBytes is the place that a constant takes.
const constantBytes = 32

// address returns where the number with the given bits lies.
func (c *constants) address(bits uint32) string {
	for i, b := range c.bits {
		if b == bits {
			return fmt.Sprintf("constants<>+%d(SB)", constantBytes*i)
		}
	}
	c.bits = append(c.bits, bits)
	return c.address(bits)
}

func (c *constants) write(a *Asm) {
	if len(c.bits) > 0 {
		a.I("")
		for i, b := range c.bits {
			for j := 0; j < constantBytes; j += 8 {
				a.Data("constants<>+%d(SB)/8, $0x%08x%08x", constantBytes*i+j, b, b)
			}
		}
		a.Global("constants<>(SB), RODATA|NOPTR, $%d", constantBytes*len(c.bits))
	}
	if c.tail {
		a.I("")
		for j := range 8 {
			a.Data("tailMask<>+%d(SB)/8, $%d", 8*j, j/4-1)
		}
		a.Global("tailMask<>(SB), RODATA|NOPTR, $64")
	}
}

// Lanes writes arithmetic that runs lane by lane, the same operations in both instruction sets. Registers are named; an
// instruction's operands stand in the order of Go's assembler, the destination last.
type Lanes struct {
	*Asm
	Vec
}

// K writes an instruction whose first operand is a constant.
func (l Lanes) K(op string, x float32, regs string) { l.KBits(op, math.Float32bits(x), regs) }

// KBits writes an instruction whose first operand is a constant given by its bits.
func (l Lanes) KBits(op string, bits uint32, regs string) {
	first, held := l.constants.held[bits]
	if !held {
		first = l.constants.address(bits)
		if l.Lanes == 16 {
			op += ".BCST"
		}
	}
	l.I("%s %s, %s", op, first, regs)
}

// Set puts a constant into every lane of a register.
func (l Lanes) Set(dst string, x float32) { l.SetBits(dst, math.Float32bits(x)) }

// SetBits puts a constant given by its bits into every lane of a register.
func (l Lanes) SetBits(dst string, bits uint32) {
	if reg, held := l.constants.held[bits]; held {
		l.I("VMOVAPS %s, %s", reg, dst)
		return
	}
	l.I("VBROADCASTSS %s, %s", l.constants.address(bits), dst)
}

// Hold puts constants into registers, from which body takes them.
func (l Lanes) Hold(registers []string, bits []uint32, body func()) {
	held := map[uint32]string{}
	for i, b := range bits {
		l.SetBits(registers[i], b)
		held[b] = registers[i]
	}
	l.constants.held = held
	body()
	l.constants.held = nil
}

// Zero clears a register.
func (l Lanes) Zero(reg string) {
	if l.Lanes == 16 {
		l.I("VPXORD %s, %s, %s", reg, reg, reg)
	} else {
		l.I("VXORPS %s, %s, %s", reg, reg, reg)
	}
}

// Tail makes the mask of the first n lanes, n being in a general register that is lost (and with AVX2 less than 8):
// K1, or the register mask with AVX2.
func (l Lanes) Tail(n, mask string) {
	if l.Lanes == 16 {
		l.I("MOVL $-1, R15")
		l.I("BZHIL %s, R15, %s", n, n)
		l.I("KMOVW %s, K1", n)
		return
	}
	l.constants.tail = true
	l.I("LEAQ tailMask<>+32(SB), R15")
	l.I("NEGQ %s", n)
	l.I("VMOVUPS (R15)(%s*4), %s", n, mask)
}

// LoadTail reads the lanes of the mask that Tail made; the others become 0.
func (l Lanes) LoadTail(addr, mask, dst string) {
	if l.Lanes == 16 {
		l.I("VMOVUPS.Z %s, K1, %s", addr, dst)
	} else {
		l.I("VMASKMOVPS %s, %s, %s", addr, mask, dst)
	}
}

// StoreTail stores the lanes of the mask that Tail made.
func (l Lanes) StoreTail(src, mask, addr string) {
	if l.Lanes == 16 {
		l.I("VMOVUPS %s, K1, %s", src, addr)
	} else {
		l.I("VMASKMOVPS %s, %s, %s", src, mask, addr)
	}
}

// tree combines the 16 lanes of register n, with AVX2 of n and the next, by the fixed tree of a sum; the result is in lane 0
// of n, and register t is lost.
func (l Lanes) tree(op string, n, t int) {
	if l.Lanes == 16 {
		l.I("VEXTRACTF64X4 $1, Z%d, Y%d", n, t)
		l.I("V%sPS Y%d, Y%d, Y%d", op, t, n, n)
	} else {
		l.I("V%sPS Y%d, Y%d, Y%d", op, n+1, n, n)
	}
	l.I("VEXTRACTF128 $1, Y%d, X%d", n, t)
	l.I("V%sPS X%d, X%d, X%d", op, t, n, n)
	l.I("VMOVHLPS X%d, X%d, X%d", n, n, t)
	l.I("V%sPS X%d, X%d, X%d", op, t, n, n)
	l.I("VMOVSHDUP X%d, X%d", n, t)
	l.I("V%sSS X%d, X%d, X%d", op, t, n, n)
}
