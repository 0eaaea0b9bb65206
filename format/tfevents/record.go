package tfevents

import (
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is the checksum of records: masked, because a CRC of bytes that hold a CRC is worth little.
func maskedCRC(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// appendRecord appends event as a record.
func appendRecord(dst, event []byte) []byte {
	head := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(event)))
	dst = binary.LittleEndian.AppendUint32(dst, maskedCRC(dst[head:]))
	dst = append(dst, event...)
	return binary.LittleEndian.AppendUint32(dst, maskedCRC(event))
}
