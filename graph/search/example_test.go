package search_test

import (
	"fmt"
	"log"

	"github.com/seraph-ml/seraph/graph/search"
)

// Ask and tell: a small space, and objectives that are computed instead of trained for.
func Example() {
	space, err := search.NewSpace(
		search.Parameter{Name: "hops", Min: 0, Max: 6},
		search.Parameter{Name: "operator", Values: []string{"sym", "rw"}, UnusedIf: []search.Setting{{Name: "hops", Value: "0"}}},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(space.Size(), "points,", space.Count(), "designs")

	advisor, err := search.NewAdvisor(search.Problem{Space: space, Objectives: 2}, search.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for range 13 {
		design, ok := advisor.Ask()
		if !ok {
			break
		}
		hops := design.Int("hops")
		loss := float64((hops - 3) * (hops - 3))
		if design.Value("operator") == "rw" {
			loss++
		}
		if err := advisor.Tell(design, []float64{loss, float64(hops)}); err != nil {
			log.Fatal(err)
		}
	}
	for _, trial := range advisor.Front() {
		fmt.Println(trial.Objectives, trial.Design)
	}
	fmt.Println("hypervolume", advisor.Hypervolume([]float64{10, 7}))
	// Output:
	// 14 points, 13 designs
	// [0 3] hops=3,operator=sym
	// [1 2] hops=2,operator=sym
	// [4 1] hops=1,operator=sym
	// [9 0] hops=0
	// hypervolume 56
}

// A published model is a region of PaSca's space.
func ExamplePublishedModels() {
	design, err := search.PaSca().Parse("k_pre=6,ga_pre=aug-na,ma=adaptive,k_trans=3,k_post=4,ga_post=ppr-0.3")
	if err != nil {
		log.Fatal(err)
	}
	for _, model := range search.PublishedModels() {
		if model.Region.Contains(design) {
			fmt.Println(model.Name)
		}
	}
	// Output: pasca-v3
}
