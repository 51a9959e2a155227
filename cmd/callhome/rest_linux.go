package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// restAfter is how long an agent must have been without lines to count as resting.
const restAfter = 10 * time.Second

// restSoon is when it rests for the first time: what starting needed is not needed again.
const restSoon = 500 * time.Millisecond

// rest gives memory back when there is nothing to do: what the heap keeps in reserve, and pages of the program file that
// only the start or the last storm needed. The kernel reads those again when they are called.
func (d *device) rest(ctx context.Context) error {
	timer := time.NewTimer(restSoon)
	defer timer.Stop()
	seen, rested := int64(-1), int64(-1)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			timer.Reset(restAfter)
		}
		now := d.agent.Lines()
		if now == seen || seen < 0 {
			if now != rested { // once after a storm is enough
				d.outbox.Rest(ctx)
				debug.FreeOSMemory()
				rested = now
			}
			dropProgramPages() // every time: what a retry called is as idle now as the rest
		}
		seen = now
	}
}

// dropProgramPages unmaps what is mapped of the program file.
func dropProgramPages() {
	self, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	for s := bufio.NewScanner(maps); s.Scan(); {
		var from, to uintptr
		var perm string
		if n, err := fmt.Sscanf(s.Text(), "%x-%x %s", &from, &to, &perm); n != 3 || err != nil {
			continue
		}
		// Only what is mapped from the file and cannot have been written to: dropping it loses nothing.
		if strings.HasSuffix(s.Text(), self) && perm[0] == 'r' && perm[1] == '-' {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED) // a kernel that will not is no harm
		}
	}
}
