package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"callhome"

	"golang.org/x/sys/unix"
)

// lockSuffix names the file whose lock says that a process works the spool. Leases live in memory, so two processes
// would send everything twice. The kernel gives the lock back when its holder dies.
const lockSuffix = ".lock"

// lock takes the spool for this process.
func lock(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	f, err := os.OpenFile(path+lockSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = callhome.Errorf(callhome.KindConflict, "another process works %s; stop it, or give this one a data_dir of its own", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
