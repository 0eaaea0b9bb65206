package search

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPaScaSpaceHasItsTwoSizes(t *testing.T) {
	s := PaSca()
	if got := s.Size(); got != 181500 {
		t.Errorf("%d raw points, want 181500", got)
	}
	if got := s.Count(); got != 153510 {
		t.Errorf("%d designs, want 153510", got)
	}
}

// The designs are the raw points' canonical forms, each once, by increasing rank.
func TestDesignsAreTheCanonicalFormsOfAllPoints(t *testing.T) {
	s := PaSca()
	canonical := make([]bool, s.Size())
	for r := range canonical {
		d := s.At(r)
		if again := s.At(d.Rank()); again != d {
			t.Fatalf("the canonical form of %s is %s", d, again)
		}
		canonical[d.Rank()] = true
	}
	last := -1
	for d := range s.Designs() {
		if d.Rank() <= last || !canonical[d.Rank()] {
			t.Fatalf("design %s of rank %d comes after rank %d", d, d.Rank(), last)
		}
		canonical[d.Rank()] = false
		last = d.Rank()
	}
	for r, missing := range canonical {
		if missing {
			t.Fatalf("design %s is missing", s.At(r))
		}
	}
}

func TestDesignsThatMeanTheSameAreEqual(t *testing.T) {
	s := PaSca()
	for _, pair := range [][2]string{
		{"k_pre=0,ga_pre=ppr-0.3,ma=adaptive,k_trans=2,k_post=0,ga_post=triangle-ia", "k_post=0,k_trans=2,k_pre=0"},
		{"k_pre=1,ga_pre=ppr-0.3,ma=max,k_trans=2,k_post=0,ga_post=ppr-0.1", "k_pre=1,ga_pre=ppr-0.3,ma=max,k_trans=2,k_post=0"},
	} {
		a, err := s.Parse(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Parse(pair[1])
		if err != nil {
			t.Fatal(err)
		}
		if a != b {
			t.Errorf("%s is %s, %s is %s", pair[0], a, pair[1], b)
		}
	}
}

func TestTextOfADesignReadsBack(t *testing.T) {
	s := PaSca()
	rapid.Check(t, func(t *rapid.T) {
		d := s.At(rapid.IntRange(0, s.Size()-1).Draw(t, "rank"))
		back, err := s.Parse(d.String())
		if err != nil || back != d {
			t.Fatalf("%s reads as %v, %v", d, back, err)
		}
		for _, p := range s.Parameters() {
			if strings.Contains(","+d.String(), ","+p.Name+"=") != d.Uses(p.Name) {
				t.Fatalf("%s uses %s: %v", d, p.Name, d.Uses(p.Name))
			}
		}
	})
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "no parameter",
		"k_pre=0,k_trans=2":              "k_post is missing",
		"k_pre=0,k_trans=11,k_post=0":    "an integer from 1 to 10",
		"k_pre=0,k_trans=two,k_post=0":   "an integer from 1 to 10",
		"k_pre=0,k_pre=0":                "twice",
		"k_pre=1,ma=sum":                 "one of none, mean",
		"k_pre=0,k_trans=1,k_post=0,k=1": "no parameter",
		"k_pre=3,k_trans=1,k_post=0":     "ga_pre is missing",
	} {
		if _, err := PaSca().Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestSpacesThatMakeNoSenseAreRefused(t *testing.T) {
	k := Parameter{Name: "k", Min: 0, Max: 3}
	wide := make([]Parameter, 4)
	for i := range wide {
		wide[i] = Parameter{Name: string(rune('a' + i)), Max: 1 << 20}
	}
	for want, parameters := range map[string][]Parameter{
		"it must have 1 to 21":   nil,
		"another one":            {k, k},
		"a name must not":        {{Name: "a b", Max: 1}},
		"not a range":            {{Name: "k", Min: 2, Max: 1}},
		"1 to 64":                {{Name: "k", Values: []string{}}},
		"there twice":            {{Name: "k", Values: []string{"a", "a"}}},
		"not a parameter before": {{Name: "a", Max: 1, UnusedIf: []Setting{{"k", "0"}}}, k},
		"an integer from 0 to 3": {k, {Name: "a", Max: 1, UnusedIf: []Setting{{"k", "4"}}}},
		"more than":              wide,
	} {
		if _, err := NewSpace(parameters...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want an error with %q", err, want)
		}
	}
}

func TestNeighboursAreOneExchangeAway(t *testing.T) {
	for text, want := range map[string]int{
		// all other values of what is used: 10 + 4 + 5 + 9 + 10 + 4, 10 + 9 + 10, 10 + 4 + 5 + 9 + 10
		"k_pre=3,ga_pre=ppr-0.1,ma=mean,k_trans=2,k_post=1,ga_post=aug-na": 42,
		"k_pre=0,k_trans=2,k_post=0":                                       29,
		"k_pre=3,ga_pre=ppr-0.1,ma=mean,k_trans=2,k_post=0":                38,
	} {
		d, err := PaSca().Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[Design]bool{d: true}
		for _, n := range d.Neighbours() {
			if seen[n] {
				t.Errorf("%s: neighbour %s is there twice, or the design itself", d, n)
			}
			seen[n] = true
			differ := 0
			for _, p := range PaSca().Parameters() {
				if d.Uses(p.Name) && n.Uses(p.Name) && d.Value(p.Name) != n.Value(p.Name) {
					differ++
				}
			}
			if differ != 1 {
				t.Errorf("%s: neighbour %s differs in %d parameters that both use", d, n, differ)
			}
		}
		if len(seen)-1 != want {
			t.Errorf("%s: %d neighbours, want %d", d, len(seen)-1, want)
		}
	}
}

func TestPublishedModelsLieWhereTheTableSays(t *testing.T) {
	for text, want := range map[string]string{
		"k_pre=2,ga_pre=aug-na,ma=none,k_trans=1,k_post=0":                     "sgc",
		"k_pre=3,ga_pre=triangle-ia,ma=concatenate,k_trans=1,k_post=0":         "sign",
		"k_pre=10,ga_pre=ppr-0.1,ma=mean,k_trans=1,k_post=0":                   "s2gc",
		"k_pre=4,ga_pre=aug-na,ma=weighted,k_trans=2,k_post=0":                 "gbp",
		"k_pre=0,k_trans=2,k_post=10,ga_post=ppr-0.1":                          "pasca-appnp",
		"k_pre=3,ga_pre=ppr-0.1,ma=weighted,k_trans=2,k_post=0":                "pasca-v1",
		"k_pre=6,ga_pre=aug-na,ma=adaptive,k_trans=2,k_post=0":                 "pasca-v2",
		"k_pre=6,ga_pre=aug-na,ma=adaptive,k_trans=3,k_post=4,ga_post=ppr-0.3": "pasca-v3",
		"k_pre=0,k_trans=1,k_post=0":                                           "",
		"k_pre=2,ga_pre=aug-na,ma=none,k_trans=1,k_post=1,ga_post=aug-na":      "",
		"k_pre=1,ga_pre=aug-na,ma=weighted,k_trans=1,k_post=0":                 "",
		"k_pre=0,k_trans=2,k_post=10,ga_post=aug-na":                           "",
	} {
		d, err := PaSca().Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, m := range PublishedModels() {
			if m.Region.Contains(d) {
				names = append(names, m.Name)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

func TestRegionsHoldAsManyDesignsAsTheirFormulaSays(t *testing.T) {
	want := map[string]int{"sgc": 10, "sign": 50, "s2gc": 30, "gbp": 90, "pasca-appnp": 9 * 10 * 3, "pasca-v1": 1, "pasca-v2": 1, "pasca-v3": 1}
	for _, m := range PublishedModels() {
		n := 0
		for d := range PaSca().Designs() {
			if m.Region.Contains(d) {
				n++
			}
		}
		if n != want[m.Name] {
			t.Errorf("%s: %d designs, want %d", m.Name, n, want[m.Name])
		}
	}
	if _, err := PaSca().Region("ma=none..max"); err == nil {
		t.Error("a range of categories, which have no order, was taken")
	}
}
