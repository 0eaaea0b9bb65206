package memory

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// PeakRSS returns the largest resident memory of this process so far, in bytes: code, Go heap, stacks and every mapped
// page that was touched.
func PeakRSS() (int64, error) {
	usage, err := rusage()
	return usage.Maxrss, err
}

// RSS returns the resident memory of this process in bytes. This system tells a process only the largest so far.
func RSS() (int64, error) { return PeakRSS() }

// ResetPeak makes PeakRSS count from now on, which this system does not offer.
func ResetPeak() error {
	return fmt.Errorf("reset the peak of resident memory: %w", errors.ErrUnsupported)
}

func anonymous() (int64, error) { return RSS() }

func codeBytes() (int64, error) {
	path, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("measure code: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("measure code: %w", err)
	}
	return info.Size(), nil
}

// Transfers are the bytes that this process caused to be read from and written to storage, and those read and written
// through any file whether or not the page cache served them.
type Transfers struct {
	DiskRead, DiskWrite int64
	Read, Write         int64
}

// IOCounters returns the transfers of this process so far. This system counts them in blocks of 512 bytes, and does not
// count those that the page cache served.
func IOCounters() (Transfers, error) {
	usage, err := rusage()
	return Transfers{DiskRead: usage.Inblock * 512, DiskWrite: usage.Oublock * 512}, err
}

func rusage() (unix.Rusage, error) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return usage, fmt.Errorf("measure this process: %w", err)
	}
	return usage, nil
}
