package lab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used up to a moment.
type Usage struct {
	At        time.Time
	RSS, Peak int64         // resident memory now and at most, in bytes
	CPU       time.Duration // of all its threads, in user and kernel mode, to 10 ms
}

// Usage asks the kernel (proc_pid_stat(5), proc_pid_status(5)).
func (d *Daemon) Usage() (Usage, error) { return usageOf(d.PID()) }

// Share is the part of one core that was used from before to u.
func (u Usage) Share(before Usage) float64 {
	return float64(u.CPU-before.CPU) / float64(u.At.Sub(before.At))
}

func usageOf(pid int) (Usage, error) {
	u := Usage{At: time.Now()}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	if u.CPU, err = cpuOf(string(stat)); err != nil {
		return u, err
	}
	if u.RSS, err = kilobytesOf(string(status), "VmRSS:"); err != nil {
		return u, err
	}
	u.Peak, err = kilobytesOf(string(status), "VmHWM:")
	return u, err
}

// tick is what the kernel counts processor time in for others, on every platform of ours.
const tick = time.Second / 100

// cpuOf reads utime and stime, fields 14 and 15 of a stat file.
func cpuOf(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:]) // from the third on
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat %q: too short", stat)
	}
	var sum time.Duration
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat %q: %w", stat, err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

func kilobytesOf(status, key string) (int64, error) {
	_, after, found := strings.Cut(status, "\n"+key)
	line, _, _ := strings.Cut(after, "\n")
	value, isKB := strings.CutSuffix(strings.TrimSpace(line), " kB")
	n, err := strconv.ParseInt(value, 10, 64)
	if !found || !isKB || err != nil {
		return 0, fmt.Errorf("status: %s %q: want kB", key, line)
	}
	return n << 10, nil
}
