package kernel

import "math"

// The row kernels as plain loops in float64: what the fast ones are held against. x has rows of cols elements.

func eachRow(x []float64, cols int, f func(i int, row []float64)) {
	for i := 0; i*cols < len(x); i++ {
		f(i, x[i*cols:(i+1)*cols])
	}
}

func refLSE(row []float64) float64 {
	top := math.Inf(-1)
	for _, v := range row {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range row {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

func refLogSoftmax(x []float64, cols int) []float64 {
	y := make([]float64, len(x))
	eachRow(x, cols, func(i int, row []float64) {
		lse := refLSE(row)
		for j, v := range row {
			y[i*cols+j] = v - lse
		}
	})
	return y
}

func refSoftmax(x []float64, cols int) []float64 {
	y := refLogSoftmax(x, cols)
	for i := range y {
		y[i] = math.Exp(y[i])
	}
	return y
}

// refSoftmaxGrad takes the output y of the softmax.
func refSoftmaxGrad(dy, y []float64, cols int) []float64 {
	dx := make([]float64, len(y))
	eachRow(y, cols, func(i int, row []float64) {
		dot := 0.0
		for j, v := range row {
			dot += dy[i*cols+j] * v
		}
		for j, v := range row {
			dx[i*cols+j] = v * (dy[i*cols+j] - dot)
		}
	})
	return dx
}

// refLogSoftmaxGrad takes the output y of the log-softmax.
func refLogSoftmaxGrad(dy, y []float64, cols int) []float64 {
	dx := make([]float64, len(y))
	eachRow(dy, cols, func(i int, row []float64) {
		sum := 0.0
		for _, v := range row {
			sum += v
		}
		for j, v := range row {
			dx[i*cols+j] = v - math.Exp(y[i*cols+j])*sum
		}
	})
	return dx
}

func refCrossEntropy(logits []float64, labels []int32, cols int) (loss, lse []float64) {
	loss, lse = make([]float64, len(labels)), make([]float64, len(labels))
	eachRow(logits, cols, func(i int, row []float64) {
		lse[i] = refLSE(row)
		if labels[i] >= 0 {
			loss[i] = lse[i] - row[labels[i]]
		}
	})
	return loss, lse
}

func refCrossEntropyGrad(logits []float64, labels []int32, scale float64, cols int) []float64 {
	dx := make([]float64, len(logits))
	y := refSoftmax(logits, cols)
	eachRow(y, cols, func(i int, row []float64) {
		if labels[i] < 0 {
			return
		}
		for j, v := range row {
			if j == int(labels[i]) {
				v--
			}
			dx[i*cols+j] = v * scale
		}
	})
	return dx
}

// refDistillation returns the losses and the log-sum-exps.
func refDistillation(logits, p, trust []float64, cols int) (loss, lse []float64) {
	loss, lse = make([]float64, len(trust)), make([]float64, len(trust))
	eachRow(logits, cols, func(i int, row []float64) {
		lse[i] = refLSE(row)
		for j, v := range p[i*cols:][:cols] {
			loss[i] += trust[i] * v * (math.Log(v+1e-8) - (row[j] - lse[i]))
		}
	})
	return loss, lse
}

func refDistillationGrad(logits, p, trust []float64, scale float64, cols int) []float64 {
	dx := make([]float64, len(logits))
	eachRow(refSoftmax(logits, cols), cols, func(i int, row []float64) {
		sum := 0.0
		for _, v := range p[i*cols:][:cols] {
			sum += v
		}
		for j, v := range row {
			dx[i*cols+j] = scale * trust[i] * (v*sum - p[i*cols+j])
		}
	})
	return dx
}

// refMoments returns mean and variance of n numbers.
func refMoments(n int, x func(i int) float64) (mean, variance float64) {
	for i := range n {
		mean += x(i) / float64(n)
	}
	for i := range n {
		variance += (x(i) - mean) * (x(i) - mean) / float64(n)
	}
	return mean, variance
}

// refLayerNorm takes ones for gain and zeros for bias where they are nil; centred is false for RMS-norm.
func refLayerNorm(x, gain, bias []float64, cols int, eps float64, centred bool) (y, mean, rstd []float64) {
	y = make([]float64, len(x))
	eachRow(x, cols, func(i int, row []float64) {
		m, v := refMoments(cols, func(j int) float64 { return row[j] })
		if !centred {
			m, v = 0, v+m*m
		}
		r := 1 / math.Sqrt(v+eps)
		mean, rstd = append(mean, m), append(rstd, r)
		for j, v := range row {
			y[i*cols+j] = (v-m)*r*refAt(gain, j, 1) + refAt(bias, j, 0)
		}
	})
	return y, mean, rstd
}

func refAt(x []float64, j int, without float64) float64 {
	if x == nil {
		return without
	}
	return x[j]
}

func refLayerNormGrad(dy, x, gain []float64, cols int, eps float64, centred bool) (dx, dGain, dBias []float64) {
	_, mean, rstd := refLayerNorm(x, nil, nil, cols, eps, centred)
	dx, dGain, dBias = make([]float64, len(x)), make([]float64, cols), make([]float64, cols)
	n := float64(cols)
	eachRow(x, cols, func(i int, row []float64) {
		var sum, dot float64
		for j, v := range row {
			d, h := dy[i*cols+j], (v-mean[i])*rstd[i]
			dGain[j] += d * h
			dBias[j] += d
			sum += d * refAt(gain, j, 1)
			dot += d * refAt(gain, j, 1) * h
		}
		if !centred {
			sum = 0
		}
		for j, v := range row {
			h := (v - mean[i]) * rstd[i]
			dx[i*cols+j] = rstd[i] * (dy[i*cols+j]*refAt(gain, j, 1) - sum/n - h*dot/n)
		}
	})
	return dx, dGain, dBias
}

func refBatchNorm(x, gain, bias []float64, cols int, eps float64) (y, mean, variance []float64) {
	y = make([]float64, len(x))
	rows := len(x) / max(cols, 1)
	for j := range cols {
		m, v := refMoments(rows, func(i int) float64 { return x[i*cols+j] })
		mean, variance = append(mean, m), append(variance, v)
		for i := range rows {
			y[i*cols+j] = (x[i*cols+j]-m)/math.Sqrt(v+eps)*refAt(gain, j, 1) + refAt(bias, j, 0)
		}
	}
	return y, mean, variance
}

func refBatchNormGrad(dy, x, gain []float64, cols int, eps float64) (dx, dGain, dBias []float64) {
	h, _, variance := refBatchNorm(x, nil, nil, cols, eps)
	dx, dGain, dBias = make([]float64, len(x)), make([]float64, cols), make([]float64, cols)
	n := float64(len(x) / max(cols, 1))
	eachRow(dy, cols, func(i int, row []float64) {
		for j, d := range row {
			dGain[j] += d * h[i*cols+j]
			dBias[j] += d
		}
	})
	eachRow(dy, cols, func(i int, row []float64) {
		for j, d := range row {
			dx[i*cols+j] = refAt(gain, j, 1) / math.Sqrt(variance[j]+eps) * (d - dBias[j]/n - h[i*cols+j]*dGain[j]/n)
		}
	})
	return dx, dGain, dBias
}
