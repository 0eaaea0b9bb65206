package sgap

// Score collects predictions of labelled rows.
type Score struct {
	Rows      int
	Loss      float64 // sum of the rows' losses
	Confusion [][]int // [true class][predicted class]
}

// NewScore returns an empty score.
func NewScore(classes int) *Score {
	s := &Score{Confusion: make([][]int, classes)}
	for i := range s.Confusion {
		s.Confusion[i] = make([]int, classes)
	}
	return s
}

// Add counts rows of logits; rows with the label −1 do not count. Of equal logits the first wins.
func (s *Score) Add(logits, losses []float32, labels []int32) {
	classes := len(s.Confusion)
	for i, label := range labels {
		if label < 0 {
			continue
		}
		s.Rows++
		s.Loss += float64(losses[i])
		s.Confusion[label][argmax(logits[i*classes:(i+1)*classes])]++
	}
}

func argmax(x []float32) int {
	best := 0
	for j, v := range x {
		if v > x[best] {
			best = j
		}
	}
	return best
}

// Accuracy is the share of rows whose class is predicted.
func (s *Score) Accuracy() float64 {
	right := 0
	for c := range s.Confusion {
		right += s.Confusion[c][c]
	}
	return float64(right) / float64(max(s.Rows, 1))
}

// MeanLoss is the mean loss of a row.
func (s *Score) MeanLoss() float64 { return s.Loss / float64(max(s.Rows, 1)) }

// MacroF1 is the mean over classes of 2·tp/(2·tp + fp + fn); a class that neither occurs nor is predicted counts 0, as in
// scikit-learn.
func (s *Score) MacroF1() float64 {
	var sum float64
	for c := range s.Confusion {
		tp, fp, fn := s.Confusion[c][c], 0, 0
		for k := range s.Confusion {
			if k != c {
				fp += s.Confusion[k][c]
				fn += s.Confusion[c][k]
			}
		}
		if n := 2*tp + fp + fn; n > 0 {
			sum += 2 * float64(tp) / float64(n)
		}
	}
	return sum / float64(max(len(s.Confusion), 1))
}
