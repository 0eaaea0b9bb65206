package main

import "fmt"

// Dropout makes its random words, Philox-4x32-10 in 64-bit lanes, and uses them at once. A set is as many blocks as a
// register has such lanes, hence two vectors of elements; two sets at a time hide the latency of the rounds. The lanes of a
// register hold blocks 0, n/2, 1, n/2+1, … of the set, so that after the words of a block are put side by side, within 128
// bits, the lower halves are the first vector.
//
// The first element of a row may be any word of its block: the rows then begin up to three elements earlier, and these lanes
// are masked, as those beyond the end are.

// These are the offsets of dropMask.
const (
	maskKeys      = 0
	maskHigh      = 80
	maskThreshold = 88
	maskScale     = 92
)

// Those of package kernel: the rounds, and the multipliers of a round.
const (
	philoxRounds = 10
	philoxM0     = 0xD2511F53
	philoxM1     = 0xCD9E8D57
)

// sets is how many sets of blocks are made at a time.
const sets = 2

// dropoutFile writes the kernels.
func dropoutFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		d := &dropout{Lanes{a, v}}
		d.write()
		d.tables()
	}
	return a.Bytes()
}

// dropout writes the kernel of one instruction set. AX points to the dropMask; DI and SI walk along dst and x; CX counts the
// elements left, R9 those before the row; R8 is the block at hand.
type dropout struct{ Lanes }

// philoxSet are the registers of a set: its words, and two products.
type philoxSet struct {
	c      [4]string
	p0, p1 string
}

func (d *dropout) set(i int) philoxSet {
	r := func(j int) string { return d.R(6*i + j) }
	return philoxSet{[4]string{r(0), r(1), r(2), r(3)}, r(4), r(5)}
}

// vector is the register that holds the words of vector i of the elements, in the end.
func (d *dropout) vector(i int) string { return d.R(6*(i/2) + i%2) }

// keep is where vector i of the elements is kept: a mask, or with AVX2 a register.
func (d *dropout) keep(i int) string {
	if d.Vec.Lanes == 16 {
		return fmt.Sprintf("K%d", 4+i)
	}
	return d.vector(i)
}

// Registers beyond those of the sets: scale and threshold; the others are lost in between.
func (d *dropout) scale() string     { return d.R(12) }
func (d *dropout) threshold() string { return d.R(13) }
func (d *dropout) free(i int) string { return d.R(14 + i) }

// elements is how many are treated at a time.
func (d *dropout) elements() int { return 2 * sets * d.Vec.Lanes }

func (d *dropout) write() {
	name := "dropout" + d.Name
	d.Func(name, 0, 40, fmt.Sprintf("func %s(mask *dropMask, dst, x *float32, n int, offset uint64)", name))
	d.I("MOVQ mask+0(FP), AX")
	d.I("MOVQ dst+8(FP), DI")
	d.I("MOVQ x+16(FP), SI")
	d.I("MOVQ n+24(FP), CX")
	d.I("MOVQ offset+32(FP), R8")
	d.I("MOVL R8, R9")
	d.I("ANDL $3, R9")
	d.I("ADDQ R9, CX")
	d.I("LEAQ (R9*4), DX")
	d.I("SUBQ DX, DI")
	d.I("SUBQ DX, SI")
	d.I("SHRQ $2, R8")
	d.I("VBROADCASTSS %d(AX), %s", maskScale, d.scale())
	d.I("VBROADCASTSS %d(AX), %s", maskThreshold, d.threshold())
	if d.Vec.Lanes == 16 {
		d.I("MOVL $0xaaaa, DX")
		d.I("KMOVW DX, K3")
	}
	d.Label("next")
	d.words()
	d.compare()
	d.I("TESTL R9, R9")
	d.I("JNZ partial")
	d.I("CMPQ CX, $%d", d.elements())
	d.I("JLT partial")
	d.whole()
	d.advance()
	d.I("JG next")
	d.I("JMP done")
	d.Label("partial")
	d.partial()
	d.I("XORL R9, R9")
	d.advance()
	d.I("JG next")
	d.Label("done")
	d.I("VZEROUPPER")
	d.I("RET")
}

// advance moves on; the flags say whether elements are left.
func (d *dropout) advance() {
	d.I("ADDQ $%d, SI", 4*d.elements())
	d.I("ADDQ $%d, DI", 4*d.elements())
	d.I("ADDQ $%d, R8", d.elements()/4)
	d.I("SUBQ $%d, CX", d.elements())
}

// words makes the blocks from R8 on and leaves the words of the elements in the registers of vector. The upper half of a
// lane may hold anything, which multiplications ignore.
func (d *dropout) words() {
	var all [sets]philoxSet
	base := d.free(0)
	d.I("VMOVQ R8, X14")
	d.I("VPBROADCASTQ X14, %s", base)
	for i := range all {
		s := d.set(i)
		d.I("VPADDQ blocks%s<>+%d(SB), %s, %s", d.Name, d.Vec.Bytes()*i, base, s.c[0])
		d.I("VPSRLQ $32, %s, %s", s.c[0], s.c[1])
		d.I("VPBROADCASTD %d(AX), %s", maskHigh, s.c[2])
		d.I("VPBROADCASTD %d(AX), %s", maskHigh+4, s.c[3])
		all[i] = s
	}
	for r := range philoxRounds {
		d.round(&all, maskKeys+8*r)
	}
	for _, s := range all { // words 0 1 and 2 3 side by side
		for i := 0; i < 4; i += 2 {
			if d.Vec.Lanes == 16 {
				d.I("VMOVSLDUP %s, K3, %s", s.c[i+1], s.c[i])
			} else {
				d.I("VMOVSLDUP %s, %s", s.c[i+1], s.c[i+1])
				d.I("VPBLENDD $0xaa, %s, %s, %s", s.c[i+1], s.c[i], s.c[i])
			}
		}
	}
	for i, s := range all {
		d.I("VPUNPCKHQDQ %s, %s, %s", s.c[2], s.c[0], d.vector(2*i+1))
		d.I("VPUNPCKLQDQ %s, %s, %s", s.c[2], s.c[0], d.vector(2*i))
	}
}

// round makes a round of all sets, with the two keys at an offset of AX.
func (d *dropout) round(all *[sets]philoxSet, keys int) {
	for i := range all {
		s := &all[i]
		d.KBits("VPMULUDQ", philoxM0, s.c[0]+", "+s.p0)
		d.KBits("VPMULUDQ", philoxM1, s.c[2]+", "+s.p1)
	}
	k := [2]string{d.free(0), d.free(1)}
	d.I("VPBROADCASTD %d(AX), %s", keys, k[0])
	d.I("VPBROADCASTD %d(AX), %s", keys+4, k[1])
	for i := range all {
		s := &all[i]
		d.I("VPSRLQ $32, %s, %s", s.p1, s.c[0])
		d.I("VPSRLQ $32, %s, %s", s.p0, s.c[2])
		d.xor(s.c[1], k[0], s.c[0])
		d.xor(s.c[3], k[1], s.c[2])
		// The low halves of the products are words 1 and 3; the registers that held these are free for the next.
		s.c[1], s.p1 = s.p1, s.c[1]
		s.c[3], s.p0 = s.p0, s.c[3]
	}
}

// xor sets dst to x ^ y ^ dst; x is lost.
func (d *dropout) xor(x, y, dst string) {
	if d.Vec.Lanes == 16 {
		d.I("VPTERNLOGD $0x96, %s, %s, %s", x, y, dst)
		return
	}
	d.I("VPXOR %s, %s, %s", y, x, x)
	d.I("VPXOR %s, %s, %s", x, dst, dst)
}

// compare finds which elements are kept: their words are not below the threshold.
func (d *dropout) compare() {
	const notLess = 5
	for i := range 2 * sets {
		w := d.vector(i)
		if d.Vec.Lanes == 16 {
			d.I("VPCMPUD $%d, %s, %s, %s", notLess, d.threshold(), w, d.keep(i))
		} else {
			d.I("VPMAXUD %s, %s, %s", d.threshold(), w, d.free(0))
			d.I("VPCMPEQD %s, %s, %s", d.free(0), w, d.keep(i))
		}
	}
}

// whole treats vectors all of which belong to the row.
func (d *dropout) whole() {
	y := d.free(0)
	for i := range 2 * sets {
		if d.Vec.Lanes == 16 {
			d.I("VMULPS.Z %d(SI), %s, %s, %s", i*d.Vec.Bytes(), d.scale(), d.keep(i), y)
		} else {
			d.I("VMULPS %d(SI), %s, %s", i*d.Vec.Bytes(), d.scale(), y)
			d.I("VPAND %s, %s, %s", d.keep(i), y, y)
		}
		d.I("VMOVUPS %s, %d(DI)", y, i*d.Vec.Bytes())
	}
}

// partial treats vectors of which the lanes R9 ≤ i < CX belong to the row.
func (d *dropout) partial() {
	y := d.free(0)
	d.I("MOVL $%d, BX", d.elements())
	d.I("CMPQ CX, BX")
	d.I("CMOVQLT CX, BX")
	if d.Vec.Lanes == 16 {
		d.I("MOVQ $-1, DX")
		d.I("BZHIQ BX, DX, DX")
		d.I("SHRXQ R9, DX, DX")
		d.I("SHLXQ R9, DX, DX")
		for i := range 2 * sets {
			d.I("KMOVW DX, K1")
			d.I("VMOVUPS.Z %d(SI), K1, %s", i*d.Vec.Bytes(), y)
			d.I("VMULPS.Z %s, %s, %s, %s", y, d.scale(), d.keep(i), y)
			d.I("VMOVUPS %s, K1, %d(DI)", y, i*d.Vec.Bytes())
			d.I("SHRQ $16, DX")
		}
		return
	}
	// Registers 2 to 5 are free now.
	begin, end, mask := d.R(2), d.R(3), d.R(4)
	d.I("LEAL -1(R9), DX")
	d.I("VMOVD DX, X2")
	d.I("VPBROADCASTD X2, %s", begin)
	d.I("VMOVD BX, X3")
	d.I("VPBROADCASTD X3, %s", end)
	for i := range 2 * sets {
		d.I("VMOVDQU lanes%s<>+%d(SB), %s", d.Name, i*d.Vec.Bytes(), y)
		d.I("VPCMPGTD %s, %s, %s", begin, y, mask)
		d.I("VPCMPGTD %s, %s, %s", y, end, y)
		d.I("VPAND %s, %s, %s", y, mask, mask)
		d.I("VMASKMOVPS %d(SI), %s, %s", i*d.Vec.Bytes(), mask, y)
		d.I("VMULPS %s, %s, %s", y, d.scale(), y)
		d.I("VPAND %s, %s, %s", d.keep(i), y, y)
		d.I("VMASKMOVPS %s, %s, %d(DI)", y, mask, i*d.Vec.Bytes())
	}
}

// tables writes the blocks that the lanes of the sets hold, and for AVX2 the numbers of the elements.
func (d *dropout) tables() {
	n := d.Vec.Lanes / 2 // blocks of a set
	d.I("")
	for i := range sets * n {
		d.Data("blocks%s<>+%d(SB)/8, $%d", d.Name, 8*i, i/n*n+i%n/2+i%2*n/2)
	}
	d.Global("blocks%s<>(SB), RODATA|NOPTR, $%d", d.Name, 8*sets*n)
	if d.Vec.Lanes == 8 {
		for i := range d.elements() {
			d.Data("lanes%s<>+%d(SB)/4, $%d", d.Name, 4*i, i)
		}
		d.Global("lanes%s<>(SB), RODATA|NOPTR, $%d", d.Name, 4*d.elements())
	}
}
