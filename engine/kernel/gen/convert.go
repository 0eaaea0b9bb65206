package main

import "fmt"

// The conversions between float32 and the formats of 16 bits, of whole vectors: they are exact or rounded as the formats
// say, so what is left over may run through the portable code.

// convertFile writes them.
func convertFile() []byte {
	a := NewAsm()
	for _, v := range []Vec{avx2, avx512} {
		l := Lanes{a, v}
		half := map[string]string{"Y": "X", "Z": "Y"}[v.Reg] // registers of half the width
		l.conversion("bf16FromF32", "dst *uint16, x *float32", 2, func() {
			l.roundToBF16(half)
			l.I("VMOVDQU %s0, (DI)", half)
		})
		l.conversion("f32FromBF16", "dst *float32, x *uint16", 4, func() {
			l.I("VPMOVZXWD (SI), %s", v.R(0))
			l.I("VPSLLD $16, %s, %s", v.R(0), v.R(0))
			l.I("VMOVUPS %s, (DI)", v.R(0))
		})
		l.conversion("f16FromF32", "dst *uint16, x *float32", 2, func() {
			const toNearestEven = 0
			l.I("VMOVUPS (SI), %s", v.R(0))
			l.I("VCVTPS2PH $%d, %s, %s1", toNearestEven, v.R(0), half)
			l.I("VMOVDQU %s1, (DI)", half)
		})
		l.conversion("f32FromF16", "dst *float32, x *uint16", 4, func() {
			l.I("VMOVDQU (SI), %s0", half)
			l.I("VCVTPH2PS %s0, %s", half, v.R(1))
			l.I("VMOVUPS %s, (DI)", v.R(1))
		})
	}
	return a.Bytes()
}

// conversion writes a function that converts vectors from SI to DI, where elements have the given bytes.
func (l Lanes) conversion(name, list string, bytes int, body func()) {
	name += l.Name
	l.Func(name, 0, 24, fmt.Sprintf("func %s(%s, vectors int)", name, list))
	l.I("MOVQ dst+0(FP), DI")
	l.I("MOVQ x+8(FP), SI")
	l.I("MOVQ vectors+16(FP), CX")
	l.Label("vector")
	body()
	l.I("ADDQ $%d, DI", bytes*l.Vec.Lanes)
	l.I("ADDQ $%d, SI", (6-bytes)*l.Vec.Lanes)
	l.I("DECQ CX")
	l.I("JNZ vector")
	l.I("VZEROUPPER")
	l.I("RET")
}

// roundToBF16 loads a vector and leaves it as bfloat16 in register 0 of half the width.
func (l Lanes) roundToBF16(half string) {
	const unordered = 3
	x, high, y, nan := l.R(0), l.R(1), l.R(2), l.R(3)
	and, or := "VPAND", "VPOR"
	if l.Vec.Lanes == 16 {
		and, or = "VPANDD", "VPORD"
	}
	l.I("VMOVUPS (SI), %s", x)
	l.I("VPSRLD $16, %s, %s", x, high)
	l.KBits(and, 1, high+", "+y)
	l.KBits("VPADDD", 0x7fff, y+", "+y)
	l.I("VPADDD %s, %s, %s", x, y, y)
	l.I("VPSRLD $16, %s, %s", y, y)
	l.KBits(or, 0x40, high+", "+high)
	if l.Vec.Lanes == 16 {
		l.I("VCMPPS $%d, %s, %s, K2", unordered, x, x)
		l.I("VMOVDQA32 %s, K2, %s", high, y)
		l.I("VPMOVDW %s, %s0", y, half)
		return
	}
	l.I("VCMPPS $%d, %s, %s, %s", unordered, x, x, nan)
	l.I("VBLENDVPS %s, %s, %s, %s", nan, high, y, y)
	l.I("VPACKUSDW %s, %s, %s", y, y, y) // within 128 bits
	l.I("VPERMQ $0x08, %s, %s", y, x)
}
