package memory

import (
	"math"
	"runtime"
)

// Machine is what this process may use of the machine, measured by [Limits].
type Machine struct {
	Total     int64   // bytes of physical memory
	Available int64   // bytes that can be had without pushing others out, at the time of asking
	Cgroup    int64   // the smallest memory limit of the control groups around the process, 0 when there is none
	CPUs      int     // logical processors that the process may run on (affinity)
	Quota     float64 // processor time per time that the control groups allow, 0 when there is no limit
}

// Limits measures what this process may use.
func Limits() (Machine, error) {
	m, err := systemLimits()
	m.CPUs = runtime.NumCPU()
	return m, err
}

// Budget is the default memory budget on this machine: 80 % of the smaller of the control groups' limit and what is
// available.
func (m Machine) Budget() int64 {
	room := m.Available
	if m.Cgroup > 0 {
		room = min(room, m.Cgroup)
	}
	return room / 10 * 8
}

// Threads is how many threads the machine lets run at once: the processors allowed by affinity, or the control groups'
// quota rounded up where that is less.
func (m Machine) Threads() int {
	if m.Quota > 0 {
		return max(1, min(m.CPUs, int(math.Ceil(m.Quota))))
	}
	return m.CPUs
}

// DefaultBudget returns the memory budget in bytes of a job that was given none.
func DefaultBudget() (int64, error) {
	m, err := Limits()
	return m.Budget(), err
}

// CPUs returns the number of threads to compute with when none is given.
func CPUs() int {
	m, err := Limits()
	if err != nil {
		return runtime.NumCPU()
	}
	return m.Threads()
}
