package memory

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// systemLimits reads memory and control groups from the running system.
func systemLimits() (Machine, error) { return readLimits(os.DirFS("/")) }

// readLimits reads /proc and the control group file systems below root.
func readLimits(root fs.FS) (Machine, error) {
	m := Machine{}
	info, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return m, fmt.Errorf("measure memory: %w", err)
	}
	if m.Total = kibField(string(info), "MemTotal:"); m.Total <= 0 {
		return m, errors.New("measure memory: /proc/meminfo has no MemTotal")
	}
	if m.Available = kibField(string(info), "MemAvailable:"); m.Available <= 0 {
		m.Available = kibField(string(info), "MemFree:") // before Linux 3.14
	}
	for _, dir := range groupDirs(root) {
		for _, name := range []string{"memory.max", "memory.high", "memory.limit_in_bytes"} {
			limit, ok := groupNumber(root, path.Join(dir, name), 0)
			if ok && limit < m.Total && (m.Cgroup == 0 || limit < m.Cgroup) {
				m.Cgroup = max(limit, 1) // 0 would read as no limit
			}
		}
		if quota, ok := groupQuota(root, dir); ok && (m.Quota == 0 || quota < m.Quota) {
			m.Quota = quota
		}
	}
	return m, nil
}

// groupDirs returns the directories of the control groups of the process and of all groups around them, as far as they
// are mounted here, for version 2 and for the memory and cpu controllers of version 1.
func groupDirs(root fs.FS) []string {
	groups, _ := fs.ReadFile(root, "proc/self/cgroup")
	mounts, _ := fs.ReadFile(root, "proc/self/mountinfo")
	var dirs []string
	for line := range strings.Lines(string(groups)) {
		// "4:memory:/path" in version 1, "0::/path" in version 2.
		id, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		wanted := ""
		switch {
		case id == "0" && controllers == "":
		case hasWord(controllers, "memory"):
			wanted = "memory"
		case hasWord(controllers, "cpu"):
			wanted = "cpu"
		default:
			continue
		}
		mount, mountRoot, ok := groupMount(string(mounts), wanted)
		if !ok {
			continue
		}
		// What is mounted may itself be a group (in containers); a group outside of it cannot be seen.
		below := ""
		if inside := strings.TrimSuffix(mountRoot, "/"); group == inside || strings.HasPrefix(group, inside+"/") {
			below = strings.Trim(group[len(inside):], "/")
		}
		if strings.Contains(below, "..") {
			below = ""
		}
		for {
			dirs = append(dirs, path.Join(mount, below))
			if below == "" {
				break
			}
			below = strings.TrimPrefix(path.Dir("/"+below), "/")
		}
	}
	return dirs
}

// groupMount finds where a controller of version 1, or the hierarchy of version 2 when the name is empty, is mounted, and
// which group lies there. The path is relative to the root of the file system.
func groupMount(mounts, controller string) (mount, group string, ok bool) {
	for line := range strings.Lines(mounts) {
		// "35 31 0:32 /group /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory", with optional fields before "-".
		before, after, found := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !found || len(left) < 5 || len(right) < 3 {
			continue
		}
		if (controller == "" && right[0] == "cgroup2") || (controller != "" && right[0] == "cgroup" && hasWord(right[2], controller)) {
			return strings.TrimPrefix(left[4], "/"), left[3], true
		}
	}
	return "", "", false
}

// groupQuota reads how much processor time a group may use, in processors.
func groupQuota(root fs.FS, dir string) (float64, bool) {
	quota, ok := groupNumber(root, path.Join(dir, "cpu.max"), 0)
	period, ok2 := groupNumber(root, path.Join(dir, "cpu.max"), 1)
	if !ok || !ok2 {
		quota, ok = groupNumber(root, path.Join(dir, "cpu.cfs_quota_us"), 0)
		period, ok2 = groupNumber(root, path.Join(dir, "cpu.cfs_period_us"), 0)
	}
	if !ok || !ok2 || quota <= 0 || period <= 0 {
		return 0, false
	}
	return float64(quota) / float64(period), true
}

// groupNumber reads one number of a control file; "max", a missing file and what is too large to mean anything are none.
func groupNumber(root fs.FS, name string, field int) (int64, bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text))
	if field >= len(fields) {
		return 0, false
	}
	n, err := strconv.ParseInt(fields[field], 10, 64)
	return n, err == nil && n >= 0 && n < math.MaxInt64/2
}

// kibField returns the bytes on the line that begins with name in a file like /proc/meminfo, -1 when there is none.
func kibField(text, name string) int64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil || kib > math.MaxInt64>>10 {
				return -1
			}
			return kib << 10
		}
	}
	return -1
}

func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}
