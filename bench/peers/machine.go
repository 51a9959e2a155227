package main

import (
	"os"
	"os/exec"
	"strings"
)

func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(rest, "\t :"))
		}
	}
	return "unknown"
}

func kernel() string { return oneLineOf("/proc/sys/kernel/osrelease") }

func loadAverage() string {
	first, _, _ := strings.Cut(oneLineOf("/proc/loadavg"), " ")
	return first
}

func oneLineOf(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}

// peerPackages are the Debian packages whose versions are named.
var peerPackages = []string{"rsyslog", "postfix", "prometheus-alertmanager", "libxml2-utils"}

// peerVersions names the peers' versions, and our own.
func peerVersions(bin string) string {
	var out []string
	for _, p := range peerPackages {
		v, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", p).Output()
		if err == nil {
			out = append(out, p+" "+string(v))
		}
	}
	out = append(out, "syslog-ng 3.38.1")
	if v, err := exec.Command(bin, "--version").Output(); err == nil {
		out = append(out, "ours "+strings.TrimSpace(string(v)))
	}
	return strings.Join(out, ", ")
}
