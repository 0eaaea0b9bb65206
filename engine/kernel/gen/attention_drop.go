package main

import "fmt"

// Offsets in the argument block dropArgs in package kernel.
const (
	dropFactors   = 0
	dropRows      = 8
	dropBlock     = 16
	dropKeys      = 24
	dropHigh      = 32
	dropThreshold = 40
	dropScale     = 44
)

// The multipliers of a round of Philox-4x32, as in package kernel.
const (
	philoxM0 = 0xD2511F53
	philoxM1 = 0xCD9E8D57
)

// dropRowShift is the bit of the counter where the query begins: dropBlock of package kernel.
const dropRowShift = 18

// writeDrop writes the factors of dropout of a tile: row after row, word w of block l of a query is for key 16w + l.
//
//	func attentionDropX(args *dropArgs)
func (k *scoreKernel) writeDrop() {
	name := "attentionDrop" + k.Vec.Name
	k.Func(name, 0, 8, fmt.Sprintf("func %s(args *dropArgs)", name))
	k.I("MOVQ args+0(FP), AX")
	k.I("MOVQ %d(AX), DI", dropFactors)
	k.I("MOVQ %d(AX), CX", dropRows)
	k.I("MOVQ %d(AX), R8", dropBlock)
	k.I("MOVQ %d(AX), SI", dropKeys)
	m0, m1, scale := k.R(15), k.R(14), k.R(13)
	k.SetBits(m0, philoxM0)
	k.SetBits(m1, philoxM1)
	k.I("VBROADCASTSS %d(AX), %s", dropScale, scale)
	if k.Vec.Lanes == 16 {
		for i, lanes := range []int{0x5555, 0xaaaa} {
			k.I("MOVL $%#x, R9", lanes)
			k.I("KMOVW R9, K%d", 2+i)
		}
	}
	k.Label("row")
	for half := range 16 / k.Vec.Lanes {
		c, product := [4]int{0, 1, 2, 3}, [4]int{4, 5, 6, 7}
		// The counter: lane l has the block l after the first. The low word does not overflow into the next.
		k.general("R8", c[0])
		k.I("VPADDD iota<>+%d(SB), %s, %s", 32*half, k.R(c[0]), k.R(c[0]))
		k.I("MOVQ R8, R9")
		k.I("SHRQ $32, R9")
		k.general("R9", c[1])
		k.I("VPBROADCASTD %d(AX), %s", dropHigh, k.R(c[2]))
		k.I("VPBROADCASTD %d(AX), %s", dropHigh+4, k.R(c[3]))
		for round := range 10 {
			// (c0, c1, c2, c3) = (hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0)
			k.multiply(c[0], m0, product[0], product[1])
			k.multiply(c[2], m1, product[2], product[3])
			k.xor(product[3], c[1], 8*round)
			k.xor(product[1], c[3], 8*round+4)
			c, product = [4]int{product[3], product[2], product[1], product[0]}, c
		}
		threshold := k.R(8)
		k.I("VPBROADCASTD %d(AX), %s", dropThreshold, threshold)
		for w := range 4 {
			x, most := k.R(c[w]), k.R(9)
			if k.Vec.Lanes == 16 {
				const notBelow = 5
				k.I("VPCMPUD $%d, %s, %s, K1", notBelow, threshold, x)
				k.I("VMOVAPS.Z %s, K1, %s", scale, x)
			} else {
				k.I("VPMAXUD %s, %s, %s", threshold, x, most)
				k.I("VPCMPEQD %s, %s, %s", most, x, x)
				k.I("VANDPS %s, %s, %s", scale, x, x)
			}
			k.I("VMOVUPS %s, %d(DI)", x, 64*w+32*half)
		}
	}
	k.I("ADDQ $%d, R8", 1<<dropRowShift)
	k.I("ADDQ $%d, DI", 4*scoreTile)
	k.I("DECQ CX")
	k.I("JNZ row")
	k.I("VZEROUPPER")
	k.I("RET")
}

// general broadcasts the low word of a general register.
func (k *scoreKernel) general(reg string, dst int) {
	if k.Vec.Lanes == 16 {
		k.I("VPBROADCASTD %s, Z%d", reg, dst)
		return
	}
	k.I("VMOVD %s, X%d", reg, dst)
	k.I("VPBROADCASTD X%d, Y%d", dst, dst)
}

// multiply sets lo and hi to the halves of the products, in 64 bits, of c and m. Even and odd lanes are multiplied apart;
// registers 8 and 9 are lost.
func (k *scoreKernel) multiply(c int, m string, lo, hi int) {
	even, odd := k.R(8), k.R(9)
	k.I("VPMULUDQ %s, %s, %s", m, k.R(c), even)
	k.I("VPSRLQ $32, %s, %s", k.R(c), odd)
	k.I("VPMULUDQ %s, %s, %s", m, odd, odd)
	k.I("VPSLLQ $32, %s, %s", odd, k.R(lo))
	k.I("VPSRLQ $32, %s, %s", even, k.R(hi))
	if k.Vec.Lanes == 16 {
		k.I("VMOVDQA32 %s, K2, %s", even, k.R(lo))
		k.I("VMOVDQA32 %s, K3, %s", odd, k.R(hi))
	} else {
		k.I("VPBLENDD $0x55, %s, %s, %s", even, k.R(lo), k.R(lo))
		k.I("VPBLENDD $0xaa, %s, %s, %s", odd, k.R(hi), k.R(hi))
	}
}

// xor sets dst to dst ^ c ^ the word of the round keys at off; c is lost.
func (k *scoreKernel) xor(dst, c, off int) {
	d := k.R(dst)
	if k.Vec.Lanes == 16 {
		const xor3 = 0x96
		k.I("VPTERNLOGD.BCST $%#x, %d(SI), %s, %s", xor3, off, k.R(c), d)
		return
	}
	k.I("VPXOR %s, %s, %s", k.R(c), d, d)
	k.I("VPBROADCASTD %d(SI), %s", off, k.R(c))
	k.I("VPXOR %s, %s, %s", k.R(c), d, d)
}
