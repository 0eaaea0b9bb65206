package measure

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
)

// The figures depend on the machine; here, that they are figures, and that measuring ends.

func TestProductsAndMemoryAreMeasured(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	const limit = 20 * time.Millisecond
	for name, run := range map[string]func() (float64, error){
		"float32":  func() (float64, error) { return Product(t.Context(), pool, false, limit) },
		"bfloat16": func() (float64, error) { return Product(t.Context(), pool, true, limit) },
		"memory":   func() (float64, error) { return Memory(t.Context(), pool, 12<<20, limit) },
	} {
		rate, err := run()
		if err != nil || rate < 1e6 || rate > 1e16 {
			t.Errorf("%s: %g a second, %v", name, rate, err)
		}
	}
}

func TestDiskIsMeasuredAndLeftClean(t *testing.T) {
	dir := t.TempDir()
	d, err := MeasureDisk(t.Context(), dir, 2*diskPiece, 50*time.Millisecond)
	if err != nil {
		t.Skip(err) // the folder for temporary files may lie in memory
	}
	if d.Read < 1e5 || d.Write < 1e5 || d.Latency <= 0 || d.Latency > 10 {
		t.Errorf("%+v", d)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestMeasuringStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, product := Product(ctx, nil, false, time.Hour)
	_, memory := Memory(ctx, nil, 1<<20, time.Hour)
	for _, err := range []error{product, memory} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}
