package pickle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
	"github.com/seraph-ml/seraph/internal/realdata"
)

func read(t *testing.T, path string) any {
	t.Helper()
	v, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPlainData(t *testing.T) {
	got := read(t, "testdata/plain.pickle").(*Dict)
	want := &Dict{
		Keys: []any{"a", "b", "c"},
		Values: []any{
			&List{Items: []any{nil, true, false, int64(-1), int64(255), int64(65535)}},
			Tuple{int64(1), "é", []byte("xy")},
			Tuple(nil),
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Dict{})); diff != "" {
		t.Error(diff)
	}
	if v, ok := got.Get("b"); !ok || len(v.(Tuple)) != 3 {
		t.Errorf("key b: %v", v)
	}
	if _, ok := got.Get("d"); ok {
		t.Error("a key that is not there was found")
	}
}

func TestArrayKeepsOrderAndShape(t *testing.T) {
	a := read(t, "testdata/array.pickle").(*Array)
	if a.DType.String() != ">i2" || !a.Fortran {
		t.Errorf("type %s, Fortran %v", a.DType, a.Fortran)
	}
	got, err := a.Int32s()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int32{0, 1, 2, 3, 4, 5}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMatrix(t *testing.T) {
	got, err := read(t, "testdata/csr.pickle").(*CSR).Sparse("csr.pickle", "matrix")
	if err != nil {
		t.Fatal(err)
	}
	want := &format.Sparse{Rows: 3, Cols: 4, Indptr: []int64{0, 2, 2, 3}, Indices: []int32{1, 3, 0}, Values: []float32{1, 2, 3}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultDictOfLists(t *testing.T) {
	got := read(t, "testdata/graph.pickle").(*Dict)
	want := &Dict{
		Keys:   []any{int64(0), int64(1), int64(2)},
		Values: []any{&List{Items: []any{int64(1), int64(2)}}, &List{Items: []any{int64(0), int64(300), int64(70000)}}, &List{Items: []any{int64(0)}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Dict{})); diff != "" {
		t.Error(diff)
	}
}

func TestRealPythonTwoFiles(t *testing.T) {
	for _, set := range []struct {
		name       string
		rows, cols int
	}{
		{"ind.cora.x", 140, 1433}, {"ind.cora.tx", 1000, 1433}, {"ind.cora.allx", 1708, 1433},
		{"ind.citeseer.x", 120, 3703}, {"ind.citeseer.tx", 1000, 3703}, {"ind.citeseer.allx", 2312, 3703},
	} {
		m := read(t, realdata.Path(t, "data/graph/planetoid/"+set.name)).(*CSR)
		if m.Rows != set.rows || m.Cols != set.cols {
			t.Errorf("%s: %d × %d, expected %d × %d", set.name, m.Rows, m.Cols, set.rows, set.cols)
		}
		if _, err := m.Sparse(set.name, "features"); err != nil {
			t.Error(err)
		}
	}
	if n := len(read(t, realdata.Path(t, "data/graph/planetoid/ind.cora.graph")).(*Dict).Keys); n != 2708 {
		t.Errorf("ind.cora.graph: %d nodes, expected 2708", n)
	}
}

func TestCodeIsRefused(t *testing.T) {
	canary := filepath.Join(t.TempDir(), "canary")
	for name, content := range map[string]string{
		"protocol 0":            "cos\nsystem\n(S'touch " + canary + "'\ntR.",
		"os.system":             "\x80\x02cos\nsystem\nU\x04true\x85R.",
		"posix.system":          "\x80\x02cposix\nsystem\nU\x04true\x85R.",
		"eval":                  "\x80\x02c__builtin__\neval\nU\x011\x85R.",
		"getattr":               "\x80\x02c__builtin__\ngetattr\n)R.",
		"builtins.exec":         "\x80\x03cbuiltins\nexec\nX\x01\x00\x00\x001\x85R.",
		"subprocess":            "\x80\x02csubprocess\nPopen\n)\x81.",
		"INST":                  "\x80\x02(U\x04trueios\nsystem\n.",
		"OBJ":                   "\x80\x02(cos\nsystem\nU\x04trueo.",
		"STACK_GLOBAL":          "\x80\x04\x8c\x02os\x8c\x06system\x93.",
		"persistent id":         "\x80\x02U\x01xQ.",
		"extension":             "\x80\x02\x82\x01.",
		"factory":               "\x80\x02ccollections\ndefaultdict\ncos\nsystem\n\x85R.",
		"csr called":            "\x80\x02cscipy.sparse.csr\ncsr_matrix\n)R.",
		"csr with arguments":    "\x80\x02cscipy.sparse.csr\ncsr_matrix\nK\x01\x85\x81.",
		"ndarray made":          "\x80\x02cnumpy\nndarray\n)\x81.",
		"list called":           "\x80\x02c__builtin__\nlist\n)R.",
		"subclass":              "\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85U\x01b\x87R.",
		"dict with state":       "\x80\x02}}b.",
		"dotted global":         "\x80\x02cnumpy\nndarray.tofile\n.",
		"global with a newline": "\x80\x02cnumpy\n\nndarray\n.",
		"dtype of objects":      "\x80\x02cnumpy\ndtype\nU\x03O16K\x00K\x01\x87R.",
		"dtype of structures":   "\x80\x02cnumpy\ndtype\nU\x03V16K\x00K\x01\x87R.",
	} {
		t.Run(name, func(t *testing.T) { hostile.MustRefuse(t, "x.pickle", []byte(content), Check) })
	}
	if _, err := os.Stat(canary); err == nil {
		t.Error("code in a pickle was executed")
	}
}

func TestMalformedPicklesAreRefused(t *testing.T) {
	array := "\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
	for name, content := range map[string]string{
		"empty":                    "",
		"nothing on the stack":     "\x80\x02.",
		"two on the stack":         "\x80\x02NN.",
		"bytes behind":             "\x80\x02N.N",
		"a mark alone":             "\x80\x02(.",
		"a mark in the memo":       "\x80\x02(q\x000.",
		"a mark in a tuple":        "\x80\x02(\x85.",
		"no mark":                  "\x80\x02Nt.",
		"protocol 9":               "\x80\x09N.",
		"memo never stored":        "\x80\x02h\x05.",
		"string beyond the end":    "\x80\x02T\xff\xff\xff\x7fabc.",
		"negative string length":   "\x80\x02T\xff\xff\xff\xffabc.",
		"bytes beyond the end":     "\x80\x03B\x00\x00\x00\x80abc.",
		"unicode not UTF-8":        "\x80\x02X\x01\x00\x00\x00\xff.",
		"key without value":        "\x80\x02}(K\x01u.",
		"key twice":                "\x80\x02}(K\x01NK\x01Nu.",
		"list as key":              "\x80\x02}(]Nu.",
		"items without a dict":     "\x80\x02](K\x01Nu.",
		"items without a list":     "\x80\x02}Na.",
		"array larger than bytes":  array + "(K\x01J\xff\xff\xff\x7f\x85cnumpy\ndtype\nU\x02i4\x85R\x89U\x04abcdtb.",
		"array of negative size":   array + "(K\x01J\xff\xff\xff\xff\x85cnumpy\ndtype\nU\x02i4\x85R\x89U\x04abcdtb.",
		"array of list":            array + "(K\x01K\x01\x85cnumpy\ndtype\nU\x02i4\x85R\x89]tb.",
		"objects of raw bytes":     array + "(K\x01K\x01\x85cnumpy\ndtype\nU\x02O8\x85R\x89U\x08abcdefghtb.",
		"fewer objects than shape": array + "(K\x01K\x02\x85cnumpy\ndtype\nU\x02O8\x85R\x89]Natb.",
		"array built twice":        array + "(K\x01K\x01\x85cnumpy\ndtype\nU\x02i4\x85R\x89U\x04abcdtq\x01bh\x01b.",
		"matrix without content":   "\x80\x02cscipy.sparse.csr\ncsr_matrix\n)\x81.",
		"matrix with empty state":  "\x80\x02cscipy.sparse.csr\ncsr_matrix\n)\x81}b.",
		"long string as key":       "\x80\x02}(T\x01\x01\x00\x00" + strings.Repeat("x", 257) + "Nu.",
		"overflowing array shapes": array + "(K\x01J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87cnumpy\ndtype\nU\x02i4\x85R\x89U\x04abcdtb.",
	} {
		t.Run(name, func(t *testing.T) { hostile.MustRefuse(t, "x.pickle", []byte(content), Check) })
	}
}

func TestListThatHoldsItselfIsHarmless(t *testing.T) {
	v, err := Parse("x", 0, []byte("\x80\x02]q\x00h\x00a."))
	if err != nil {
		t.Fatal(err)
	}
	if list := v.(*List); len(list.Items) != 1 || list.Items[0] != any(list) {
		t.Errorf("found %v", list)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	for _, name := range []string{"csr.pickle", "array.pickle", "graph.pickle", "plain.pickle"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		hostile.Truncations(t, name, content, Check)
		noticed, tried := hostile.BitFlips(t, name, content, Check)
		t.Logf("%s: %d of %d bit flips noticed", name, noticed, tried)
		if noticed == 0 {
			t.Errorf("%s: no bit flip was noticed", name)
		}
	}
}

func TestDescribe(t *testing.T) {
	for name, want := range map[string]string{"csr.pickle": "csr_matrix", "array.pickle": "ndarray", "graph.pickle": "dict", "plain.pickle": "dict"} {
		d, err := Describe(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if d.Fields[0].Value != want {
			t.Errorf("%s: %v, expected %s", name, d.Fields, want)
		}
	}
}

func FuzzPickle(f *testing.F) {
	for _, name := range []string{"csr.pickle", "array.pickle", "graph.pickle", "plain.pickle"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("\x80\x02}q\x01(U\x06formatU\x03csrU\x06_shapeK\x02K\x03\x86T\x01\x00\x00\x00aI1\nu."))
	f.Fuzz(func(t *testing.T, content []byte) {
		v, err := Parse("x.pickle", 0, content)
		hostile.Judge(t, err, "x.pickle")
		switch v := v.(type) {
		case *CSR:
			if v.built {
				_, err := v.Sparse("x.pickle", "matrix")
				hostile.Judge(t, err, "x.pickle")
			}
		case *Array:
			v.Int64s()
			v.Float32s()
			v.Strings()
		}
	})
}
