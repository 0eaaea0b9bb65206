package language

import (
	"strings"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// grammar returns text of a small grammar: short sentences about who does what where, in which the verb agrees with its
// subject, so that there is something to learn beyond the frequency of letters.
func grammar(seed uint64) []byte {
	subjects := [][2]string{{"the miller", "s"}, {"the crows", ""}, {"an old clock", "s"}, {"my sisters", ""}, {"the river", "s"}, {"two foxes", ""}}
	verbs := []string{"wait", "sing", "listen", "turn", "rest", "wander"}
	places := []string{"by the mill", "at noon", "under seven stars", "behind the hill", "once again", "in the rain"}
	ends := []string{".", ".", ".", "!"}
	const sentences = 4000
	random := kernel.Key{Seed: seed, Stream: grammarStream}.Sequence()
	var b strings.Builder
	for i := range sentences {
		w := random.Block(uint64(i))
		s := subjects[w[0]%uint32(len(subjects))]
		line := s[0] + " " + verbs[w[1]%uint32(len(verbs))] + s[1] + " " + places[w[2]%uint32(len(places))] + ends[w[3]%uint32(len(ends))]
		b.WriteString(strings.ToUpper(line[:1]) + line[1:] + "\n")
	}
	return []byte(b.String())
}

const grammarStream = 0x6772616d6d6172 // "grammar"
