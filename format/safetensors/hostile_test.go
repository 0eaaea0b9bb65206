package safetensors

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

func TestHostileHeadersAreRefused(t *testing.T) {
	good := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	path := filepath.Join(t.TempDir(), "x.safetensors")
	for _, content := range [][]byte{file(good, 8), file(good+"   ", 8), file("{}", 0), file(`{"__metadata__":{}}`, 0)} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Check(path); err != nil {
			t.Errorf("%q: %v", content, err)
		}
	}
	for name, content := range map[string][]byte{
		"empty":                      {},
		"seven bytes":                make([]byte, 7),
		"no header":                  file("", 0),
		"a header beyond the file":   {255, 0, 0, 0, 0, 0, 0, 0, '{', '}'},
		"a header of 2^63 bytes":     {0, 0, 0, 0, 0, 0, 0, 0x80, '{', '}'},
		"a header of 2^64-1 bytes":   {255, 255, 255, 255, 255, 255, 255, 255, '{', '}'},
		"a byte too many":            file(good, 9),
		"a byte too few":             file(good, 7),
		"blanks before":              file(" "+good, 8),
		"an array":                   file("[]", 0),
		"two objects":                file("{}{}", 0),
		"a comma too many":           file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}`, 8),
		"not closed":                 file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`, 8),
		"no colon":                   file(`{"a" {}}`, 0),
		"a key that is a number":     file(`{1:{}}`, 0),
		"a tensor that is a number":  file(`{"a":1}`, 0),
		"nothing of a tensor":        file(`{"a":{}}`, 0),
		"no shape":                   file(`{"a":{"dtype":"U8","data_offsets":[0,0]}}`, 0),
		"no type":                    file(`{"a":{"shape":[0],"data_offsets":[0,0]}}`, 0),
		"no offsets":                 file(`{"a":{"dtype":"U8","shape":[0]}}`, 0),
		"one offset":                 file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}`, 0),
		"three offsets":              file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}`, 0),
		"an unknown type":            file(`{"a":{"dtype":"F31","shape":[0],"data_offsets":[0,0]}}`, 0),
		"an unknown key":             file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}`, 0),
		"a key twice":                file(`{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0),
		"a name twice":               file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2),
		"a name twice, escaped":      file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2),
		"a negative size":            file(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}`, 0),
		"a broken size":              file(`{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}`, 1),
		"a size beyond 2^63":         file(`{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}}`, 0),
		"sizes that overflow":        file(`{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0),
		"sizes that overflow to few": file(`{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, 4),
		"an overflow times zero":     file(`{"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}`, 0),
		"half a byte":                file(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, 1),
		"another length":             file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4),
		"an end before the start":    file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}}`, 1),
		"beyond the file":            file(`{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}`, 8),
		"an offset beyond the file":  file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}}`, 1),
		"two on one place":           file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 4),
		"two that overlap":           file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`, 6),
		"one within another":         file(`{"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}`, 6),
		"nothing within another":     file(`{"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}`, 6),
		"a hole":                     file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}`, 6),
		"a hole before":              file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}`, 4),
		"metadata that is a text":    file(`{"__metadata__":"x"}`, 0),
		"metadata with a number":     file(`{"__metadata__":{"a":1}}`, 0),
		"a boolean 2":                append(file(`{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`, 0), 2),
		"deep arrays":                file(`{"a":{"shape":`+strings.Repeat("[", 1<<20), 0),
		"many dimensions":            file(`{"a":{"dtype":"U8","shape":[`+strings.Repeat("9,", 1<<16)+`9],"data_offsets":[0,0]}}`, 0),
	} {
		t.Run(name, func(t *testing.T) { hostile.MustRefuse(t, "x.safetensors", content, Check) })
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	content, err := os.ReadFile("testdata/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	hostile.Truncations(t, "golden.safetensors", content, Check)
	noticed, tried := hostile.BitFlips(t, "golden.safetensors", content, Check)
	t.Logf("%d of %d bit flips noticed", noticed, tried)
	if noticed == 0 {
		t.Error("no bit flip was noticed")
	}
}

func TestHostileIndexesAreRefused(t *testing.T) {
	shard, err := os.ReadFile("testdata/model-00001-of-00002.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "inner"), 0o755); err != nil {
		t.Fatal(err)
	}
	write("outside.safetensors", shard)
	write("inner/shard.safetensors", shard)
	write("inner/cut.safetensors", shard[:100])
	if err := os.Symlink("../outside.safetensors", filepath.Join(dir, "inner/link.safetensors")); err != nil {
		t.Fatal(err)
	}
	check := func(index string) error {
		write("inner/m.safetensors.index.json", []byte(index))
		return Check(filepath.Join(dir, "inner/m.safetensors.index.json"))
	}
	if err := check(`{"metadata":{"total_size":[1,{"x":null}]},"weight_map":{"a":"shard.safetensors"}}`); err != nil {
		t.Errorf("a good index: %v", err)
	}
	for name, index := range map[string]string{
		"empty":                  ``,
		"an array":               `[]`,
		"no weight_map":          `{"metadata":{}}`,
		"weight_map twice":       `{"weight_map":{},"weight_map":{}}`,
		"a number as file":       `{"weight_map":{"a":1}}`,
		"a tensor twice":         `{"weight_map":{"a":"shard.safetensors","a":"shard.safetensors"}}`,
		"a tensor that is not":   `{"weight_map":{"z":"shard.safetensors"}}`,
		"a file outside":         `{"weight_map":{"a":"../outside.safetensors"}}`,
		"an absolute file":       `{"weight_map":{"a":"` + filepath.Join(dir, "outside.safetensors") + `"}}`,
		"no file":                `{"weight_map":{"a":""}}`,
		"a file that is cut":     `{"weight_map":{"a":"cut.safetensors"}}`,
		"more behind":            `{"weight_map":{"a":"shard.safetensors"}}}`,
		"not closed":             `{"weight_map":{"a":"shard.safetensors"}`,
		"metadata without a end": `{"metadata":[[[[,"weight_map":{}}`,
	} {
		err := check(index)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		hostile.Judge(t, err, ".safetensors")
	}
	// A link that leads out of the folder, and a file that is not there, are errors of the system.
	for _, shard := range []string{"link.safetensors", "none.safetensors", "."} {
		if err := check(`{"weight_map":{"a":"` + shard + `"}}`); err == nil || !strings.Contains(err.Error(), "inner") {
			t.Errorf("%s: error %v, expected one that names it", shard, err)
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	for _, name := range []string{"golden.safetensors", "model-00001-of-00002.safetensors"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add(file(`{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}`, 2))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := New(format.NewSource("x.safetensors", bytes.NewReader(content), int64(len(content))))
		hostile.Judge(t, err, "x.safetensors")
		if err != nil {
			return
		}
		total := 0
		for _, v := range file.Tensors {
			v.Float32s()
			total += int(v.Bytes)
			if n := v.Len() * v.DType.Bits(); n != 8*int(v.Bytes) {
				t.Errorf("tensor %q: %d bytes for shape %v of %s", v.Name, v.Bytes, v.Shape, v.DType)
			}
		}
		if total > len(content) {
			t.Errorf("tensors of %d bytes in a file of %d", total, len(content))
		}
	})
}

func FuzzIndex(f *testing.F) {
	content, err := os.ReadFile("testdata/model.safetensors.index.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Fuzz(func(t *testing.T, content []byte) {
		_, err := parseIndex(format.NewSource("x.json", bytes.NewReader(content), int64(len(content))), content)
		hostile.Judge(t, err, "x.json")
	})
}
