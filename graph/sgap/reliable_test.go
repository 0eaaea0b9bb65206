package sgap

import (
	"math"
	"slices"
	"testing"

	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// newSmallTeaching has three classes, and as many nodes as rows of logits.
func newSmallTeaching(t *testing.T, logits []float32, temperature float64) *teaching {
	t.Helper()
	l := layout{hops: 1, features: 2, labels: 1, classes: 3}
	x, err := newTeaching(len(logits)/3, 4, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.close() })
	x.predicted(0, logits, temperature)
	return x
}

// TestReliableNodesAreThoseAboveTheThreshold has one node that trains, one that is sure, one that is not, and one that is just at
// the threshold, which is not above it.
func TestReliableNodesAreThoseAboveTheThreshold(t *testing.T) {
	logits := []float32{9, 0, 0, 0, 4, 0, 0.1, 0, 0, 0, 0, -200}
	x := newSmallTeaching(t, logits, 1)
	x.settle([]int32{0}, []int32{2}, 0.5)
	if !slices.Equal(x.nodes, []int32{1}) {
		t.Errorf("nodes %v are reliable, expected 1", x.nodes)
	}
	e := math.Exp(4)
	want := []float64{0, 0, 1, 1 / (e + 2), e / (e + 2), 1 / (e + 2), 0, 0, 0, 0, 0, 0}
	for i, w := range want {
		if math.Abs(float64(x.y[i])-w) > 1e-7 {
			t.Errorf("element %d of Y is %g, expected %g", i, x.y[i], w)
		}
	}
	if nodes := x.compact(); !slices.Equal(nodes, []int32{0, 1}) {
		t.Errorf("rows of nodes %v are kept, expected 0 and 1", nodes)
	}
}

// TestLowTemperatureDecides has probabilities become one-hot.
func TestLowTemperatureDecides(t *testing.T) {
	x := newSmallTeaching(t, []float32{0.2, 0.3, 0.1, -5, -6, -4}, 1e-3)
	for i, w := range []float32{0, 1, 0, 0, 0, 1} {
		if math.Abs(float64(x.y[i]-w)) > 1e-7 {
			t.Errorf("element %d is %g, expected %g", i, x.y[i], w)
		}
	}
}

// TestLessonsWeighBothLosses holds the loss of a step against the formula, and checks that nothing is learnt of oneself.
func TestLessonsWeighBothLosses(t *testing.T) {
	set := func(v *program.Value, x ...float64) *program.Array {
		a := program.NewArray(v.Type)
		copy(a.X, x)
		return a
	}
	evaluate := func(gamma float64, teacher ...float64) float64 {
		p, r := program.New("lesson"), Reliable{Gamma: gamma}
		logits, labels := p.Input("logits", tensor.F32(tensor.Of(3, 2)...)), p.Input("labels", tensor.I32(tensor.Fixed(3)))
		ce, _ := p.CrossEntropy(logits, labels)
		l, loss := r.learn(p, logits, ce, 2)
		values := map[*program.Value]*program.Array{
			logits: set(logits, 1, 0, 0, 2, 0.5, 0), labels: set(labels, 0, -1, -1), l.share: set(l.share, 1.0/3),
			l.teacher: set(l.teacher, append([]float64{0, 0}, teacher...)...), l.trust: set(l.trust, 0, max(teacher[0], teacher[1]), max(teacher[2], teacher[3])),
		}
		if err := p.Evaluate(values, 1, 1); err != nil {
			t.Fatal(err)
		}
		return values[loss].X[0]
	}
	softmax := func(a, b float64) (float64, float64) {
		return math.Exp(a) / (math.Exp(a) + math.Exp(b)), math.Exp(b) / (math.Exp(a) + math.Exp(b))
	}
	first, _ := softmax(1, 0)
	a, b := softmax(0, 2)
	c, d := softmax(0.5, 0)
	hard := -math.Log(first) / 3
	if got := evaluate(0.75, a, b, c, d); math.Abs(got-hard) > 1e-7 {
		t.Errorf("loss %g where the teacher says the same, expected %g of the node that trains", got, hard)
	}
	kl := func(p, q float64) float64 { return p * (math.Log(p+1e-8) - math.Log(q)) }
	want := hard + 0.75*(2.0/3)*(0.9*(kl(0.9, a)+kl(0.1, b))+0.6*(kl(0.4, c)+kl(0.6, d)))/2
	if got := evaluate(0.75, 0.9, 0.1, 0.4, 0.6); math.Abs(got-want) > 1e-12 {
		t.Errorf("loss %.15g, expected %.15g", got, want)
	}
	// Without gamma reliable nodes are labels that are propagated, and nothing else.
	if got := evaluate(0, 0.9, 0.1, 0.4, 0.6); got != evaluate(0, 0.2, 0.8, 1, 0) || math.Abs(got-hard) > 1e-7 {
		t.Errorf("loss %g with gamma 0, expected %g of the node that trains, whatever the teacher says", got, hard)
	}
	// A teacher that is certain is a label: with gamma 1 the loss is the mean over all rows.
	mean := hard - (math.Log(b)+math.Log(c))/3
	if got := evaluate(1, 0, 1, 1, 0); math.Abs(got-mean) > 1e-7 {
		t.Errorf("loss %g with gamma 1 of a teacher that is certain, expected %g as of labels", got, mean)
	}
}
