package kernel

// Activation names a function that is applied to every element, alone or fused into a product.
type Activation uint8

// The activations.
const (
	Identity Activation = iota // x
	ReLU                       // max(x, 0)
	GELU                       // x·Φ(x), exact
	GELUTanh                   // x·½(1 + tanh(√(2/π)·(x + 0.044715·x³)))
	SiLU                       // x·σ(x)
	Sigmoid                    // σ(x) = 1/(1 + e^−x)
	Tanh                       // tanh(x)
)
