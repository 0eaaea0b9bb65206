package nn_test

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// A classifier of rows of 20 features, as it is applied; with training = true it would drop out half of the hidden units.
func ExampleMLP() {
	p := program.New("classify")
	x := p.Input("x", tensor.F32(p.Size("rows", 1000), tensor.Fixed(20)))
	m := nn.MLP{Hidden: 64, Out: 5, Layers: 2, Activation: "gelu", Dropout: 0.5}
	p.Output(p.Softmax(m.Apply(p, "mlp", x, false)))
	fmt.Println(nn.ParameterCount(p), "parameters")

	compiled, err := program.Compile(p, program.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(compiled) // as it runs: activations are part of the products
	// Output:
	// 1669 parameters
	// program classify, for rows ≤ 1000
	//   input     x f32[rows, 20]
	//   parameter mlp.0.weight f32[64, 20]
	//   parameter mlp.0.bias f32[64]
	//   parameter mlp.1.weight f32[5, 64]
	//   parameter mlp.1.bias f32[5]
	//   mlp.gelu f32[rows, 64] = matmul(x, mlp.0.weight, mlp.0.bias) transB bias act=gelu
	//   mlp.1.matmul f32[rows, 5] = matmul(mlp.gelu, mlp.1.weight, mlp.1.bias) transB bias
	//   softmax f32[rows, 5] (output) = softmax(mlp.1.matmul)
}
