package search

import "math"

// Improvement is the part of objective space below a reference that no point of a front dominates: where a new point
// would add hypervolume. It is cut into slabs along the last objective. In slab i, between two neighbouring values of the
// front, the points not above it all count; so it is the product of its interval and of such a part with one objective
// less. With one objective left the part is everything below the best value.
type Improvement struct {
	edges []float64     // upper edges of the slabs, increasing; the lowest slab has no lower edge
	inner []Improvement // of each slab
	best  float64       // with one objective
}

// NewImprovement prepares for the points, whose dominated ones do not matter, and the reference. All objectives are
// minimised; points that are not better than the reference in every objective are left out.
func NewImprovement(points [][]float64, reference []float64) Improvement {
	last := len(reference) - 1
	front := layers(points, reference)
	if last == 0 {
		if len(front) > 0 {
			return Improvement{best: front[0][0]}
		}
		return Improvement{best: reference[0]}
	}
	var e Improvement
	for i := range len(front) + 1 {
		edge := reference[last]
		if i < len(front) {
			edge = front[i][last]
		}
		if i > 0 && edge == front[i-1][last] {
			continue // the point lies at the lower edge of the next slab, too
		}
		e.edges = append(e.edges, edge)
		e.inner = append(e.inner, NewImprovement(front[:i], reference[:last]))
	}
	return e
}

// Expected returns the expected hypervolume improvement (Emmerich 2005) by a point whose objectives are independent
// normal variables with the means mu and the standard deviations sigma. A point in the part improves by the volume of
// what it dominates there, so the expectation is the integral over the part of the probability that the new point
// dominates z:
//
//	∫ Π_j P(Y_j ≤ z_j) dz,   of a slab [a, b]:  (E(b) − E(a)) · (the same with one objective less),   E(b) = ∫_{−∞}^b P(Y ≤ z) dz
//
// With two objectives that is Σ_i (E(x_(i+1)) − E(x_i)) · E(y_i) with the roles of the objectives exchanged.
func (e *Improvement) Expected(mu, sigma []float64) float64 {
	last := len(mu) - 1
	if last == 0 {
		return excess(e.best, mu[0], sigma[0])
	}
	sum, lower := 0.0, 0.0
	for i, edge := range e.edges {
		upper := excess(edge, mu[last], sigma[last])
		if upper > lower {
			sum += (upper - lower) * e.inner[i].Expected(mu[:last], sigma[:last])
			lower = upper
		}
	}
	return sum
}

// excess is E(b) = E[max(b − Y, 0)] = s φ(z) + (b − mu) Φ(z), z = (b − mu)/s, of a normal variable Y. As z → −∞ the two
// terms cancel: the relative error is about z² rounding errors.
func excess(b, mu, s float64) float64 {
	if s <= 0 {
		return max(b-mu, 0)
	}
	z := (b - mu) / s
	phi := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	return max(s*phi+(b-mu)*math.Erfc(-z/math.Sqrt2)/2, 0)
}

// excessProduct bounds what any front leaves to be expected: nothing but the reference.
func excessProduct(reference, mu, sigma []float64) float64 {
	p := 1.0
	for j, r := range reference {
		p *= excess(r, mu[j], sigma[j])
	}
	return p
}
