package localrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"callhome"
	"callhome/agent/collect"
)

// pipeGrace is how long output is awaited after a program ended or was killed: a child that left the process group could
// hold the pipe open for ever.
const pipeGrace = 2 * time.Second

// searchPath is where programs are looked for when a command names no path.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Runner starts programs.
type Runner struct {
	allowed [][]string
	log     *slog.Logger
}

// Options are what a Runner gets from outside; all may be left out.
type Options struct {
	Log *slog.Logger
}

// New takes the command lines that may be run, word for word.
func New(allowed []string, o Options) (*Runner, error) {
	r := &Runner{log: o.Log}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	for _, command := range allowed {
		argv, err := Split(command)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.allowed = append(r.allowed, argv)
	}
	return r, errors.Join(errs...)
}

// Allows reports whether a command line is on the list.
func (r *Runner) Allows(command string) bool {
	argv, err := Split(command)
	return err == nil && r.lists(argv)
}

func (r *Runner) lists(argv []string) bool {
	return slices.ContainsFunc(r.allowed, func(a []string) bool { return slices.Equal(a, argv) })
}

// Open needs no login.
func (r *Runner) Open(context.Context) (collect.Session, error) { return session{r}, nil }

// session has no state: every command is a process of its own.
type session struct{ r *Runner }

// Close has nothing to end.
func (session) Close() error { return nil }

// Run starts a program in a process group of its own, with an environment of search path and language only, and kills the
// group when ctx ends. Both outputs go to out in the order in which they come.
func (s session) Run(ctx context.Context, command string, out *collect.Output) error {
	argv, err := Split(command)
	if err != nil {
		return err
	}
	if !s.r.lists(argv) {
		return callhome.Errorf(callhome.KindDenied, "command %q is not on the list of allowed commands of this host", command)
	}
	path, err := find(argv[0])
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.Args = argv
	cmd.Env = []string{"PATH=" + searchPath, "LC_ALL=C.UTF-8", "HOME=/", "TERM=dumb"}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = out, out // one writer: the library copies both through one pipe
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = pipeGrace
	err = cmd.Run()
	if cmd.Process != nil && cmd.Process.Pid > 0 && errors.Is(err, exec.ErrWaitDelay) {
		_ = cmd.Cancel() // what the program left behind in its group
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit):
		return fmt.Errorf("%s: %s", argv[0], exit.ProcessState)
	case err != nil:
		return fmt.Errorf("%s: %w", argv[0], err)
	}
	return nil
}

// find looks a program up on our own search path: that of the environment is not to be trusted with root's rights.
func find(name string) (string, error) {
	if strings.ContainsRune(name, '/') {
		return name, nil
	}
	for _, dir := range strings.Split(searchPath, ":") {
		path := dir + "/" + name
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", callhome.Errorf(callhome.KindNotFound, "program %q is not installed (looked in %s)", name, searchPath)
}
