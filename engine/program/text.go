package program

import (
	"fmt"
	"strings"

	"github.com/seraph-ml/seraph/engine/plan"
)

var kindNames = map[plan.Kind]string{
	plan.Input: "input", plan.Constant: "constant", plan.Parameter: "parameter", plan.Optimizer: "optimizer", plan.State: "state",
}

// String prints the program as it was built: sizes, inputs and persistent tensors, then one operation a line.
func (p *Program) String() string { return p.print(p.nodes) }

// String prints the program as it runs: rewritten, and in its order.
func (c *Compiled) String() string { return c.program.print(c.nodes) }

func (p *Program) print(nodes []*node) string {
	var s strings.Builder
	fmt.Fprintf(&s, "program %s", p.Name)
	for i, d := range p.sizes {
		sep := ", "
		if i == 0 {
			sep = ", for "
		}
		fmt.Fprintf(&s, "%s%s ≤ %d", sep, d.Symbol, d.Size)
	}
	s.WriteByte('\n')
	used := map[*Value]bool{}
	for _, n := range nodes {
		for _, v := range n.in {
			used[v] = true
		}
	}
	for _, v := range p.values {
		if v.producer == nil && used[v] {
			fmt.Fprintf(&s, "  %-9s %s %s\n", kindNames[v.Kind], v.Name, v.Type)
		}
	}
	for _, n := range nodes {
		s.WriteString("  ")
		for i, v := range n.out {
			if i > 0 {
				s.WriteString(", ")
			}
			fmt.Fprintf(&s, "%s %s", v.Name, v.Type)
			if v.output {
				s.WriteString(" (output)")
			}
		}
		if len(n.out) > 0 {
			s.WriteString(" = ")
		}
		s.WriteString(n.op.Name())
		s.WriteByte('(')
		for i, v := range n.in {
			if i > 0 {
				s.WriteString(", ")
			}
			s.WriteString(v.Name)
		}
		s.WriteByte(')')
		if a := attributes(n.op); a != "" {
			s.WriteString(" " + a)
		}
		s.WriteByte('\n')
	}
	return s.String()
}
