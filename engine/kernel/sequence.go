package kernel

// Sequence gives the random words that a [Key] names, for sampling that no kernel does: shuffles, generated data.
type Sequence struct{ words sequence }

// Sequence returns the sequence of the key.
func (k Key) Sequence() Sequence { return Sequence{k.sequence()} }

// Block returns words 4·n to 4·n+3.
func (s *Sequence) Block(n uint64) [4]uint32 { return s.words.block(n) }
