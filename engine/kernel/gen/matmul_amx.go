package main

import "fmt"

// Instructions on tiles, which Go's assembler does not know, as their VEX bytes (Intel, "Software Developer's Manual",
// volume 2). Tiles and registers are given by number.

// vexTile writes opcode of map 0F38 with the prefix pp (0: none, 2: F3, 3: F2) and the third operand vvvv.
func (a *Asm) vexTile(comment string, pp byte, vvvv int, opcode byte, rest ...byte) {
	a.Code(comment, append([]byte{0xc4, 0xe2, byte(^vvvv&15)<<3 | pp, opcode}, rest...)...)
}

// tileMemory are the ModRM, SIB and displacement bytes of a tile and the address disp(base)(stride*1): row r of the tile
// is at disp + base + r·stride.
func tileMemory(tmm, base, stride int, disp byte) []byte {
	return []byte{0x40 | byte(tmm)<<3 | 4, byte(stride)<<3 | byte(base), disp}
}

// The registers that tile addresses use here, as they are numbered in an instruction.
const (
	regCX, regDX, regBX, regSI, regDI = 1, 2, 3, 6, 7
)

func (a *Asm) LDTILECFG(base int, name string) {
	a.vexTile("LDTILECFG ("+name+")", 0, 0, 0x49, byte(base))
}
func (a *Asm) TILERELEASE() { a.vexTile("TILERELEASE", 0, 0, 0x49, 0xc0) }

func (a *Asm) TILEZERO(tmm int) {
	a.vexTile(fmt.Sprintf("TILEZERO TMM%d", tmm), 3, 0, 0x49, 0xc0|byte(tmm)<<3)
}

func (a *Asm) TILELOADD(tmm, base, stride int, disp byte, name string) {
	a.vexTile(fmt.Sprintf("TILELOADD %d%s, TMM%d", disp, name, tmm), 3, 0, 0x4b, tileMemory(tmm, base, stride, disp)...)
}

func (a *Asm) TILESTORED(tmm, base, stride int, disp byte, name string) {
	a.vexTile(fmt.Sprintf("TILESTORED TMM%d, %d%s", tmm, disp, name), 2, 0, 0x4b, tileMemory(tmm, base, stride, disp)...)
}

// TDPBF16PS adds the product of the tiles y (rows of pairs) and x (pairs along rows) to the tile acc.
func (a *Asm) TDPBF16PS(y, x, acc int) {
	a.vexTile(fmt.Sprintf("TDPBF16PS TMM%d, TMM%d, TMM%d", y, x, acc), 2, y, 0x5c, 0xc0|byte(acc)<<3|byte(x))
}

// amxTile writes the micro-kernel of up to 32 rows by one or two vectors on tiles. It does what those of gen/matmul.go do,
// with k in steps of 16 slots (32 terms):
//
//	func runTileAMX(rows, vectors int, args *tileArgs, config *[64]byte, out *float32)
//
// Tiles 0 to 3 are the sums, 2 and 3 of rows 16 and up; 4 and 5 hold A, 6 and 7 hold B. config gives them their sizes.
// The sums of a panel pass through out, 32 rows of the vectors; where out is nil, there is nothing to add to them and the
// mask has all lanes, and they go straight to C. Tiles are configured and released inside the call: a goroutine keeps none
// where it may be moved to another thread.
func amxTile(a *Asm) {
	a.Func("runTileAMX", 0, 40, "func runTileAMX(rows, vectors int, args *tileArgs, config *[64]byte, out *float32)")
	a.I("MOVQ args+16(FP), AX")
	a.I("MOVQ config+24(FP), CX")
	a.LDTILECFG(regCX, "CX")
	a.I("MOVQ %d(AX), CX", argMask)
	a.I("KMOVW (CX), K1")
	a.I("XORL R14, R14") // distance from the first panel in A
	a.I("XORL R15, R15") // rows done
	a.I("MOVQ vectors+8(FP), CX")
	a.I("CMPQ CX, $1")
	a.I("JEQ panel1")
	for _, nv := range []int{2, 1} {
		a.Label("panel%d", nv)
		amxPanel(a, nv)
		amxFinish(a, nv)
		a.Label("next%d", nv)
		a.I("DECQ %d(AX)", argPanels)
		a.I("JNZ panel%d", nv)
		if nv == 2 {
			a.I("JMP done")
		}
	}
	a.Label("done")
	a.TILERELEASE()
	a.I("VZEROUPPER")
	a.I("RET")
}

// amxPanel writes one panel of rows.
func amxPanel(a *Asm, nv int) {
	const addrA, addrA2, addrB = "(DI)(SI*1)", "(CX)(SI*1)", "(BX)(DX*1)"
	a.I("MOVQ %d(AX), DI", argA)
	a.I("ADDQ R14, DI")
	a.I("ADDQ %d(AX), R14", argPanelA)
	a.I("MOVQ %d(AX), SI", argRSA)
	a.I("MOVQ SI, CX")
	a.I("SHLQ $4, CX")
	a.I("ADDQ DI, CX") // row 16 of A
	a.I("MOVQ %d(AX), BX", argB)
	a.I("MOVQ %d(AX), DX", argLDB)
	a.I("MOVQ DX, R13")
	a.I("SHLQ $4, R13")
	a.I("MOVQ %d(AX), R12", argK)
	a.I("SHRQ $4, R12")
	a.I("MOVQ rows+0(FP), R9")
	a.I("CMPQ R9, $16")
	a.I("JLE upper%d", nv)
	for _, two := range []bool{true, false} {
		loop, tiles := fmt.Sprintf("both%d", nv), []int{0, 2}
		if !two {
			a.Label("upper%d", nv)
			loop, tiles = fmt.Sprintf("one%d", nv), []int{0}
		}
		for _, t := range tiles {
			for v := range nv {
				a.TILEZERO(t + v)
			}
		}
		a.Label(loop)
		a.TILELOADD(4, regDI, regSI, 0, addrA)
		for v := range nv {
			a.TILELOADD(6+v, regBX, regDX, byte(64*v), addrB)
			a.TDPBF16PS(6+v, 4, v)
		}
		if two {
			a.TILELOADD(5, regCX, regSI, 0, addrA2)
			for v := range nv {
				a.TDPBF16PS(6+v, 5, 2+v)
			}
		}
		a.I("ADDQ $64, DI")
		a.I("ADDQ $64, CX")
		a.I("ADDQ R13, BX")
		a.I("DECQ R12")
		a.I("JNZ %s", loop)
		// DI, SI: where the sums go.
		a.I("MOVQ out+32(FP), R8")
		a.I("MOVQ R8, DI")
		a.I("MOVL $%d, SI", 64*nv)
		a.I("TESTQ R8, R8")
		a.I("JNZ %sstore", loop)
		a.I("MOVQ %d(AX), SI", argLDC)
		a.I("MOVQ SI, DI")
		a.I("IMULQ R15, DI")
		a.I("ADDQ %d(AX), DI", argC)
		a.Label("%sstore", loop)
		for v := range nv {
			a.TILESTORED(v, regDI, regSI, byte(64*v), addrA)
		}
		if two {
			a.I("MOVQ SI, CX")
			a.I("SHLQ $4, CX")
			a.I("ADDQ CX, DI")
			for v := range nv {
				a.TILESTORED(2+v, regDI, regSI, byte(64*v), addrA)
			}
			a.I("JMP sums%d", nv)
		}
	}
	a.Label("sums%d", nv)
	a.I("TESTQ R8, R8")
	a.I("JNZ finish%d", nv)
	a.I("ADDQ R9, R15")
	a.I("JMP next%d", nv)
	a.Label("finish%d", nv)
}

// amxFinish adds the addends and the bias to the rows of out from R8 on, R9 of them, and stores them.
func amxFinish(a *Asm, nv int) {
	// add adds the vectors at an address to the sums.
	add := func(base string) {
		for v := range nv - 1 {
			a.I("VADDPS %d(%s), Z%d, Z%d", 64*v, base, v, v)
		}
		a.I("VMOVUPS.Z %d(%s), K1, Z2", 64*(nv-1), base)
		a.I("VADDPS Z2, Z%d, Z%d", nv-1, nv-1)
	}
	a.I("MOVQ %d(AX), DI", argBias)
	a.I("MOVQ %d(AX), SI", argLDC)
	a.I("MOVQ SI, BX")
	a.I("IMULQ R15, BX")
	a.I("ADDQ %d(AX), BX", argC)
	a.Label("row%d", nv)
	for v := range nv {
		a.I("VMOVUPS %d(R8), Z%d", 64*v, v)
	}
	// R11 walks over the addends, CX counts them.
	a.I("MOVQ %d(AX), CX", argAdds)
	a.I("LEAQ %d(AX), R11", argAddend)
	a.I("TESTQ CX, CX")
	a.I("JZ bias%d", nv)
	a.Label("add%d", nv)
	a.I("MOVQ 8(R11), R12")
	a.I("IMULQ R15, R12")
	a.I("ADDQ (R11), R12")
	add("R12")
	a.I("ADDQ $16, R11")
	a.I("DECQ CX")
	a.I("JNZ add%d", nv)
	a.Label("bias%d", nv)
	a.I("TESTQ DI, DI")
	a.I("JZ store%d", nv)
	add("DI")
	a.Label("store%d", nv)
	for v := range nv - 1 {
		a.I("VMOVUPS Z%d, %d(BX)", v, 64*v)
	}
	a.I("VMOVUPS Z%d, K1, %d(BX)", nv-1, 64*(nv-1))
	a.I("ADDQ SI, BX")
	a.I("ADDQ $%d, R8", 64*nv)
	a.I("INCQ R15")
	a.I("DECQ R9")
	a.I("JNZ row%d", nv)
}
