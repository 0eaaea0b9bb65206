package memory

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// PeakRSS returns the largest resident memory of this process so far, in bytes (VmHWM): code, Go heap, stacks and every
// mapped page that was touched.
func PeakRSS() (int64, error) { return statusField("VmHWM:") }

// RSS returns the resident memory of this process now, in bytes (VmRSS).
func RSS() (int64, error) { return statusField("VmRSS:") }

// ResetPeak makes PeakRSS count from now on. Not every container allows it.
func ResetPeak() error {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return fmt.Errorf("reset the peak of resident memory: %w", err)
	}
	return nil
}

// anonymous returns the resident memory that no file stands behind: Go heap, stacks, arenas.
func anonymous() (int64, error) { return statusField("RssAnon:") }

func statusField(name string) (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("measure resident memory: %w", err)
	}
	n := kibField(string(status), name)
	if n < 0 {
		return 0, fmt.Errorf("measure resident memory: /proc/self/status has no %s", name)
	}
	return n, nil
}

// codeBytes sums the file mappings of the process: its own executable and any library.
func codeBytes() (int64, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, fmt.Errorf("measure code: %w", err)
	}
	var sum int64
	for line := range strings.Lines(string(maps)) {
		// "00400000-00a1b000 r-xp 00000000 fe:00 1234 /usr/bin/seraph"; inode 0 is memory without a file.
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[4] == "0" {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		a, errA := strconv.ParseUint(from, 16, 63)
		b, errB := strconv.ParseUint(to, 16, 63)
		if errA != nil || errB != nil || b < a {
			return 0, fmt.Errorf("measure code: /proc/self/maps: unexpected line %q", line)
		}
		sum += int64(b - a)
	}
	if sum == 0 {
		return 0, errors.New("measure code: /proc/self/maps names no executable")
	}
	return sum, nil
}

// Transfers are the bytes that this process caused to be read from and written to storage, and those read and written
// through any file whether or not the page cache served them (/proc/self/io).
type Transfers struct {
	DiskRead, DiskWrite int64 // read_bytes, write_bytes
	Read, Write         int64 // rchar, wchar
}

// IOCounters returns the transfers of this process so far.
func IOCounters() (Transfers, error) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return Transfers{}, fmt.Errorf("count transfers: %w", err)
	}
	var t Transfers
	wanted := map[string]*int64{"read_bytes": &t.DiskRead, "write_bytes": &t.DiskWrite, "rchar": &t.Read, "wchar": &t.Write}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		field := wanted[name]
		if field == nil {
			continue
		}
		if *field, err = strconv.ParseInt(value, 10, 64); err != nil {
			return Transfers{}, fmt.Errorf("count transfers: /proc/self/io: unexpected line %q", line)
		}
		delete(wanted, name)
	}
	if len(wanted) > 0 {
		return Transfers{}, errors.New("count transfers: /proc/self/io is incomplete")
	}
	return t, nil
}
