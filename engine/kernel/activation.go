package kernel

// Activation names a function that is applied to every element, alone or fused into a product.
type Activation uint8

// The activations.
const (
	Identity    Activation = iota // x
	ReLU                          // max(x, 0)
	GELU                          // x·Φ(x), exact
	GELUTanh                      // x·½(1 + tanh(√(2/π)·(x + 0.044715·x³)))
	SiLU                          // x·σ(x)
	Sigmoid                       // σ(x) = 1/(1 + e^−x)
	Tanh                          // tanh(x)
	Softplus                      // ln(1 + e^x)
	Exp                           // e^x
	activations                   // how many there are
)

var activationNames = [activations]string{"identity", "relu", "gelu", "gelu-tanh", "silu", "sigmoid", "tanh", "softplus", "exp"}

// String returns the name of the activation.
func (a Activation) String() string { return activationNames[a] }

// GradFromOutput says what the derivative is computed from: the output act(x) if true, the input x if not.
func (a Activation) GradFromOutput() bool {
	switch a {
	case Identity, ReLU, Sigmoid, Tanh, Exp:
		return true
	}
	return false
}
