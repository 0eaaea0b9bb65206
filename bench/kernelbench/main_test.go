package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryRequestIsAnsweredWithATime(t *testing.T) {
	folder := t.TempDir()
	for name, numbers := range map[string]any{"indptr": []int64{0, 1, 3}, "indices": []int32{1, 0, 1}, "values": []float32{1, 2, 3}} {
		data, err := binary.Append(nil, binary.LittleEndian, numbers)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b bench
	defer b.close()
	for _, request := range []string{
		"matmul f32 5 6 7 1 2", "matmul bf16 5 6 7 2 2", "matmul bf16 5 6 7 2 3", "spmm " + folder + " 3 1 1", "adamw 100 2 1", "softmax 3 4 1 1", "layernorm 3 4 2 1",
	} {
		answer, err := b.answer(strings.Fields(request))
		if seconds, ok := answer.(float64); err != nil || !ok || !(seconds > 0) {
			t.Errorf("%s: %v, %v", request, answer, err)
		}
	}
	if answer, err := b.answer([]string{"level"}); err != nil || answer == "" {
		t.Errorf("level: %v, %v", answer, err)
	}
	for _, request := range []string{"", "matmul f32 5 6 7 1 0", "matmul f64 5 6 7 1 1", "spmm /nowhere 3 1 1", "softmax 3 1 1", "sort 5 1 1"} {
		if answer, err := b.answer(strings.Fields(request)); err == nil {
			t.Errorf("%q was answered with %v", request, answer)
		}
	}
}
