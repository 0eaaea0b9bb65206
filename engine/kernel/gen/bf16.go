package main

// Instructions on bfloat16 that Go's assembler does not know, as their EVEX bytes (Intel, "Software Developer's Manual",
// volume 2). Registers are 512 bits wide and given by number, in the order of Go's assembler: sources, then destination.

// evex writes opcode of map 0F38 with the prefix pp (2: F3, 3: F2), acting on dst, src1 (vvvv) and src2 (r/m).
func (a *Asm) evex(comment string, pp, opcode byte, src2, src1, dst int) {
	not := func(n, bit int) byte { return byte(^n>>bit) & 1 }
	a.Code(comment,
		0x62,
		not(dst, 3)<<7|not(src2, 4)<<6|not(src2, 3)<<5|not(dst, 4)<<4|2,
		not(src1, 3)<<6|not(src1, 2)<<5|not(src1, 1)<<4|not(src1, 0)<<3|1<<2|pp,
		2<<5|not(src1, 4)<<3,
		opcode,
		0xc0|byte(dst&7)<<3|byte(src2&7))
}

// VDPBF16PS adds to each float32 lane of dst the products of the two pairs of bfloat16 in that lane of src2 and src1.
func (a *Asm) VDPBF16PS(src2, src1, dst int) {
	a.evex(bf16Comment("VDPBF16PS", src2, src1, dst), 2, 0x52, src2, src1, dst)
}

// VCVTNE2PS2BF16 rounds the lanes of low into the lower half of dst, those of high into the upper half.
func (a *Asm) VCVTNE2PS2BF16(low, high, dst int) {
	a.evex(bf16Comment("VCVTNE2PS2BF16", low, high, dst), 3, 0x72, low, high, dst)
}

func bf16Comment(name string, src2, src1, dst int) string {
	return name + " " + avx512.R(src2) + ", " + avx512.R(src1) + ", " + avx512.R(dst)
}

// matmulBF16File writes the micro-kernels of the bfloat16 product for AVX512-BF16 and AMX.
func matmulBF16File() []byte {
	a := NewAsm()
	amxTile(a)
	tilesBF16.writeAll(a)
	return a.Bytes()
}
