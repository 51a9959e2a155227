//go:build unix

package gateway

import "golang.org/x/sys/unix"

// freeDisk is how many bytes an ordinary process may still write where dir lies, -1 when that is not known.
func freeDisk(dir string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize) //nolint:unconvert,gosec // types differ by system; no file system has 2^63 bytes
}
