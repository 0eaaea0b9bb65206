package optim

import "math"

// Schedule gives the learning rate of a step; steps count from 0.
type Schedule interface {
	LR(step int) float64
}

// Constant is the same learning rate at every step.
type Constant float64

// LR implements Schedule.
func (c Constant) LR(int) float64 { return float64(c) }

// Cosine rises linearly to Peak over Warmup steps (Peak·(step+1)/(Warmup+1)), then falls along half a cosine to Final at
// step Steps, and stays there.
type Cosine struct {
	Peak, Final   float64
	Warmup, Steps int
}

// LR implements Schedule.
func (c Cosine) LR(step int) float64 {
	switch {
	case step < c.Warmup:
		return c.Peak * float64(step+1) / float64(c.Warmup+1)
	case step >= c.Steps:
		return c.Final
	}
	part := float64(step-c.Warmup) / float64(c.Steps-c.Warmup)
	return c.Final + 0.5*(1+math.Cos(math.Pi*part))*(c.Peak-c.Final)
}

// Linear rises as Cosine does, then falls along a line to Final at step Steps, and stays there.
type Linear struct {
	Peak, Final   float64
	Warmup, Steps int
}

// LR implements Schedule.
func (l Linear) LR(step int) float64 {
	switch {
	case step < l.Warmup:
		return l.Peak * float64(step+1) / float64(l.Warmup+1)
	case step >= l.Steps:
		return l.Final
	}
	part := float64(step-l.Warmup) / float64(l.Steps-l.Warmup)
	return l.Peak + part*(l.Final-l.Peak)
}

// Decay multiplies Start by Factor after every Every steps.
type Decay struct {
	Start, Factor float64
	Every         int
}

// LR implements Schedule.
func (d Decay) LR(step int) float64 {
	return d.Start * math.Pow(d.Factor, float64(step/max(d.Every, 1)))
}
